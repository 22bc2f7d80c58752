#pragma once

#include "analysis/run_traces.hpp"

#include <boost/describe.hpp>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace memprof::analysis {

/// A request with what memory did while it ran. Server metrics are those of all requests that ran
/// at the time: the cache is one.
struct JoinedRow {
  std::string req_id;
  Tokens input_len = 0;
  Tokens output_len = 0;
  std::int64_t concurrency_group = 0;
  std::optional<PrefixMode> prefix_mode;
  std::optional<std::int64_t> rep;
  std::string status;
  std::optional<Timestamp> start_ts;
  std::optional<Timestamp> first_token_ts;
  std::optional<Timestamp> end_ts;
  std::optional<Tokens> prompt_tokens;
  std::optional<Tokens> completion_tokens;
  std::optional<Tokens> cached_tokens;
  std::optional<std::int64_t> in_flight_at_start;
  std::optional<Percent> kv_usage_start_pct;  ///< last scrape by start_ts, at most 10 s old
  std::optional<Percent> kv_usage_peak_pct;   ///< scrapes from start_ts to end_ts
  std::optional<Percent> kv_usage_end_pct;    ///< last scrape by end_ts, at most 10 s old
  std::optional<std::int64_t> requests_waiting_peak;
  std::optional<std::int64_t> preemptions;  ///< last scrape by start_ts to first from end_ts on
  std::optional<MiB> gpu_peak_mib;          ///< of the GPU that had most in use
};
BOOST_DESCRIBE_STRUCT(JoinedRow, (),
                      (req_id, input_len, output_len, concurrency_group, prefix_mode, rep, status,
                       start_ts, first_token_ts, end_ts, prompt_tokens, completion_tokens,
                       cached_tokens, in_flight_at_start, kv_usage_start_pct, kv_usage_peak_pct,
                       kv_usage_end_pct, requests_waiting_peak, preemptions, gpu_peak_mib))

/// Calls `on_row` for each request, in the order of the trace.
void join(const RunTraces& traces, const std::function<void(const JoinedRow&)>& on_row);

}  // namespace memprof::analysis
