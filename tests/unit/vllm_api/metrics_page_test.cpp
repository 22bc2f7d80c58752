#include "vllm_api/metrics_page.hpp"

#include "recorded.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>
#include <string>
#include <vector>

namespace memprof::vllm_api {
namespace {

CacheConfig recorded_config() {
  CacheConfig config;
  config.block_size = 32;
  config.num_gpu_blocks = 192;
  config.num_gpu_blocks_override = 192;
  config.user_specified_block_size = true;
  config.max_model_len = 4096;
  config.kv_cache_memory_bytes = std::int64_t{1} << 30;
  return config;
}

MetricsPage tiny_page() { return {"tiny", recorded_config(), 1795489901.28, 1795489956.5}; }

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

/// What a simulator says of a recorded page: without the process's own, HTTP's, and estimates.
std::vector<std::string> expected_lines(const std::string& name) {
  std::vector<std::string> lines;
  for (const auto& line : lines_of(recorded_at("metrics/" + name).body)) {
    const bool kept = line.find("vllm:") != std::string::npos ||
                      line.find("process_start_time_seconds") != std::string::npos;
    if (kept && line.find("vllm:estimated_") == std::string::npos) lines.push_back(line);
  }
  return lines;
}

/// Without the value of a sample.
std::string series(const std::string& line) {
  return line.starts_with('#') ? line : line.substr(0, line.rfind(' '));
}

TEST(MetricsPage, AFreshOneIsAsVllmWritesIt) {
  const auto got = lines_of(tiny_page().render({}));
  const auto expected = expected_lines("metrics_idle_fresh");
  ASSERT_EQ(got.size(), expected.size());
  for (std::size_t i = 0; i < got.size(); ++i) {
    if (got[i].find("_created") == std::string::npos) {
      EXPECT_EQ(got[i], expected[i]);
    } else {
      EXPECT_EQ(series(got[i]), series(expected[i]));
    }
  }
}

TEST(MetricsPage, SaysWhenItWasMade) {
  const auto page = tiny_page().render({});
  EXPECT_NE(page.find("process_start_time_seconds 1.79548990128e+09\n"), std::string::npos);
  EXPECT_NE(page.find("vllm:num_preemptions_created{engine=\"0\",model_name=\"tiny\"} "
                      "1.7954899565e+09\n"),
            std::string::npos);
}

/// The line's value; `start` is its whole series.
std::string value_of(const std::string& page, const std::string& start) {
  for (const auto& line : lines_of(page)) {
    if (series(line) == start) return line.substr(start.size() + 1);
  }
  return "none";
}
std::string plain(const std::string& page, const std::string& name) {
  return value_of(page, name + R"({engine="0",model_name="tiny"})");
}

TEST(MetricsPage, HasTheEnginesCounters) {
  simulator::EngineCounters counters;
  counters.requests_running = 3;
  counters.requests_waiting = 5;
  counters.kv_cache_usage = 48.0 / 191;
  counters.prefix_cache_queries = 36011;
  counters.prefix_cache_hits = 11392;
  counters.preemptions = 157;
  counters.prompt_tokens = 36012;
  counters.prompt_tokens_cached = 11393;
  counters.generation_tokens = 2084681;
  const auto page = tiny_page().render(counters);
  EXPECT_EQ(plain(page, "vllm:num_requests_running"), "3.0");
  EXPECT_EQ(plain(page, "vllm:num_requests_waiting"), "5.0");
  EXPECT_EQ(plain(page, "vllm:kv_cache_usage_perc"), "0.2513089005235602");
  EXPECT_EQ(plain(page, "vllm:prefix_cache_queries_total"), "36011.0");
  EXPECT_EQ(plain(page, "vllm:prefix_cache_hits_total"), "11392.0");
  EXPECT_EQ(plain(page, "vllm:num_preemptions_total"), "157.0");
  EXPECT_EQ(plain(page, "vllm:prompt_tokens_total"), "36012.0");
  EXPECT_EQ(plain(page, "vllm:prompt_tokens_cached_total"), "11393.0");
  EXPECT_EQ(plain(page, "vllm:generation_tokens_total"), "2.084681e+06");
  const auto labelled = [&](const std::string& name, const std::string& label) {
    return value_of(page, name + R"({engine="0",model_name="tiny",)" + label + "}");
  };
  EXPECT_EQ(labelled("vllm:num_requests_waiting_by_reason", R"(reason="capacity")"), "5.0");
  EXPECT_EQ(labelled("vllm:prompt_tokens_by_source_total", R"(source="local_compute")"),
            "24619.0");
  EXPECT_EQ(labelled("vllm:prompt_tokens_by_source_total", R"(source="local_cache_hit")"),
            "11393.0");
  EXPECT_EQ(labelled("vllm:prompt_tokens_cached_by_source_total", R"(source="device")"),
            "11392.0");
}

TEST(MetricsPage, HasTheHistogramsOfARequest) {
  auto page = tiny_page();
  simulator::FinishedRequest request;
  request.prompt_tokens = 200;
  request.cached_tokens = 192;
  request.generation_tokens = 5;
  request.max_tokens = 8;
  request.preemptions = 2;
  request.arrived = 10;
  request.first_scheduled = 10.5;
  request.first_token = 12.5;
  request.last_token = 14.5;
  request.stopped = true;
  page.observe_finished(request);
  page.observe_answered(1, 5);
  const auto text = page.render({});
  const std::vector<std::pair<std::string, std::string>> sums{
      {"request_prompt_tokens", "200.0"},
      {"request_generation_tokens", "5.0"},
      {"request_max_num_generation_tokens", "5.0"},
      {"request_params_n", "1.0"},
      {"request_params_max_tokens", "8.0"},
      {"request_time_per_output_token_seconds", "0.5"},
      {"e2e_request_latency_seconds", "4.5"},
      {"request_queue_time_seconds", "0.5"},
      {"request_inference_time_seconds", "4.0"},
      {"request_prefill_time_seconds", "2.0"},
      {"request_decode_time_seconds", "2.0"},
      {"request_num_preemptions", "2.0"},
      {"request_prefill_kv_computed_tokens", "8.0"}};
  for (const auto& [name, sum] : sums) {
    EXPECT_EQ(plain(text, "vllm:" + name + "_sum"), sum) << name;
    EXPECT_EQ(plain(text, "vllm:" + name + "_count"), "1.0") << name;
  }
  const std::string success = R"(vllm:request_success_total{engine="0",finished_reason=")";
  EXPECT_EQ(value_of(text, success + R"(stop",model_name="tiny"})"), "1.0");
  EXPECT_EQ(value_of(text, success + R"(length",model_name="tiny"})"), "0.0");
}

TEST(MetricsPage, BucketsHoldAllUpToTheirBound) {
  auto page = tiny_page();
  page.observe_step(8);
  page.observe_step(9);
  page.observe_step(100000);
  page.observe_first_token(0.02);
  page.observe_inter_token(0.3, 10);
  const auto text = page.render({});
  const auto bucket = [&](const std::string& name, const std::string& bound) {
    return value_of(text, "vllm:" + name + R"(_bucket{engine="0",le=")" + bound +
                              R"(",model_name="tiny"})");
  };
  EXPECT_EQ(bucket("iteration_tokens_total", "1.0"), "0.0");
  EXPECT_EQ(bucket("iteration_tokens_total", "8.0"), "1.0");
  EXPECT_EQ(bucket("iteration_tokens_total", "16.0"), "2.0");
  EXPECT_EQ(bucket("iteration_tokens_total", "16384.0"), "2.0");
  EXPECT_EQ(bucket("iteration_tokens_total", "+Inf"), "3.0");
  EXPECT_EQ(bucket("time_to_first_token_seconds", "0.01"), "0.0");
  EXPECT_EQ(bucket("time_to_first_token_seconds", "0.02"), "1.0");
  EXPECT_EQ(bucket("inter_token_latency_seconds", "0.3"), "10.0");
  EXPECT_EQ(plain(text, "vllm:inter_token_latency_seconds_sum"), "3.0");
}

