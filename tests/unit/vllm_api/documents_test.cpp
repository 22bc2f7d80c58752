#include "vllm_api/documents.hpp"

#include "recorded.hpp"

#include <gtest/gtest.h>

namespace memprof::vllm_api {
namespace {

TEST(Documents, ModelsIsAsVllmWritesIt) {
  EXPECT_EQ(models_document("tiny", "./tiny", 4096, 1795490532, "83126cad8acef97e"),
            recorded("get_models").body);
}

TEST(Documents, VersionSaysThatItIsASimulator) {
  const auto version = boost::json::parse(version_document());
  EXPECT_EQ(version.at("version"), "0.32.0");
  EXPECT_TRUE(version.at("simulator").as_string().starts_with("memprof "));
}

}  // namespace
}  // namespace memprof::vllm_api
