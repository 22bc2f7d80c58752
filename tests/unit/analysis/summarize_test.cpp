#include "analysis/summarize.hpp"

#include "formats/json.hpp"
#include "sample_run.hpp"

#include <gtest/gtest.h>

namespace memprof::analysis {
namespace {

using testing::at;
using testing::healthy_run;
using testing::row;
using testing::SampleRun;

TEST(Summarize, NumbersOfASmallRun) {
  auto run = healthy_run();
  run.traces.requests.push_back(row("c", 8, 30, 34));
  run.traces.requests.back().status = "error:timeout";
  run.traces.requests.back().completion_tokens.reset();
  run.traces.requests[1].completion_tokens = 41;
  run.traces.requests[1].prompt_tokens = 1100;
  run.traces.workload_requests = 5;
  const auto summary = run.summary();

  EXPECT_EQ(summary.total_requests, 3);
  EXPECT_EQ(summary.ok_requests, 2);
  EXPECT_EQ(summary.error_requests, 1);
  EXPECT_EQ(summary.gpu_samples, 4);
  EXPECT_EQ(summary.requests_without_row, 2);

  const auto& two = summary.by_concurrency.at(2);
  EXPECT_EQ(two.n_requests, 2);
  EXPECT_EQ(two.n_ok, 2);
  EXPECT_DOUBLE_EQ(*two.avg_completion_tokens, 45.5);
  EXPECT_EQ(two.max_in_flight, 2);
  EXPECT_DOUBLE_EQ(*two.mean_in_flight, 20.0 / 12);
  EXPECT_DOUBLE_EQ(*two.prompt_tokens_per_input_len, 1.05);
  EXPECT_DOUBLE_EQ(*two.duration_s, 12);
  ASSERT_EQ(two.gpus.size(), 1u);
  EXPECT_EQ(two.gpus[0].peak_mib, 500);
  EXPECT_EQ(two.gpus[0].samples, 2);
  EXPECT_EQ(two.gpus[0].delta_mib, 395);

  const auto& eight = summary.by_concurrency.at(8);
  EXPECT_EQ(eight.n_ok, 0);
  EXPECT_EQ(eight.avg_completion_tokens, std::nullopt);
  EXPECT_EQ(eight.gpus[0].peak_mib, std::nullopt);

  ASSERT_EQ(summary.gpus.size(), 1u);
  const auto& gpu = summary.gpus[0];
  EXPECT_EQ(gpu.baseline_mib, 105);  // of 100 and 110
  EXPECT_EQ(gpu.peak_mib, 500);
  EXPECT_EQ(gpu.mean_mib, 277.5);
  EXPECT_EQ(gpu.p95_mib, 500);
  EXPECT_EQ(gpu.delta_mib, 395);
  EXPECT_EQ(gpu.total_mib, 1000);
  EXPECT_EQ(gpu.peak_pct, 50);

  ASSERT_EQ(summary.errors.size(), 1u);
  EXPECT_EQ(summary.errors[0].req_id, "c");
  EXPECT_EQ(summary.errors[0].status, "error:timeout");
  EXPECT_EQ(summary.load.first_start_ts, at(10));
  EXPECT_DOUBLE_EQ(*summary.load.duration_s, 24);
  EXPECT_DOUBLE_EQ(*summary.load.mean_in_flight, 1);  // 10 + 10 + 4 s in 24 s
  EXPECT_EQ(summary.load.prompt_tokens, 3100);
  EXPECT_EQ(summary.load.completion_tokens, 91);
}

TEST(Summarize, ConditionsAreTheGridsCells) {
  auto run = healthy_run();
  run.traces.requests[1].prefix_mode = PrefixMode::high;
  run.traces.requests.push_back(row("c", 2, 15, 18));
  const auto summary = run.summary();
  ASSERT_EQ(summary.conditions.size(), 2u);
  EXPECT_EQ(summary.conditions[0].prefix_mode, PrefixMode::low);
  EXPECT_EQ(summary.conditions[0].n_requests, 2);
  EXPECT_EQ(summary.conditions[0].max_in_flight, 2);
  EXPECT_EQ(summary.conditions[1].prefix_mode, PrefixMode::high);
  EXPECT_EQ(summary.conditions[1].max_in_flight, 1);
  EXPECT_EQ(summary.by_concurrency.at(2).max_in_flight, 3);
}

TEST(Summarize, EveryKeyIsThereAndWhatWasNotMeasuredIsNull) {
  const auto json = formats::to_json(SampleRun{}.summary()).as_object();
  std::string keys;
  for (const auto& [key, value] : json) keys += std::string(key) + " ";
  EXPECT_EQ(keys,
            "total_requests ok_requests error_requests gpu_samples by_concurrency errors "
            "schema_version simulated gpus memory_breakdown conditions server load verdict "
            "requests_without_row error_kinds problems server_metrics symptoms ");
  EXPECT_TRUE(json.at("memory_breakdown").is_null());
  EXPECT_TRUE(json.at("requests_without_row").is_null());
  EXPECT_TRUE(json.at("load").as_object().at("max_in_flight").is_null());
  EXPECT_TRUE(json.at("verdict").as_object().at("pressure").is_null());
}

TEST(Summarize, LevelsComeInNumericOrder) {
  SampleRun run;
  for (const std::int64_t level : {64, 8, 128, 16}) {
    run.traces.requests.push_back(row("r" + std::to_string(level), level, 0, 1));
  }
  const auto json = formats::to_json(run.summary());
  std::string keys;
  for (const auto& [key, value] : json.at("by_concurrency").as_object()) {
    keys += std::string(key) + " ";
  }
  EXPECT_EQ(keys, "8 16 64 128 ");
  const auto back = formats::from_json<Summary>(json);
  ASSERT_TRUE(back.has_value());
  EXPECT_EQ(formats::to_json(*back), json);
}

TEST(Summarize, ALevelThatIsNoNumberIsRefused) {
  const auto read = formats::from_json<Summary>(
      boost::json::parse(R"({"by_concurrency": {"8": {}, "many": {}}})"));
  ASSERT_TRUE(read.has_error());
  EXPECT_EQ(read.error().message, "by_concurrency.many: must be a whole number as key");
}

TEST(Summarize, NamesTheFirstTwentyErrorsAndCountsKinds) {
  SampleRun run;
  for (int i = 0; i < 30; ++i) {
    auto failed = row("r" + std::to_string(i), 1, i, i + 0.5);
    failed.status = i < 5 ? "error:connect" : "error:http_400";
    failed.error_detail = i == 7 ? "second" : i == 5 ? "" : "first";
    run.traces.requests.push_back(failed);
  }
  const auto summary = run.summary();
  EXPECT_EQ(summary.errors.size(), 20u);
  EXPECT_EQ(summary.errors[19].req_id, "r19");
  ASSERT_EQ(summary.error_kinds.size(), 2u);
  EXPECT_EQ(summary.error_kinds[0].status, "error:http_400");
  EXPECT_EQ(summary.error_kinds[0].n_requests, 25);
  EXPECT_EQ(summary.error_kinds[0].error_detail, "first");
}

TEST(Summarize, AGpuWithoutAFigureIsListedWithNulls) {
  SampleRun run;
  run.manifest.gpus.push_back({3, "Card", {}, {}, {}, 900, {}});
  run.traces.gpus[3].rows = 5;
  run.traces.gpu_rows = 5;
  const auto summary = run.summary();
  ASSERT_EQ(summary.gpus.size(), 1u);
  EXPECT_EQ(summary.gpus[0].gpu_idx, 3);
  EXPECT_EQ(summary.gpus[0].name, "Card");
  EXPECT_EQ(summary.gpus[0].total_mib, 900);
  EXPECT_EQ(summary.gpus[0].samples, 0);
  EXPECT_EQ(summary.gpus[0].peak_mib, std::nullopt);
  EXPECT_EQ(summary.gpus[0].mean_mib, std::nullopt);
}

TEST(Summarize, AWorkloadOfEndlesslyManyConditionsIsNotListedOneByOne) {
  SampleRun run;
  for (int i = 0; i < 1001; ++i) {
    run.traces.requests.push_back(row("r" + std::to_string(i), 1, i, i + 0.5));
    run.traces.requests.back().input_len = 100 + i;
  }
  const auto summary = run.summary();
  EXPECT_TRUE(summary.conditions.empty());
  ASSERT_EQ(summary.problems.size(), 1u);
  EXPECT_NE(summary.problems[0].find("1001 different conditions"), std::string::npos);
}

}  // namespace
}  // namespace memprof::analysis
