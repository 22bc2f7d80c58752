#include "load/model_list.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

namespace memprof::load {
namespace {

TEST(ModelList, ReadsVllmsList) {
  const auto models = parse_model_list(R"({"object":"list","data":[{"id":"tiny","object":"model",)"
                                       R"("owned_by":"vllm","max_model_len":4096,)"
                                       R"("permission":[]}]})");
  ASSERT_TRUE(models);
  ASSERT_EQ(models->size(), 1u);
  EXPECT_EQ(models->front().id, "tiny");
  EXPECT_EQ(models->front().owned_by, "vllm");
  EXPECT_EQ(models->front().max_model_len, 4096);
}

TEST(ModelList, OtherServersLeaveMembersOut) {
  const auto models = parse_model_list(
      R"({"data":[{"id":"a","max_model_len":null},{"id":"b","max_model_len":-1},)"
      R"({"id":5},7,null]})");
  ASSERT_TRUE(models);
  ASSERT_EQ(models->size(), 2u);
  EXPECT_FALSE((*models)[0].max_model_len || (*models)[1].max_model_len || (*models)[0].owned_by);
  EXPECT_EQ(parse_model_list(R"({"data":[]})")->size(), 0u);
}

TEST(ModelList, WhatIsNoListIsNone) {
  for (const char* body : {"", "{}", "[]", "null", R"({"data":{}})", R"({"data":null})", "<html>",
                           R"({"error":"x"})", R"({"data":[)"}) {
    EXPECT_FALSE(parse_model_list(body)) << body;
  }
}

std::string chosen(const std::string& asked, const std::vector<std::string>& served) {
  std::vector<ModelInfo> models;
  for (const auto& id : served) models.push_back({id, {}, {}});
  const auto choice = choose_model(asked, models);
  if (choice.has_error()) {
    EXPECT_EQ(choice.error().code, ExitCode::usage);
    return choice.error().message;
  }
  return *choice;
}

TEST(ModelList, Choice) {
  EXPECT_EQ(chosen("default", {"tiny"}), "tiny");
  EXPECT_EQ(chosen("default", {"a", "default", "b"}), "default");
  EXPECT_EQ(chosen("default", {}), "default");
  EXPECT_EQ(chosen("mine", {"tiny"}), "mine");
  EXPECT_EQ(chosen("mine", {"a", "b"}), "mine");
  EXPECT_EQ(chosen("default", {"a", "b\n"}),
            "--model: the server has several models; name one of: a, b");
}

}  // namespace
}  // namespace memprof::load
