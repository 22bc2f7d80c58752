#pragma once

#include "records/account.hpp"
#include "records/units.hpp"

#include <boost/describe.hpp>
#include <boost/json.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace memprof {

/// A row of server_metrics_trace.csv: one engine in one scrape. What the server does not tell is
/// empty. Counters are the server's running totals: take differences, and look out for resets.
struct ServerMetricsRow {
  Timestamp timestamp;  ///< when the answer had come back
  std::string engine;   ///< `0` where the server's series name no engine
  std::optional<Percent> kv_cache_usage_pct;  ///< of blocks; cached but unreferenced ones are free
  std::optional<Tokens> kv_tokens_used;       ///< in whole blocks
  std::optional<Tokens> kv_tokens_total;
  std::optional<std::int64_t> requests_running;
  std::optional<std::int64_t> requests_waiting;  ///< preempted requests included
  std::optional<std::int64_t> preemptions_total;
  std::optional<std::int64_t> prefix_cache_queries_total;  ///< tokens; ServerEngine tells if blocks
  std::optional<std::int64_t> prefix_cache_hits_total;
  std::optional<std::int64_t> prompt_tokens_total;  ///< cached ones included
  std::optional<std::int64_t> generation_tokens_total;
  std::optional<Milliseconds> scrape_ms;  ///< the question was sent this long before `timestamp`
};
BOOST_DESCRIBE_STRUCT(ServerMetricsRow, (),
                      (timestamp, engine, kv_cache_usage_pct, kv_tokens_used, kv_tokens_total,
                       requests_running, requests_waiting, preemptions_total,
                       prefix_cache_queries_total, prefix_cache_hits_total, prompt_tokens_total,
                       generation_tokens_total, scrape_ms))

/// An engine's counters at one moment.
struct CounterTotals {
  std::optional<std::int64_t> preemptions_total;
  std::optional<std::int64_t> prefix_cache_queries_total;
  std::optional<std::int64_t> prefix_cache_hits_total;
  std::optional<std::int64_t> prompt_tokens_total;
  std::optional<std::int64_t> generation_tokens_total;
};
BOOST_DESCRIBE_STRUCT(CounterTotals, (),
                      (preemptions_total, prefix_cache_queries_total, prefix_cache_hits_total,
                       prompt_tokens_total, generation_tokens_total))

/// An engine as its server describes it.
struct ServerEngine {
  std::string engine;
  std::optional<Tokens> kv_tokens_total;  ///< the null block included
  std::optional<std::int64_t> block_size;  ///< tokens
  std::optional<std::int64_t> num_gpu_blocks;  ///< as told: some versions tell all engines' sum
  std::optional<bool> prefix_caching;
  /// What its prefix cache counters count: `tokens`; `blocks` (vLLM 0.8); `rate` (V0: only a hit
  /// rate, so the columns are empty); none where it cannot be told or there are none.
  std::optional<std::string> prefix_cache_unit;
  boost::json::object cache_config;  ///< labels of vllm:cache_config_info; text, `None` included
  CounterTotals first;
  CounterTotals last;
  std::int64_t resets = 0;  ///< scrapes in which one of its counters had fallen
};
BOOST_DESCRIBE_STRUCT(ServerEngine, (),
                      (engine, kv_tokens_total, block_size, num_gpu_blocks, prefix_caching,
                       prefix_cache_unit, cache_config, first, last, resets))

/// `server_metrics_sampler --stats-out`.
struct ServerMetricsAccount {
  ProcessAccount process;
  TickAccount ticks;  ///< the last scrape, after the end was asked for, is no tick
  std::string url;
  bool filtered = false;  ///< the server sent only the series asked for, to the end
  std::vector<ServerEngine> engines;
  std::int64_t restarts = 0;  ///< its start time changed, or counters fell
  std::int64_t scrapes = 0;   ///< that gave rows
  std::map<std::string, std::int64_t> failed_scrapes;  ///< by reason: timeout, connect, http_404 …
  std::int64_t broken_lines = 0;  ///< of answers that gave rows
  std::optional<Milliseconds> largest_scrape_ms;
};
BOOST_DESCRIBE_STRUCT(ServerMetricsAccount, (),
                      (process, ticks, url, filtered, engines, restarts, scrapes, failed_scrapes,
                       broken_lines, largest_scrape_ms))

}  // namespace memprof
