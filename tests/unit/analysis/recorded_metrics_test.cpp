#include "formats/json.hpp"
#include "files/document.hpp"
#include "sample_run.hpp"

#include "formats/text.hpp"

#include <gtest/gtest.h>

#include <cmath>

/// A burst of 48 × (64 + 512) tokens on 191 usable blocks of 32, as a vLLM 0.32 server's /metrics
/// told it: 81 preemptions, the first 17 of them counted seconds late.
namespace memprof::analysis {
namespace {

using testing::row;
using testing::SampleRun;

Timestamp from_unix(double seconds) {
  return Timestamp(std::chrono::microseconds(std::llround(seconds * 1e6)));
}

std::optional<std::int64_t> sample(const boost::json::array& lines, std::string_view name) {
  for (const auto& line : lines) {
    const std::string_view text = line.get_string();
    if (!text.starts_with(name) || text[name.size()] != '{') continue;
    return std::llround(std::stod(std::string(text.substr(text.rfind(' ') + 1))));
  }
  return {};
}

double usage(const boost::json::array& lines) {
  for (const auto& line : lines) {
    const std::string_view text = line.get_string();
    if (text.starts_with("vllm:kv_cache_usage_perc{")) {
      return std::stod(std::string(text.substr(text.rfind(' ') + 1)));
    }
  }
  return -1;
}

SampleRun recorded_burst() {
  SampleRun run;
  EngineSeries& series = run.traces.engines["0"];
  series.kv_tokens_total = 6144;
  const auto text =
      files::read_document(MEMPROF_TEST_DATA "/metrics/series_preemption_burst.jsonl").value();
  std::optional<Timestamp> busy_from;
  Timestamp busy_to{};
  for (const auto line : formats::split(text, '\n')) {
    if (line.empty()) continue;
    const auto scrape = boost::json::parse(line);
    const auto& lines = scrape.at("lines").as_array();
    EngineReading& reading = series.readings.emplace_back();
    reading.timestamp = from_unix(scrape.at("recv_ts").to_number<double>());
    reading.asked = from_unix(scrape.at("send_ts").to_number<double>());
    reading.usage_pct = 100 * usage(lines);
    reading.tokens_used = std::llround(usage(lines) * 191) * 32;
    reading.running = sample(lines, "vllm:num_requests_running");
    reading.waiting = sample(lines, "vllm:num_requests_waiting");
    reading.counters = {sample(lines, "vllm:num_preemptions_total"),
                        sample(lines, "vllm:prefix_cache_queries_total"),
                        sample(lines, "vllm:prefix_cache_hits_total"),
                        sample(lines, "vllm:prompt_tokens_total"),
                        sample(lines, "vllm:generation_tokens_total")};
    ++run.traces.engine_rows;
    if (*reading.running == 0) continue;
    if (!busy_from) busy_from = series.readings[series.readings.size() - 2].timestamp;
    busy_to = reading.timestamp;
  }
  for (int i = 0; i < 48; ++i) {
    auto made = row("r" + std::to_string(i), 48, 0, 0);
    made.start_ts = *busy_from + std::chrono::milliseconds(5);
    made.end_ts = busy_to + std::chrono::milliseconds(100);
    made.input_len = 64;
    made.prompt_tokens = 64;
    made.output_len = 512;
    made.completion_tokens = 512;
    run.traces.requests.push_back(made);
  }
  run.traces.runner = RunnerAccount{};
  auto& account = run.traces.server_sampler.emplace();
  auto& engine = account.engines.emplace_back();
  engine.block_size = 32;
  engine.prefix_caching = true;
  return run;
}

TEST(RecordedMetrics, ThePreemptionBurst) {
  const auto run = recorded_burst();
  const auto summary = run.summary();
  ASSERT_TRUE(summary.server_metrics.has_value());
  const auto& metrics = *summary.server_metrics;
  EXPECT_EQ(metrics.rows, 41);
  EXPECT_EQ(metrics.kv.preemptions, 81);
  EXPECT_EQ(metrics.prompt_tokens, 48 * 64);
  EXPECT_EQ(metrics.generation_tokens, 48 * 512);
  EXPECT_EQ(metrics.kv.usage_peak_pct, 100);
  EXPECT_EQ(metrics.kv.tokens_peak, 191 * 32);
  EXPECT_EQ(metrics.kv.waiting_peak, 38);
  EXPECT_EQ(metrics.kv.prefix_hits, 0);
  EXPECT_EQ(summary.by_concurrency.at(48).kv.preemptions, 81);
  // 575 tokens are 18 blocks.
  const auto& demand = summary.by_concurrency.at(48).kv_demand;
  EXPECT_EQ(demand.predicted_tokens, 48 * 18 * 32);
  EXPECT_NEAR(*demand.predicted_pct, 452.4, 0.1);
  EXPECT_EQ(demand.residual_tokens, (191 - 48 * 18) * 32);

  EXPECT_EQ(summary.verdict.pressure, "preemption");
  EXPECT_TRUE(summary.verdict.valid);
  // Never twice in a row were fewer blocks free than the 2 of a prompt: that is no queueing.
  ASSERT_EQ(summary.symptoms.size(), 1u);
  EXPECT_EQ(summary.symptoms[0].value, 81);
  EXPECT_EQ(summary.symptoms[0].first_concurrency, 48);
  EXPECT_EQ(metrics.resets, 0);
}

TEST(RecordedMetrics, TheSamePreemptionsWhereNobodyElsesRequestsAre) {
  auto run = recorded_burst();
  run.traces.requests.pop_back();  // 47 of ours, 48 on the server
  const auto* reason = run.reason("other_traffic");
  ASSERT_NE(reason, nullptr);
  EXPECT_EQ(reason->value, 1);
  run = recorded_burst();
  EXPECT_EQ(run.reason("other_traffic"), nullptr);
  EXPECT_EQ(run.reason("metrics_not_of_this_server"), nullptr);
  EXPECT_EQ(run.reason("counter_reset"), nullptr);
}

TEST(RecordedMetrics, BeforeTheServerCountsThemThereIsNothingToTell) {
  auto run = recorded_burst();
  auto& readings = run.traces.engines["0"].readings;
  while (readings.back().counters.preemptions_total != 76) readings.pop_back();
  const auto summary = run.summary();
  EXPECT_EQ(summary.server_metrics->kv.preemptions, std::nullopt);  // not all had ended
  EXPECT_EQ(summary.server_metrics->kv.waiting_peak, 38);
}

}  // namespace
}  // namespace memprof::analysis
