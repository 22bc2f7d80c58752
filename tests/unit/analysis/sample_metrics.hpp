#pragma once

#include "sample_run.hpp"

#include <cstdint>
#include <optional>
#include <string>

/// Scrapes of a server of 100 usable blocks of 16 tokens.
namespace memprof::analysis::testing {

struct Scraped {
  double time = 0;
  std::int64_t blocks = 0;  ///< in use, of 100
  std::int64_t running = 0;
  std::int64_t waiting = 0;
  std::int64_t preemptions = 0;
  std::int64_t queries = 0;
  std::int64_t hits = 0;
  std::int64_t prompt = 0;
  std::int64_t generated = 0;
};

inline constexpr std::int64_t kBlock = 16;
inline constexpr std::int64_t kKvTokens = 101 * kBlock;  // the null block included

inline void scrape(SampleRun& run, const Scraped& seen, const std::string& engine = "0") {
  EngineSeries& series = run.traces.engines[engine];
  series.kv_tokens_total = kKvTokens;
  EngineReading& reading = series.readings.emplace_back();
  reading.timestamp = at(seen.time);
  reading.asked = at(seen.time - 0.005);
  reading.usage_pct = static_cast<double>(seen.blocks);
  reading.tokens_used = seen.blocks * kBlock;
  reading.running = seen.running;
  reading.waiting = seen.waiting;
  reading.counters = {seen.preemptions, seen.queries, seen.hits, seen.prompt, seen.generated};
  ++run.traces.engine_rows;
}

/// The sampler's account of the engines that were scraped.
inline void describe_engines(SampleRun& run, std::optional<bool> prefix_caching = true) {
  ServerMetricsAccount& account = run.traces.server_sampler.emplace();
  for (const auto& [name, series] : run.traces.engines) {
    ServerEngine& engine = account.engines.emplace_back();
    engine.engine = name;
    engine.kv_tokens_total = series.kv_tokens_total;
    engine.block_size = kBlock;
    engine.prefix_caching = prefix_caching;
    engine.prefix_cache_unit = "tokens";
    engine.cache_config = {{"block_size", "16"}, {"num_gpu_blocks_override", "None"}};
  }
}

/// Two requests at level 2 (10–20 s, 12–22 s) of 640 + 50 tokens: 44 blocks each at their end. The
/// server's counters grow by exactly what they use; nothing to complain of.
inline SampleRun measured_run() {
  auto run = healthy_run();
  for (auto& row : run.traces.requests) {
    row.input_len = 640;
    row.prompt_tokens = 640;
  }
  scrape(run, {9, 0, 0, 0, 7, 500, 100, 500, 90});
  scrape(run, {11, 41, 1, 0, 7, 1140, 100, 1140, 95});
  scrape(run, {15, 84, 2, 0, 7, 1780, 100, 1780, 140});
  scrape(run, {19, 86, 2, 0, 7, 1780, 100, 1780, 180});
  scrape(run, {23, 0, 0, 0, 7, 1780, 100, 1780, 190});
  describe_engines(run);
  run.manifest.files.server_metrics_trace = "server_metrics_trace.csv";
  return run;
}

}  // namespace memprof::analysis::testing
