#include "analysis/kv_demand.hpp"

#include "sample_run.hpp"

#include <gtest/gtest.h>

namespace memprof::analysis {
namespace {

using testing::row;

RequestTraceRow request(Tokens prompt, Tokens completion, PrefixMode mode) {
  auto made = row("r", 4, 0, 1);
  made.input_len = prompt;
  made.prompt_tokens = prompt;
  made.completion_tokens = completion;
  made.prefix_mode = mode;
  return made;
}

std::vector<const RequestTraceRow*> pointers(const std::vector<RequestTraceRow>& rows) {
  std::vector<const RequestTraceRow*> list;
  for (const auto& each : rows) list.push_back(&each);
  return list;
}

TEST(KvDemand, IsTheBlocksOfAsManyAsWereInFlight) {
  // 100 + 29 − 1 = 128 tokens: exactly 8 blocks of 16; one token more takes a ninth.
  const std::vector<RequestTraceRow> rows(4, request(100, 29, PrefixMode::low));
  KvWindow window;
  window.tokens_peak = 480;
  const auto demand = kv_demand(pointers(rows), 3, {17 * 16, 16, 1}, 0.9, window);
  EXPECT_EQ(demand.predicted_tokens, 3 * 8 * 16);
  EXPECT_EQ(demand.measured_tokens, 480);
  EXPECT_EQ(demand.residual_tokens, 96);
  EXPECT_EQ(demand.predicted_pct, 150);  // of 16 usable blocks
  const std::vector<RequestTraceRow> longer(4, request(100, 30, PrefixMode::low));
  EXPECT_EQ(kv_demand(pointers(longer), 3, {{}, 16, 1}, 0.9, {}).predicted_tokens, 3 * 9 * 16);
}

TEST(KvDemand, ASharedPrefixCountsOncePerEngine) {
  // 90 of 100 tokens are shared: 5 whole blocks of 16.
  const std::vector<RequestTraceRow> rows(4, request(100, 29, PrefixMode::high));
  EXPECT_EQ(kv_demand(pointers(rows), 4, {{}, 16, 1}, 0.9, {}).predicted_tokens,
            (5 + 4 * 3) * 16);
  EXPECT_EQ(kv_demand(pointers(rows), 4, {{}, 16, 2}, 0.9, {}).predicted_tokens,
            (2 * 5 + 4 * 3) * 16);
}

TEST(KvDemand, TakesTheLargestOfDifferentRequests) {
  const std::vector<RequestTraceRow> rows{request(16, 1, PrefixMode::low),
                                          request(160, 1, PrefixMode::low),
                                          request(32, 1, PrefixMode::low)};
  EXPECT_EQ(kv_demand(pointers(rows), 2, {{}, 16, 1}, 0.9, {}).predicted_tokens, (10 + 2) * 16);
}

TEST(KvDemand, WithoutABlockSizeNothingIsPredicted) {
  const std::vector<RequestTraceRow> rows(1, request(16, 1, PrefixMode::low));
  EXPECT_EQ(kv_demand(pointers(rows), 1, {}, 0.9, {}).predicted_tokens, std::nullopt);
}

TEST(KvDemand, WhatWasRefusedHeldNothing) {
  std::vector<RequestTraceRow> rows(2, request(16, 1, PrefixMode::low));
  rows[0].status = "error:http_400";
  rows[1].start_ts.reset();
  EXPECT_EQ(kv_demand(pointers(rows), 2, {{}, 16, 1}, 0.9, {}).predicted_tokens, std::nullopt);
}

}  // namespace
}  // namespace memprof::analysis
