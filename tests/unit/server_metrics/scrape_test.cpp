#include "server_metrics/scrape.hpp"

#include "recorded.hpp"

#include <fmt/format.h>

#include <string>
#include <vector>

namespace memprof::server_metrics {
namespace {

using enum Quantity;

/// `engine: usage running waiting preemptions queries hits prompt generation`; `-`: not told.
std::string text_of(const Scrape& scrape) {
  std::string text;
  for (const auto& engine : scrape.engines) {
    text += fmt::format("{}{}:", text.empty() ? "" : "; ", engine.engine);
    for (const auto quantity :
         {kv_usage, requests_running, requests_waiting, preemptions, prefix_cache_queries,
          prefix_cache_hits, prompt_tokens, generation_tokens}) {
      const auto value = engine.value(quantity);
      text += value ? fmt::format(" {:.4g}", *value) : " -";
    }
  }
  return text;
}

std::string all(std::string_view body) { return text_of(read_scrape(body)); }

struct Recording {
  const char* name;
  const char* expected;  // read off the recordings by eye
};

constexpr Recording kRecordings[] = {
    {"metrics_idle_fresh", "0: 0 0 0 0 0 0 0 0"},
    {"metrics_under_load_preempted_not_counted",
     "0: 0.9424 10 38 76 3.601e+04 1.139e+04 3.601e+04 7.142e+04"},
    {"metrics_under_load_preempting", "0: 0.9791 20 5 132 3.601e+04 1.139e+04 3.601e+04 7.651e+04"},
    {"metrics_after_preemption_idle", "0: 0 0 0 157 3.601e+04 1.139e+04 3.601e+04 8.468e+04"},
    {"metrics_before_mass_cancel", "0: 0.9948 10 30 157 3.857e+04 1.139e+04 3.857e+04 9.565e+04"},
    {"metrics_mass_cancel_0", "0: 0 0 4 157 3.857e+04 1.139e+04 3.857e+04 9.707e+04"},
    {"metrics_mass_cancel_300ms", "0: 0 0 0 157 3.857e+04 1.139e+04 3.857e+04 9.707e+04"},
    {"metrics_after_prefix_hits", "0: 0 0 0 157 5.134e+04 2.266e+04 5.134e+04 9.726e+04"},
    {"metrics_kv_residency_mfu", "0: 0 0 0 58 4655 192 4655 2.808e+04"},
    {"metrics_noprefix_under_load", "0: 0.8796 24 0 0 0 0 1957 3774"},
    {"metrics_noprefix_idle", "0: 0 0 0 14 0 0 1957 1.231e+04"},
    {"metrics_overload_reqs", "0: 0.08377 4 0 0 256 0 256 245"},
    {"metrics_overload_tokens", "0: 0 0 0 0 1800 0 1800 8"},
    {"metrics_dp2_idle", "0: - - - 0 0 0 0 0; 1: - - - 0 0 0 0 0"},
    {"metrics_dp2_under_load_1",
     "0: 0.9424 15 2 0 1088 0 1088 5008; 1: 0.9424 15 0 0 960 0 960 4478"},
    {"metrics_dp2_after", "0: 0 0 0 5 1088 0 1088 6800; 1: 0 0 0 3 960 0 960 6000"},
    {"metrics_dp2_one_api_idle", "0: 0 0 0 0 0 0 0 0; 1: 0 0 0 0 0 0 0 0"},
    {"metrics_dp2_one_api_under_load_2",
     "0: 0.9424 15 1 0 1024 0 1024 4822; 1: 0.9791 16 0 0 1024 0 1024 4645"},
    {"metrics_dp2_one_api_after", "0: 0 0 0 4 1024 0 1024 6400; 1: 0 0 0 4 1024 0 1024 6400"},
    {"metrics_filter_slash", "0: 0 0 0 0 - - - -"},
    {"metrics_filter_slash_nomatch", ""},
    {"metrics_log_stats_disabled", ""},
    {"metrics_gzip_slash", ""},
    {"metrics_openmetrics_slash", ""},  // its names are others: vllm_num_requests_running
};

TEST(Scrape, ReadsEveryRecordedAnswer) {
  for (const auto& [name, expected] : kRecordings) {
    EXPECT_EQ(text_of(recorded(name)), expected) << name;
  }
}

TEST(Scrape, AnySplitOfEveryRecordedBodyGivesTheSame) {
  for (const auto& [name, expected] : kRecordings) {
    const auto body = recorded_body(name);
    for (const std::size_t piece : {1u, 3u, 4'096u, 32'768u}) {
      const auto scrape = read_scrape(body, piece);
      ASSERT_EQ(text_of(scrape), expected) << name << ' ' << piece;
      ASSERT_TRUE(covers(scrape, read_scrape(body))) << name << ' ' << piece;
    }
  }
}

TEST(Scrape, ReadsTheCacheConfigurationOfEachEngine) {
  const auto scrape = recorded("metrics_dp2_one_api_after");
  ASSERT_EQ(scrape.engines.size(), 2u);
  for (const auto& engine : scrape.engines) {
    EXPECT_EQ(engine.cache_config.at("kv_cache_size_tokens"), "6144");
    EXPECT_EQ(engine.cache_config.at("num_gpu_blocks"), "384");
    EXPECT_EQ(engine.cache_config.at("sliding_window"), "None");
    EXPECT_FALSE(engine.cache_config.contains("engine"));
  }
  EXPECT_EQ(scrape.process_start_s, 1.79549173215e+09);
  EXPECT_EQ(recorded("metrics_dp2_after").process_start_s, std::nullopt);
}

TEST(Scrape, KnowsV0WhichNamesNoEngine) {
  const auto scrape = read_scrape(
      "vllm:cache_config_info{block_size=\"16\",num_gpu_blocks=\"100\"} 1.0\n"
      "vllm:num_requests_running{model_name=\"m\"} 2.0\n"
      "vllm:num_requests_swapped{model_name=\"m\"} 1.0\n"
      "vllm:num_requests_waiting{model_name=\"m\"} 3.0\n"
      "vllm:gpu_cache_usage_perc{model_name=\"m\"} 0.5\n"
      "vllm:cpu_cache_usage_perc{model_name=\"m\"} 0.1\n"
      "vllm:gpu_prefix_cache_hit_rate{model_name=\"m\"} -1.0\n"
      "vllm:num_preemptions_total{model_name=\"m\"} 7.0\n"
      "vllm:prompt_tokens_total{model_name=\"m\"} 100.0\n"
      "vllm:generation_tokens_total{model_name=\"m\"} 20.0\n");
  EXPECT_EQ(text_of(scrape), "0: 0.5 2 3 7 - - 100 20");
  EXPECT_FALSE(scrape.engines[0].labelled);
  EXPECT_EQ(scrape.engines[0].value(prefix_hit_rate), -1.0);
  EXPECT_EQ(scrape.engines[0].cache_config.at("block_size"), "16");
}

TEST(Scrape, PrefersTheNewerNameInAnyOrderAndNeverAddsTheTwo) {
  const std::string older = "vllm:gpu_cache_usage_perc{engine=\"0\"} 0.4\n"
                            "vllm:gpu_prefix_cache_queries_total{engine=\"0\"} 5\n"
                            "vllm:gpu_prefix_cache_hits_total{engine=\"0\"} 4\n";
  const std::string newer = "vllm:kv_cache_usage_perc{engine=\"0\"} 0.5\n"
                            "vllm:prefix_cache_queries_total{engine=\"0\"} 80\n"
                            "vllm:prefix_cache_hits_total{engine=\"0\"} 64\n";
  EXPECT_EQ(all(older), "0: 0.4 - - - 5 4 - -");
  EXPECT_EQ(all(older + newer), "0: 0.5 - - - 80 64 - -");
  EXPECT_EQ(all(newer + older), "0: 0.5 - - - 80 64 - -");
}

TEST(Scrape, TakesCountersWithoutTotalToo) {
  EXPECT_EQ(all("vllm:num_preemptions 1\nvllm:prefix_cache_queries 2\nvllm:prefix_cache_hits 3\n"
                "vllm:prompt_tokens 4\nvllm:generation_tokens 5\n"),
            "0: - - - 1 2 3 4 5");
  EXPECT_EQ(all("vllm:num_preemptions 1\nvllm:num_preemptions_total 2\n"), "0: - - - 2 - - - -");
}

TEST(Scrape, IsNotTakenInByNamesThatBeginAlike) {
  EXPECT_TRUE(read_scrape("vllm:num_preemptions_created 1\nvllm:prompt_tokens_total_x 2\n"
                          "vllm:iteration_tokens_total_sum 3\nvllm:request_prompt_tokens_sum 4\n"
                          "vllm:prompt_tokens_cached_total 5\nxvllm:prompt_tokens_total 6\n"
                          "process_start_time_seconds 7\npython_info 1\n")
                  .empty());
}

TEST(Scrape, PutsTheProcessesOfAnEngineTogether) {
  const auto scrape = read_scrape(
      "vllm:num_requests_running{engine=\"0\",pid=\"10\"} 3\n"
      "vllm:num_requests_running{engine=\"0\",pid=\"11\"} 5\n"
      "vllm:kv_cache_usage_perc{engine=\"0\",pid=\"11\"} 0.5\n"
      "vllm:kv_cache_usage_perc{engine=\"0\",pid=\"10\"} 0.75\n"
      "vllm:generation_tokens_total{engine=\"0\",pid=\"10\"} 100\n"
      "vllm:generation_tokens_total{engine=\"1\",pid=\"10\"} 7\n"
      "vllm:generation_tokens_total{engine=\"0\",pid=\"11\"} 20\n");
  EXPECT_EQ(text_of(scrape), "0: 0.75 5 - - - - - 120; 1: - - - - - - - 7");
  EXPECT_TRUE(scrape.by_process);
  EXPECT_FALSE(recorded("metrics_dp2_after").by_process);
}

TEST(Scrape, OrdersEnginesByNumber) {
  EXPECT_EQ(all("vllm:num_requests_running{engine=\"10\"} 1\n"
                "vllm:num_requests_running{engine=\"9\"} 2\n"),
            "9: - 2 - - - - - -; 10: - 1 - - - - - -");
}

TEST(Scrape, LeavesOutWhatIsNoNumber) {
  EXPECT_EQ(all("vllm:kv_cache_usage_perc{engine=\"0\"} NaN\n"
                "vllm:num_requests_running{engine=\"0\"} +Inf\n"
                "vllm:num_requests_waiting{engine=\"0\"} 1\n"),
            "0: - - 1 - - - - -");
}

TEST(Scrape, IsNotSplitByAStraySeriesWithoutAnEngine) {
  EXPECT_EQ(all("vllm:num_preemptions_total 9\nvllm:num_requests_running{engine=\"0\"} 1\n"),
            "0: - 1 - - - - - -");
}

TEST(Scrape, ReadsLabelsWithQuotesBackslashesNewlinesAndUtf8) {
  const std::string model = "model_name=\"we\\\"ird\\\\lla\\n🦙,engine=\\\"7\\\"}\"";
  EXPECT_EQ(all("vllm:num_requests_running{" + model + ",engine=\"1\"} 2\n"), "1: - 2 - - - - - -");
  const auto config = read_scrape("vllm:num_requests_running{engine=\"0\"} 1\n"
                                  "vllm:cache_config_info{engine=\"0\","
                                  "path=\"a\\\\b\\\"c\\nd🦙\"} 1\n");
  EXPECT_EQ(config.engines[0].cache_config.at("path"), "a\\b\"c\nd🦙");
}

TEST(Scrape, AFilteredAnswerIsHeldAgainstAFullOne) {
  const auto idle = recorded("metrics_idle_fresh");
  const auto busy = recorded("metrics_under_load_preempting");
  const auto after = recorded("metrics_after_preemption_idle");
  EXPECT_TRUE(continues(after, busy));
  EXPECT_FALSE(continues(busy, after));  // counters would have fallen
  EXPECT_TRUE(covers(busy, after));
  EXPECT_TRUE(continues(idle, idle));
  EXPECT_FALSE(covers(recorded("metrics_filter_slash"), idle));  // asked for too little
  EXPECT_FALSE(covers(recorded("metrics_filter_slash_nomatch"), idle));
  EXPECT_FALSE(covers(recorded("metrics_log_stats_disabled"), idle));
  EXPECT_FALSE(covers(idle, recorded("metrics_dp2_one_api_idle")));     // an engine is missing
  EXPECT_FALSE(covers(recorded("metrics_noprefix_idle"), idle));        // another configuration
  EXPECT_FALSE(continues(recorded("metrics_overload_reqs"), idle));     // another process
}

}  // namespace
}  // namespace memprof::server_metrics
