#include "vllm_api/api_error.hpp"

#include "recorded.hpp"

#include <gtest/gtest.h>

#include <string>

namespace memprof::vllm_api {
namespace {

void expect_recorded(const ApiError& got, const std::string& name) {
  const auto expected = recorded(name);
  EXPECT_EQ(got.status, expected.status) << name;
  EXPECT_EQ(got.body, expected.body) << name;
}

TEST(ApiError, IsAsVllmWritesIt) {
  expect_recorded(unauthorized(), "err_api_key_wrong");
  expect_recorded(not_found(), "err_path");
  expect_recorded(method_not_allowed(), "err_method_get");
  expect_recorded(wrong_content_type(), "err_content_type_text");
  expect_recorded(too_many_requests_queued(), "err_overload_reqs_chat");
  expect_recorded(engine_died(), "sigterm_midstream_3");
  expect_recorded(shutting_down(), "during_shutdown_drain");
  expect_recorded(unknown_model("nope", "tiny"), "err_unknown_model_chat");
}

TEST(ApiError, EscapesForeignText) {
  const auto body = boost::json::parse(unknown_model("a\"\n\\", "b").body);
  EXPECT_EQ(body.at("error").at("message"),
            "The model `a\"\n\\` does not exist. Valid aliases: b.");
}

TEST(ApiError, ThatWasNotLookedAtThrows) {
  const ApiResult<int> result = not_found();
  EXPECT_THROW((void)result.value(), std::logic_error);
}

}  // namespace
}  // namespace memprof::vllm_api
