#include "server_metrics/history.hpp"

#include "formats/csv.hpp"
#include "recorded.hpp"

#include <fmt/format.h>

namespace memprof::server_metrics {
namespace {

const Timestamp kTime{std::chrono::microseconds{1'795'490'590'123'456}};

std::string csv(std::span<const ServerMetricsRow> rows) {
  std::string text;
  for (const auto& row : rows) formats::append_csv_row(text, row);
  return text;
}

std::string counters(int preemptions, int prompt, double start = 100) {
  return fmt::format("process_start_time_seconds {}\n"
                     "vllm:num_preemptions_total{{engine=\"0\"}} {}\n"
                     "vllm:prompt_tokens_total{{engine=\"0\"}} {}\n",
                     start, preemptions, prompt);
}

ServerMetricsAccount account_of(const History& history) {
  ServerMetricsAccount account;
  history.fill(account);
  return account;
}

TEST(History, TheColumnsAreTheContracts) {
  EXPECT_EQ(formats::csv_header<ServerMetricsRow>(),
            "timestamp,engine,kv_cache_usage_pct,kv_tokens_used,kv_tokens_total,requests_running,"
            "requests_waiting,preemptions_total,prefix_cache_queries_total,prefix_cache_hits_total,"
            "prompt_tokens_total,generation_tokens_total,scrape_ms\n");
}

TEST(History, GivesARowPerEngineOfARecordedScrape) {
  History history;
  EXPECT_EQ(csv(history.take(recorded("metrics_dp2_one_api_under_load_2"), kTime, 755.1)),
            "2026-11-24T03:23:10.123456+00:00,0,94.240838,5760,6144,15,1,0,1024,0,1024,4822,755.1\n"
            "2026-11-24T03:23:10.123456+00:00,1,97.905759,5984,6144,16,0,0,1024,0,1024,4645,755.1\n");
  EXPECT_FALSE(history.just_restarted());
}

TEST(History, LeavesEmptyWhatIsNotTold) {
  History history;
  EXPECT_EQ(csv(history.take(read_scrape("vllm:gpu_cache_usage_perc 0.5\n"
                                         "vllm:num_requests_waiting NaN\n"
                                         "vllm:num_preemptions_total -3\n"),
                             kTime, 1)),
            "2026-11-24T03:23:10.123456+00:00,0,50,,,,,,,,,,1\n");
  EXPECT_EQ(csv(history.take(read_scrape("vllm:gpu_cache_usage_perc 1.5\n"), kTime, 1)),
            "2026-11-24T03:23:10.123456+00:00,0,,,,,,,,,,,1\n");
}

TEST(History, KeepsACapacityThatIsNotToldAgain) {
  History history;
  history.take(recorded("metrics_idle_fresh"), kTime, 1);
  const auto rows = history.take(recorded("metrics_filter_slash"), kTime, 1);
  EXPECT_EQ(rows[0].kv_tokens_total, 6144);
  EXPECT_EQ(account_of(history).engines[0].cache_config.at("block_size"), "32");
}

TEST(History, SeesCountersThatFall) {
  History history;
  history.take(read_scrape(counters(5, 100)), kTime, 1);
  history.take(read_scrape(counters(5, 100)), kTime, 1);
  EXPECT_FALSE(history.just_restarted());
  history.take(read_scrape(counters(5, 99)), kTime, 1);
  EXPECT_TRUE(history.just_restarted());
  history.take(read_scrape(counters(6, 100)), kTime, 1);
  EXPECT_FALSE(history.just_restarted());
  history.take(read_scrape(counters(0, 0, 200)), kTime, 1);  // both signs of one restart
  EXPECT_TRUE(history.just_restarted());
  const auto account = account_of(history);
  EXPECT_EQ(account.restarts, 2);
  EXPECT_EQ(account.engines[0].resets, 2);
}

TEST(History, SeesAnotherProcessThoughNothingFell) {
  History history;
  history.take(read_scrape(counters(0, 0, 100)), kTime, 1);
  history.take(read_scrape(counters(3, 9, 200)), kTime, 1);
  EXPECT_TRUE(history.just_restarted());
  EXPECT_EQ(account_of(history).restarts, 1);
  EXPECT_EQ(account_of(history).engines[0].resets, 0);
}

TEST(History, KeepsFirstAndLastTotalsThroughGaps) {
  History history;
  history.take(read_scrape("vllm:prompt_tokens_total 10\n"), kTime, 3);
  history.take(read_scrape("vllm:prompt_tokens_total 30\nvllm:num_preemptions_total 2\n"), kTime,
               9);
  history.take(read_scrape("vllm:num_preemptions_total 5\n<broken\n"), kTime, 4);
  const auto account = account_of(history);
  EXPECT_EQ(account.engines[0].first.prompt_tokens_total, 10);
  EXPECT_EQ(account.engines[0].last.prompt_tokens_total, 30);
  EXPECT_EQ(account.engines[0].first.preemptions_total, 2);
  EXPECT_EQ(account.engines[0].last.preemptions_total, 5);
  EXPECT_EQ(account.engines[0].last.generation_tokens_total, std::nullopt);
  EXPECT_EQ(account.scrapes, 3);
  EXPECT_EQ(account.broken_lines, 1);
  EXPECT_EQ(account.largest_scrape_ms, 9);
}

std::optional<std::string> unit_of(std::string_view text) {
  History history;
  history.take(read_scrape(text), kTime, 1);
  return account_of(history).engines[0].prefix_cache_unit;
}

TEST(History, TellsWhatPrefixCacheCountersCount) {
  EXPECT_EQ(unit_of("vllm:prefix_cache_queries_total 0\n"), "tokens");
  const std::string older = "vllm:gpu_prefix_cache_queries_total{engine=\"0\"} ";
  const std::string prompts = "\nvllm:prompt_tokens_total{engine=\"0\"} 1600\n";
  EXPECT_EQ(unit_of(older + "1600" + prompts), "tokens");
  EXPECT_EQ(unit_of(older + "100" + prompts), "blocks");
  EXPECT_EQ(unit_of(older + "0" + prompts), std::nullopt);
  EXPECT_EQ(unit_of("vllm:gpu_prefix_cache_hit_rate 0.5\n"), "rate");
  EXPECT_EQ(unit_of("vllm:prompt_tokens_total 1\n"), std::nullopt);
}

}  // namespace
}  // namespace memprof::server_metrics