TEST(MetricsPage, BucketsOfTokensEndWithTheContext) {
  CacheConfig config;
  config.max_model_len = 5000;
  const auto text = MetricsPage("m", config, 0, 0).render({});
  EXPECT_NE(text.find(R"(vllm:request_params_max_tokens_bucket{engine="0",le="5000.0",)"),
            std::string::npos);
  EXPECT_EQ(text.find(R"(le="10000.0")"), std::string::npos);
}

TEST(MetricsPage, CountsWhatWasTurnedAway) {
  auto page = tiny_page();
  page.count_rejection();
  const auto text = page.render({});
  EXPECT_EQ(value_of(text, R"(vllm:admission_rejections_total{model_name="tiny",)"
                           R"(reason="max_num_queued_reqs"})"),
            "1.0");
  EXPECT_EQ(value_of(text, R"(vllm:admission_rejections_total{model_name="tiny",)"
                           R"(reason="max_num_queued_tokens"})"),
            "0.0");
}

TEST(MetricsPage, AFilterGivesOnlyTheNamesAsked) {
  const std::vector<std::string> names{"vllm:num_requests_running", "vllm:num_preemptions_total",
                                       "vllm:kv_cache_usage_perc", "vllm:num_requests_waiting"};
  auto got = lines_of(tiny_page().render({}, names));
  auto expected = lines_of(recorded_at("metrics/metrics_filter_slash").body);
  std::sort(got.begin(), got.end());  // vLLM's order is by chance
  std::sort(expected.begin(), expected.end());
  EXPECT_EQ(got, expected);

  const std::vector<std::string> wrong{"vllm:num_preemptions"};
  EXPECT_EQ(tiny_page().render({}, wrong), "");
  EXPECT_EQ(tiny_page().render({}, {}), "");
  const std::vector<std::string> part{"vllm:request_params_n_sum"};
  EXPECT_EQ(lines_of(tiny_page().render({}, part)).size(), 3u);
}

TEST(MetricsPage, EscapesLabels) {
  const MetricsPage page("we\"ird\\lla\n", recorded_config(), 0, 0);
  const std::vector<std::string> names{"vllm:num_requests_running"};
  EXPECT_NE(page.render({}, names).find(R"(model_name="we\"ird\\lla\n"} 0.0)"), std::string::npos);
}

TEST(MetricsPage, ConfigSaysWhatItKnows) {
  CacheConfig config;
  config.num_gpu_blocks = 1000;
  config.max_model_len = 1001;
  config.enable_prefix_caching = false;
  config.gpu_memory_utilization = 0.5;
  const std::vector<std::string> names{"vllm:cache_config_info"};
  const auto text = MetricsPage("m", config, 0, 0).render({}, names);
  for (const auto label : {R"(,block_size="16",)", R"(enable_prefix_caching="False")",
                           R"(gpu_memory_utilization="0.5")", R"(kv_cache_size_tokens="16000")",
                           R"(kv_cache_memory_bytes="None")", R"(num_gpu_blocks="1000")",
                           R"(num_gpu_blocks_override="None")",
                           R"(user_specified_block_size="False")",
                           R"(kv_cache_max_concurrency="15.873015873015873")"}) {
    EXPECT_NE(text.find(label), std::string::npos) << label;
  }
}

}  // namespace
}  // namespace memprof::vllm_api
