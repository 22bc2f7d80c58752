#include "sample_metrics.hpp"

#include <gtest/gtest.h>

namespace memprof::analysis {
namespace {

using testing::at;
using testing::describe_engines;
using testing::healthy_run;
using testing::measured_run;
using testing::row;
using testing::SampleRun;
using testing::scrape;

std::vector<EngineReading>& readings(SampleRun& run) { return run.traces.engines["0"].readings; }

std::string codes(const SampleRun& run) {
  std::string text;
  for (const auto& reason : run.summary().verdict.reasons) text += reason.code + " ";
  return text;
}

TEST(JudgeServer, AMeasuredRunWithoutPressure) {
  const auto run = measured_run();
  const auto summary = run.summary();
  EXPECT_EQ(codes(run), "");
  EXPECT_TRUE(summary.verdict.valid);
  EXPECT_EQ(summary.verdict.pressure, "none");
  EXPECT_TRUE(summary.symptoms.empty());
  ASSERT_TRUE(summary.server_metrics.has_value());
  const auto& metrics = *summary.server_metrics;
  EXPECT_EQ(metrics.rows, 5);
  EXPECT_EQ(metrics.engines, 1);
  EXPECT_EQ(metrics.block_size, 16);
  EXPECT_EQ(metrics.kv_tokens_total, 101 * 16);
  EXPECT_EQ(metrics.kv.usage_peak_pct, 86);
  EXPECT_EQ(metrics.kv.tokens_peak, 86 * 16);
  EXPECT_EQ(metrics.kv.preemptions, 0);
  EXPECT_EQ(metrics.kv.prefix_queries, 1280);
  EXPECT_EQ(metrics.prompt_tokens, 1280);
  EXPECT_EQ(metrics.generation_tokens, 100);
  // 640 + 50 − 1 tokens are 44 blocks; 88 of 100 for the two.
  const auto& demand = summary.by_concurrency.at(2).kv_demand;
  EXPECT_EQ(demand.predicted_tokens, 88 * 16);
  EXPECT_EQ(demand.predicted_pct, 88);
  EXPECT_EQ(demand.residual_tokens, -2 * 16);
  EXPECT_EQ(summary.conditions[0].kv.usage_peak_pct, 86);
  EXPECT_EQ(summary.by_concurrency.at(2).kv.preemptions, 0);
  EXPECT_TRUE(summary.server.cache_config.has_value());
}

TEST(JudgeServer, NoServerMetrics) {
  auto run = healthy_run();
  EXPECT_NE(run.reason("no_server_metrics"), nullptr);
  EXPECT_EQ(run.summary().verdict.pressure, std::nullopt);
  run.manifest.files.server_metrics_trace = "server_metrics_trace.csv";
  EXPECT_NE(run.found("no_server_metrics").text.find("no scrape had any"), std::string::npos);
  auto measured = measured_run();
  EXPECT_EQ(measured.reason("no_server_metrics"), nullptr);
}

TEST(JudgeServer, CounterReset) {
  auto run = measured_run();
  EXPECT_EQ(run.reason("counter_reset"), nullptr);
  readings(run)[3].counters.generation_tokens_total = 4;
  readings(run)[4].counters.generation_tokens_total = 8;
  EXPECT_EQ(codes(run), "counter_reset ");
  EXPECT_EQ(run.found("counter_reset").severity, Severity::invalid);
  auto restarted = measured_run();
  restarted.traces.server_sampler->restarts = 2;
  EXPECT_EQ(restarted.found("counter_reset").value, 2);
}

TEST(JudgeServer, MetricsNotOfThisServer) {
  auto run = measured_run();
  readings(run)[4].counters.prompt_tokens_total = 1779;
  readings(run)[3].counters.prompt_tokens_total = 1779;
  readings(run)[2].counters.prompt_tokens_total = 1779;
  EXPECT_EQ(codes(run), "metrics_not_of_this_server ");
  EXPECT_EQ(run.found("metrics_not_of_this_server").value, -1);
}

TEST(JudgeServer, TotalsAreNotJudgedBeforeAllHasEnded) {
  auto run = measured_run();
  readings(run).pop_back();  // the last scrape is at 19 s, the last answer at 22
  EXPECT_EQ(run.reason("metrics_not_of_this_server"), nullptr);
  EXPECT_EQ(run.summary().server_metrics->kv.preemptions, std::nullopt);
  auto late = measured_run();
  readings(late).erase(readings(late).begin());
  EXPECT_EQ(late.reason("metrics_not_of_this_server"), nullptr);
}

TEST(JudgeServer, OtherTrafficByTokens) {
  auto run = measured_run();
  readings(run)[4].counters.generation_tokens_total = 191;
  EXPECT_EQ(codes(run), "other_traffic ");
  EXPECT_EQ(run.found("other_traffic").value, 1);
  run.traces.runner->repeats = 1;  // a request that was sent twice may count twice
  EXPECT_EQ(run.reason("other_traffic"), nullptr);
  run.traces.runner->repeats = 0;
  run.traces.requests[1].completion_tokens.reset();  // nor can it be told without usage
  EXPECT_EQ(run.reason("other_traffic"), nullptr);
}

TEST(JudgeServer, OtherTrafficByRequests) {
  auto run = measured_run();
  readings(run)[2].running = 3;
  EXPECT_EQ(run.reason("other_traffic"), nullptr);  // one scrape alone
  readings(run)[3].waiting = 4;
  ASSERT_NE(run.reason("other_traffic"), nullptr);
  EXPECT_EQ(run.found("other_traffic").value, 1);  // one beyond ours in the first, four in the next
}

TEST(JudgeServer, RequestsThatJustEndedAreStillOurs) {
  auto run = measured_run();
  scrape(run, {22.4, 10, 1, 0, 7, 1780, 100, 1780, 190});
  scrape(run, {22.9, 10, 1, 0, 7, 1780, 100, 1780, 190});
  auto& all = readings(run);
  std::rotate(all.begin() + 4, all.begin() + 5, all.end());
  EXPECT_EQ(run.reason("other_traffic"), nullptr);
  all[4].timestamp = at(23.1);
  all[5].timestamp = at(23.2);
  all[6].timestamp = at(23.3);
  EXPECT_NE(run.reason("other_traffic"), nullptr);
}

TEST(JudgeServer, Preemption) {
  auto run = measured_run();
  readings(run)[4].counters.preemptions_total = 10;  // counted after the last answer
  EXPECT_EQ(run.summary().verdict.pressure, "preemption");
  ASSERT_EQ(run.summary().symptoms.size(), 1u);
  EXPECT_EQ(run.summary().symptoms[0].name, "preemption");
  EXPECT_EQ(run.summary().symptoms[0].value, 3);
  EXPECT_EQ(run.summary().symptoms[0].first_concurrency, 2);
  EXPECT_EQ(run.summary().by_concurrency.at(2).kv.preemptions, 3);
  EXPECT_TRUE(run.summary().verdict.valid);
}

TEST(JudgeServer, QueueingIsWaitingWithoutRoomForTheSmallestPrompt) {
  auto run = measured_run();  // the smallest prompt needs 40 blocks
  readings(run)[2].tokens_used = 61 * 16;
  readings(run)[3].tokens_used = 61 * 16;
  readings(run)[2].waiting = 1;
  readings(run)[2].running = 1;
  EXPECT_EQ(run.summary().verdict.pressure, "none");  // one scrape alone
  readings(run)[3].waiting = 1;
  readings(run)[3].running = 1;
  EXPECT_EQ(run.summary().verdict.pressure, "queueing");
  EXPECT_EQ(run.summary().symptoms[0].first_concurrency, 2);
  EXPECT_EQ(run.summary().symptoms[0].value, 1);
  EXPECT_EQ(run.reason("scheduler_limit"), nullptr);
  readings(run)[3].tokens_used = 60 * 16;
  EXPECT_EQ(run.summary().verdict.pressure, "none");
}

TEST(JudgeServer, APrefixThatIsSharedTakesNoRoomAgain) {
  auto run = measured_run();
  for (auto& each : run.traces.requests) each.prefix_mode = PrefixMode::high;  // 4 blocks beyond 36
  for (const std::size_t i : {2u, 3u}) {
    readings(run)[i].waiting = readings(run)[i].running = 1;
    readings(run)[i].tokens_used = 96 * 16;
  }
  EXPECT_EQ(run.summary().verdict.pressure, "none");
  for (const std::size_t i : {2u, 3u}) readings(run)[i].tokens_used = 97 * 16;
  EXPECT_EQ(run.summary().verdict.pressure, "queueing");
}

TEST(JudgeServer, WithoutACapacityWaitingIsNotJudged) {
  auto run = measured_run();
  run.traces.engines["0"].kv_tokens_total.reset();
  for (const std::size_t i : {2u, 3u}) readings(run)[i].waiting = readings(run)[i].running = 1;
  EXPECT_EQ(run.summary().verdict.pressure, std::nullopt);
}

TEST(JudgeServer, SchedulerLimit) {
  auto run = measured_run();  // a whole request is 44 blocks
  for (const std::size_t i : {2u, 3u}) {
    readings(run)[i].waiting = readings(run)[i].running = 1;
    readings(run)[i].tokens_used = 57 * 16;
  }
  EXPECT_EQ(run.reason("scheduler_limit"), nullptr);
  for (const std::size_t i : {2u, 3u}) readings(run)[i].tokens_used = 56 * 16;
  ASSERT_NE(run.reason("scheduler_limit"), nullptr);
  EXPECT_EQ(run.found("scheduler_limit").severity, Severity::note);
  EXPECT_EQ(run.summary().verdict.pressure, "none");
}

TEST(JudgeServer, TwoScrapesWithinHalfATickAreOneLook) {
  auto run = measured_run();
  run.traces.server_sampler->ticks.interval_ms = 4000;
  for (const std::size_t i : {2u, 3u}) {
    readings(run)[i].waiting = readings(run)[i].running = 1;
    readings(run)[i].tokens_used = 56 * 16;
  }
  EXPECT_NE(run.reason("scheduler_limit"), nullptr);  // 4 s apart
  readings(run)[2].timestamp = at(17.5);
  EXPECT_EQ(run.reason("scheduler_limit"), nullptr);
}

TEST(JudgeServer, PrefixCachingOff) {
  auto run = measured_run();
  EXPECT_EQ(run.reason("prefix_caching_off"), nullptr);
  describe_engines(run, false);
  EXPECT_EQ(run.found("prefix_caching_off").severity, Severity::note);
  describe_engines(run, std::nullopt);
  EXPECT_EQ(run.reason("prefix_caching_off"), nullptr);
  for (auto& reading : readings(run)) reading.counters.prefix_cache_queries_total = 0;
  EXPECT_NE(run.reason("prefix_caching_off"), nullptr);
}

/// The second request starts after the first one's end and should hit 36 blocks of its prefix.
SampleRun sharing_run(std::optional<Tokens> cached) {
  auto run = measured_run();
  run.traces.requests = {row("a", 1, 10, 15), row("b", 1, 16, 22)};
  for (auto& each : run.traces.requests) {
    each.input_len = 640;
    each.prompt_tokens = 640;
    each.prefix_mode = PrefixMode::high;
    each.cached_tokens = cached;
  }
  readings(run)[2].running = readings(run)[3].running = 1;
  readings(run)[2].usage_pct = 90;
  return run;
}

TEST(JudgeServer, CacheEviction) {
  EXPECT_EQ(sharing_run(36 * 16).summary().verdict.pressure, "none");
  EXPECT_EQ(sharing_run(33 * 16).summary().verdict.pressure, "none");  // 91.7 %
  const auto summary = sharing_run(32 * 16).summary();
  EXPECT_EQ(summary.verdict.pressure, "cache_eviction");
  ASSERT_EQ(summary.symptoms.size(), 1u);
  EXPECT_DOUBLE_EQ(summary.symptoms[0].value, 32.0 / 36);
  EXPECT_EQ(summary.symptoms[0].first_concurrency, 1);
}

TEST(JudgeServer, CacheEvictionByTheServersCounter) {
  EXPECT_EQ(sharing_run({}).summary().verdict.pressure, "cache_eviction");
  auto run = sharing_run({});
  readings(run)[4].counters.prefix_cache_hits_total = 100 + 36 * 16;
  EXPECT_EQ(run.summary().verdict.pressure, "none");
  run.traces.server_sampler->engines[0].prefix_cache_unit = "blocks";
  readings(run)[4].counters.prefix_cache_hits_total = 100 + 36;
  EXPECT_EQ(run.summary().verdict.pressure, "none");
}

TEST(JudgeServer, MissingHitsAloneAreNoEviction) {
  auto roomy = sharing_run(0);
  readings(roomy)[2].usage_pct = 89;
  EXPECT_EQ(roomy.summary().verdict.pressure, "none");
  auto off = sharing_run(0);
  describe_engines(off, false);
  EXPECT_EQ(off.summary().verdict.pressure, "none");
  auto at_once = sharing_run(0);
  at_once.traces.requests[1].start_ts = at(14);  // before the first one's prefix was there
  EXPECT_EQ(at_once.summary().verdict.pressure, "none");
  at_once.traces.requests[0].first_token_ts = at(13);
  EXPECT_EQ(at_once.summary().verdict.pressure, "cache_eviction");
  auto own = sharing_run(0);
  own.manifest.options["workload"] = "mine.jsonl";
  EXPECT_EQ(own.summary().verdict.pressure, "none");
  auto salted = sharing_run(0);
  salted.traces.requests[1].concurrency_group = 2;
  EXPECT_EQ(salted.summary().verdict.pressure, "cache_eviction");
  salted.manifest.options["cache_salt"] = "per-group";
  EXPECT_EQ(salted.summary().verdict.pressure, "none");
}

TEST(JudgeServer, TheWorstEngineDecidesAndTheWorstSymptomIsNamedFirst) {
  auto run = measured_run();
  for (auto reading : readings(run)) {
    if (reading.running.value_or(0) > 0) {
      reading.tokens_used = 99 * 16;
      reading.usage_pct = 99;
      reading.running = 0;
      reading.waiting = 1;
    }
    run.traces.engines["1"].readings.push_back(reading);
  }
  run.traces.engines["1"].kv_tokens_total = testing::kKvTokens;
  for (auto& reading : readings(run)) reading.running = 0;
  describe_engines(run);
  EXPECT_EQ(run.summary().verdict.pressure, "queueing");
  run.traces.engines["1"].readings.back().counters.preemptions_total = 9;
  const auto summary = run.summary();
  EXPECT_EQ(summary.verdict.pressure, "preemption");
  ASSERT_EQ(summary.symptoms.size(), 2u);
  EXPECT_EQ(summary.symptoms[0].value, 2);
  EXPECT_EQ(summary.symptoms[1].name, "queueing");
  EXPECT_EQ(summary.server_metrics->kv.usage_peak_pct, 99);
  EXPECT_EQ(summary.server_metrics->kv_tokens_total, 2 * testing::kKvTokens);
}

TEST(JudgeServer, ASymptomBeginsAtTheFirstLevelThatShowsIt) {
  auto run = measured_run();
  for (int i = 0; i < 3; ++i) {
    auto added = row("x" + std::to_string(i), 3, 30, 40);
    added.input_len = 640;
    added.prompt_tokens = 640;
    run.traces.requests.push_back(added);
  }
  scrape(run, {29, 0, 0, 0, 7, 1780, 100, 1780, 190});
  scrape(run, {33, 99, 2, 1, 7, 3700, 100, 3700, 250});
  scrape(run, {34, 99, 2, 1, 7, 3700, 100, 3700, 260});
  scrape(run, {41, 0, 0, 0, 12, 3700, 100, 3700, 340});
  const auto summary = run.summary();
  ASSERT_EQ(summary.symptoms.size(), 2u);
  EXPECT_EQ(summary.symptoms[0].first_concurrency, 3);
  EXPECT_EQ(summary.symptoms[1].first_concurrency, 3);
  EXPECT_EQ(summary.by_concurrency.at(2).kv.preemptions, 0);
  EXPECT_EQ(summary.by_concurrency.at(3).kv.preemptions, 5);
  EXPECT_EQ(summary.by_concurrency.at(2).kv.usage_peak_pct, 86);
  EXPECT_EQ(summary.by_concurrency.at(3).kv.usage_peak_pct, 99);
}

TEST(JudgeServer, MissedScrapesAreSaid) {
  auto run = measured_run();
  run.traces.server_sampler->ticks.due = 100;
  run.traces.server_sampler->ticks.missed = 1;
  EXPECT_EQ(run.reason("ticks_missed"), nullptr);
  run.traces.server_sampler->ticks.missed = 2;
  EXPECT_EQ(run.found("ticks_missed").value, 0.02);
}

}  // namespace
}  // namespace memprof::analysis
