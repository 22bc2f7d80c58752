#include "sample_run.hpp"

#include <gtest/gtest.h>

namespace memprof::analysis {
namespace {

using testing::healthy_run;
using testing::row;
using testing::SampleRun;

SampleRun run_with_failures(int total, int failed) {
  auto run = healthy_run();
  run.traces.requests.clear();
  for (int i = 0; i < total; ++i) {
    run.traces.requests.push_back(row("r" + std::to_string(i), 1, i, i + 0.5));
    if (i < failed) run.traces.requests.back().status = "error:timeout";
  }
  run.traces.workload_requests = total;
  return run;
}

TEST(JudgeRequests, OneFailureOrOnePercentIsAWarning) {
  EXPECT_EQ(run_with_failures(48, 0).reason("requests_failed"), nullptr);
  EXPECT_EQ(run_with_failures(48, 1).found("requests_failed").severity, Severity::warning);
  EXPECT_EQ(run_with_failures(48, 2).found("requests_failed").severity, Severity::invalid);
  EXPECT_EQ(run_with_failures(300, 3).found("requests_failed").severity, Severity::warning);
  EXPECT_EQ(run_with_failures(300, 4).found("requests_failed").severity, Severity::invalid);
  EXPECT_EQ(run_with_failures(300, 4).found("requests_failed").value, 4);
}

TEST(JudgeRequests, TheMostFrequentFailureIsNamedInTheServersWords) {
  auto run = run_with_failures(10, 3);
  run.traces.requests[0].status = "error:connect";
  run.traces.requests[1].error_detail = "no answer in 600 s";
  run.traces.requests[2].error_detail = "no answer in 600 s";
  EXPECT_EQ(run.found("requests_failed").text,
            "3 of 10 requests failed, most with error:timeout (no answer in 600 s).");
}

TEST(JudgeRequests, AnnouncedAsTooLongIsNoFailure) {
  auto run = run_with_failures(10, 4);
  for (int i = 0; i < 4; ++i) run.traces.requests[static_cast<std::size_t>(i)].input_len = 9000;
  EXPECT_NE(run.reason("requests_failed"), nullptr);
  EXPECT_EQ(run.reason("too_long_for_context"), nullptr);
  run.manifest.too_long_for_context = {{9000, 50, 4}};
  EXPECT_EQ(run.reason("requests_failed"), nullptr);
  const auto* reason = run.reason("too_long_for_context");
  ASSERT_NE(reason, nullptr);
  EXPECT_EQ(reason->severity, Severity::warning);
  EXPECT_EQ(reason->value, 4);
  EXPECT_EQ(reason->text,
            "4 requests of up to 9050 tokens are longer than the server's context of 2048.");
}

TEST(JudgeRequests, WhatAnInterruptionCancelledIsNotCountedTwice) {
  auto run = run_with_failures(10, 4);
  for (auto& each : run.traces.requests) {
    if (!each.ok()) each.status = "error:cancelled";
  }
  EXPECT_NE(run.reason("requests_failed"), nullptr);
  run.manifest.interrupted = true;
  EXPECT_EQ(run.reason("requests_failed"), nullptr);
}

TEST(JudgeRequests, PromptTokensOffTarget) {
  auto run = healthy_run();
  run.traces.requests[0].prompt_tokens = 1300;
  run.traces.requests[1].prompt_tokens = 900;  // 1.10 on average
  EXPECT_EQ(run.reason("prompt_tokens_off_target"), nullptr);
  run.traces.requests[1].prompt_tokens = 910;
  const auto* reason = run.reason("prompt_tokens_off_target");
  ASSERT_NE(reason, nullptr);
  EXPECT_DOUBLE_EQ(*reason->value, 1.105);
  EXPECT_NE(reason->advice.find("--calibrate yes"), std::string::npos);
}

TEST(JudgeRequests, LengthsThatCancelOutAreOffTargetAllTheSame) {
  auto run = healthy_run();
  run.traces.requests[0].prompt_tokens = 1200;
  run.traces.requests[1].input_len = 2000;
  run.traces.requests[1].prompt_tokens = 1500;
  EXPECT_DOUBLE_EQ(*run.found("prompt_tokens_off_target").value, 0.75);
}

TEST(JudgeRequests, CompletionTokensOffTarget) {
  auto run = healthy_run();
  run.traces.requests[0].completion_tokens = 45;
  run.traces.requests[1].completion_tokens = 45;
  EXPECT_EQ(run.reason("completion_tokens_off_target"), nullptr);
  run.traces.requests[1].completion_tokens = 44;
  EXPECT_DOUBLE_EQ(*run.found("completion_tokens_off_target").value, 0.89);
}

TEST(JudgeRequests, AnswersThatWereCutAreNotOffTarget) {
  auto run = healthy_run();
  run.traces.requests[0].status = "error:stream_error";
  run.traces.requests[0].completion_tokens = 3;
  EXPECT_EQ(run.reason("completion_tokens_off_target"), nullptr);
}

TEST(JudgeRequests, TokensThatWereNotToldAreNotJudged) {
  auto run = healthy_run();
  for (auto& each : run.traces.requests) {
    each.prompt_tokens.reset();
    each.completion_tokens.reset();
  }
  EXPECT_EQ(run.reason("prompt_tokens_off_target"), nullptr);
  EXPECT_EQ(run.reason("completion_tokens_off_target"), nullptr);
}

/// Two `high` requests of 1000 tokens, of which 900 are shared, and their hits.
SampleRun run_with_hits(Tokens first, Tokens second) {
  auto run = healthy_run();
  for (auto& each : run.traces.requests) each.prefix_mode = PrefixMode::high;
  run.traces.requests[0].cached_tokens = first;
  run.traces.requests[1].cached_tokens = second;
  return run;
}

TEST(JudgeRequests, PrefixCacheWarmWhenTheFirstSharerHits) {
  EXPECT_EQ(run_with_hits(0, 896).reason("prefix_cache_warm"), nullptr);
  EXPECT_EQ(run_with_hits(128, 896).reason("prefix_cache_warm"), nullptr);  // a chat template
  auto warm = run_with_hits(896, 896);
  ASSERT_NE(warm.reason("prefix_cache_warm"), nullptr);
  EXPECT_EQ(warm.found("prefix_cache_warm").value, 896 - 128);
  EXPECT_EQ(warm.found("prefix_cache_warm").severity, Severity::warning);
}

TEST(JudgeRequests, PromptsOfAnotherLengthAreNoSharers) {
  auto run = run_with_hits(0, 896);
  run.traces.requests[0].input_len = 500;
  run.traces.requests[0].prompt_tokens = 500;
  EXPECT_EQ(run.found("prefix_cache_warm").value, 896 - 128);
}

TEST(JudgeRequests, PrefixCacheWarmWhenALowPromptHits) {
  auto run = run_with_hits(0, 992);
  EXPECT_EQ(run.reason("prefix_cache_warm"), nullptr);  // 0.9 * 1000 + 128 = 1028
  run.traces.requests[1].prefix_mode = PrefixMode::low;
  EXPECT_EQ(run.found("prefix_cache_warm").value, 992 - 128);
}

TEST(JudgeRequests, PrefixCacheIsNotJudgedWhereItCannotBe) {
  auto custom = run_with_hits(896, 896);
  custom.manifest.options["workload"] = "mine.jsonl";
  EXPECT_EQ(custom.reason("prefix_cache_warm"), nullptr);
  auto resent = run_with_hits(896, 896);
  resent.traces.runner->repeats = 1;
  EXPECT_EQ(resent.reason("prefix_cache_warm"), nullptr);
  auto silent = run_with_hits(0, 0);
  for (auto& each : silent.traces.requests) each.cached_tokens.reset();
  EXPECT_EQ(silent.reason("prefix_cache_warm"), nullptr);
}

TEST(JudgeRequests, ALongChatTemplateIsAllowedFor) {
  auto run = run_with_hits(600, 896);
  for (auto& each : run.traces.requests) each.prompt_tokens = 1500;  // 500 of them the template
  EXPECT_EQ(run.reason("prefix_cache_warm"), nullptr);
}

}  // namespace
}  // namespace memprof::analysis
