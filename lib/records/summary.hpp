#pragma once

#include "records/manifest.hpp"
#include "records/units.hpp"
#include "records/workload.hpp"

#include <boost/describe.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace memprof {

/// Memory of one GPU over the run. Statistics are over the readings that have a figure.
struct GpuSummary {
  std::int64_t gpu_idx = 0;
  std::optional<std::string> name;
  std::int64_t samples = 0;  ///< rows with a memory figure
  std::optional<MiB> total_mib;
  std::optional<double> baseline_mib;  ///< median before the load's first request
  std::optional<MiB> peak_mib;
  std::optional<double> mean_mib;
  std::optional<MiB> p95_mib;        ///< nearest rank
  std::optional<double> delta_mib;   ///< peak − baseline
  std::optional<double> peak_pct;    ///< peak of total
};
BOOST_DESCRIBE_STRUCT(GpuSummary, (),
                      (gpu_idx, name, samples, total_mib, baseline_mib, peak_mib, mean_mib,
                       p95_mib, delta_mib, peak_pct))

/// Memory of one GPU while a part of the load ran: from its first start to its last end.
struct GpuWindow {
  std::int64_t gpu_idx = 0;
  std::int64_t samples = 0;
  std::optional<MiB> peak_mib;
  std::optional<double> mean_mib;
  std::optional<double> delta_mib;  ///< peak − the run's baseline
};
BOOST_DESCRIBE_STRUCT(GpuWindow, (), (gpu_idx, samples, peak_mib, mean_mib, delta_mib))

/// The server's own memory while a part of the load ran: the scrapes that came back from its first
/// start to its last end. Everything is none where other requests than the part's ran meanwhile.
struct KvWindow {
  std::int64_t scrapes = 0;
  std::optional<Percent> usage_mean_pct;
  std::optional<Percent> usage_peak_pct;      ///< of the fullest engine
  std::optional<Tokens> tokens_peak;          ///< in use at once, all engines together
  std::optional<std::int64_t> running_peak;   ///< all engines together
  std::optional<std::int64_t> waiting_peak;   ///< all engines together
  /// Differences of counters, to the last scrape before the next part begins: a preemption may be
  /// counted late. None when no scrape stands between the two parts.
  std::optional<std::int64_t> preemptions;
  std::optional<std::int64_t> prefix_queries;
  std::optional<std::int64_t> prefix_hits;
  std::optional<Percent> prefix_hit_pct;
};
BOOST_DESCRIBE_STRUCT(KvWindow, (),
                      (scrapes, usage_mean_pct, usage_peak_pct, tokens_peak, running_peak,
                       waiting_peak, preemptions, prefix_queries, prefix_hits, prefix_hit_pct))

/// What the requests of a part would hold in the KV cache if as many as were in flight, the largest
/// ones, were all at their last token: whole blocks, a shared prefix once per engine.
struct KvDemand {
  std::optional<Tokens> predicted_tokens;  ///< none: no block size is known
  std::optional<Percent> predicted_pct;    ///< of what requests can hold; over 100 does not fit
  std::optional<Tokens> measured_tokens;   ///< KvWindow::tokens_peak
  std::optional<Tokens> residual_tokens;   ///< measured − predicted
};
BOOST_DESCRIBE_STRUCT(KvDemand, (),
                      (predicted_tokens, predicted_pct, measured_tokens, residual_tokens))

/// A concurrency level. The first three keys are the original scripts'.
struct LevelSummary {
  std::int64_t n_requests = 0;
  std::int64_t n_ok = 0;
  std::optional<double> avg_completion_tokens;  ///< over ok rows that have a value
  std::optional<std::int64_t> max_in_flight;
  std::optional<double> mean_in_flight;  ///< time-weighted, from first start to last end
  std::optional<double> prompt_tokens_per_input_len;  ///< mean over ok rows that have a value
  std::optional<Seconds> duration_s;     ///< from first start to last end
  std::vector<GpuWindow> gpus;
  std::optional<Tokens> prompt_tokens;  ///< sums over rows that have a value
  std::optional<Tokens> completion_tokens;
  std::optional<Tokens> cached_tokens;
  KvWindow kv;
  KvDemand kv_demand;
};
BOOST_DESCRIBE_STRUCT(LevelSummary, (),
                      (n_requests, n_ok, avg_completion_tokens, max_in_flight, mean_in_flight,
                       prompt_tokens_per_input_len, duration_s, gpus, prompt_tokens,
                       completion_tokens, cached_tokens, kv, kv_demand))

/// A cell of the grid.
struct ConditionSummary {
  std::int64_t concurrency_group = 0;
  Tokens input_len = 0;
  Tokens output_len = 0;
  std::optional<PrefixMode> prefix_mode;
  std::int64_t n_requests = 0;
  std::int64_t n_ok = 0;
  std::optional<double> avg_completion_tokens;
  std::optional<std::int64_t> max_in_flight;  ///< of this condition's own requests
  std::optional<double> mean_in_flight;
  std::optional<double> prompt_tokens_per_input_len;
  std::optional<Seconds> duration_s;
  std::vector<GpuWindow> gpus;
  std::optional<Tokens> prompt_tokens;
  std::optional<Tokens> completion_tokens;
  std::optional<Tokens> cached_tokens;
  KvWindow kv;
  KvDemand kv_demand;
};
BOOST_DESCRIBE_STRUCT(ConditionSummary, (),
                      (concurrency_group, input_len, output_len, prefix_mode, n_requests, n_ok,
                       avg_completion_tokens, max_in_flight, mean_in_flight,
                       prompt_tokens_per_input_len, duration_s, gpus, prompt_tokens,
                       completion_tokens, cached_tokens, kv, kv_demand))

/// The server's own memory over the whole run, from the last scrape before the first request to the
/// last scrape of all.
struct ServerMetricsSummary {
  std::int64_t rows = 0;     ///< of the trace
  std::int64_t engines = 0;
  std::int64_t resets = 0;   ///< counters that fell, or restarts that the sampler saw
  std::optional<Tokens> kv_tokens_total;   ///< all engines together
  std::optional<std::int64_t> block_size;  ///< tokens
  std::optional<bool> prefix_caching;
  KvWindow kv;
  std::optional<Tokens> prompt_tokens;      ///< as the server counted them
  std::optional<Tokens> generation_tokens;
};
BOOST_DESCRIBE_STRUCT(ServerMetricsSummary, (),
                      (rows, engines, resets, kv_tokens_total, block_size, prefix_caching, kv,
                       prompt_tokens, generation_tokens))

/// A figure and where it is from; both none: not known.
struct MemoryPart {
  std::optional<double> mib;
  std::optional<std::string> source;
};
BOOST_DESCRIBE_STRUCT(MemoryPart, (), (mib, source))

/// Where a GPU's memory was at its peak: total = reserved + weights_and_runtime + kv_pool + free.
struct GpuBreakdown {
  std::int64_t gpu_idx = 0;
  MemoryPart total;
  MemoryPart reserved;             ///< kept by the driver
  MemoryPart weights_and_runtime;  ///< used at the peak, without the KV pool
  MemoryPart weights;              ///< of these
  MemoryPart graphs;               ///< of these: CUDA graphs
  MemoryPart kv_pool;
  MemoryPart kv_in_use;            ///< of the pool, at its peak
  MemoryPart kv_cached;            ///< of the pool: kept for later hits, held by no request
  MemoryPart free;
};
BOOST_DESCRIBE_STRUCT(GpuBreakdown, (),
                      (gpu_idx, total, reserved, weights_and_runtime, weights, graphs, kv_pool,
                       kv_in_use, kv_cached, free))

/// The KV cache in tokens, all engines together, and each GPU's memory.
struct MemoryBreakdown {
  std::optional<Tokens> kv_tokens_total;
  std::optional<std::string> kv_tokens_source;
  std::optional<Tokens> kv_tokens_in_use;  ///< at the peak
  std::optional<double> kv_bytes_per_token;  ///< on one GPU
  std::optional<std::string> kv_bytes_source;
  std::vector<GpuBreakdown> gpus;
};
BOOST_DESCRIBE_STRUCT(MemoryBreakdown, (),
                      (kv_tokens_total, kv_tokens_source, kv_tokens_in_use, kv_bytes_per_token,
                       kv_bytes_source, gpus))

/// A sign of a short KV cache, and the first concurrency level at which it showed.
struct Symptom {
  std::string name;  ///< preemption, queueing, cache_eviction: worst first
  std::optional<std::int64_t> first_concurrency;  ///< none: cannot be told
  double value = 0;  ///< preemptions; scrapes that showed it; share of the expected hits
};
BOOST_DESCRIBE_STRUCT(Symptom, (), (name, first_concurrency, value))

struct RequestError {
  std::string req_id;
  std::string status;
};
BOOST_DESCRIBE_STRUCT(RequestError, (), (req_id, status))

/// Failures of one kind, and the first one's words.
struct ErrorKind {
  std::string status;
  std::int64_t n_requests = 0;
  std::string error_detail;
};
BOOST_DESCRIBE_STRUCT(ErrorKind, (), (status, n_requests, error_detail))

/// What the client delivered. From start_lag_p50_ms on: the runner's own account; none: it left
/// none.
struct LoadSummary {
  std::optional<Timestamp> first_start_ts;
  std::optional<Timestamp> last_end_ts;
  std::optional<Seconds> duration_s;  ///< between the two, pauses included
  std::optional<std::int64_t> max_in_flight;
  std::optional<double> mean_in_flight;
  std::optional<Tokens> prompt_tokens;      ///< sum over rows that have a value
  std::optional<Tokens> completion_tokens;  ///< sum over rows that have a value
  std::optional<Milliseconds> start_lag_p50_ms;
  std::optional<Milliseconds> start_lag_p99_ms;
  std::optional<std::int64_t> start_lag_count;
  std::optional<std::int64_t> connections_opened;
  std::optional<std::int64_t> repeats;
  std::optional<Seconds> client_cpu_s;
  std::optional<Seconds> client_busy_cpu_s;  ///< while requests were in flight or waiting
  std::optional<Seconds> client_busy_s;      ///< how long that was
};
BOOST_DESCRIBE_STRUCT(LoadSummary, (),
                      (first_start_ts, last_end_ts, duration_s, max_in_flight, mean_in_flight,
                       prompt_tokens, completion_tokens, start_lag_p50_ms, start_lag_p99_ms,
                       start_lag_count, connections_opened, repeats, client_cpu_s,
                       client_busy_cpu_s, client_busy_s))

BOOST_DEFINE_ENUM_CLASS(Severity, invalid, warning, note)

/// Something a reader of the figures must know.
struct Reason {
  std::string code;  ///< for programs; docs/formats.md has the table
  Severity severity = Severity::note;
  std::string text;             ///< what was found, with figures
  std::optional<double> value;  ///< the figure that decided
  std::string advice;           ///< what to do next
};
BOOST_DESCRIBE_STRUCT(Reason, (), (code, severity, text, value, advice))

struct Verdict {
  bool valid = true;  ///< no reason is `invalid`
  std::optional<std::string> pressure;  ///< none without server metrics
  std::vector<Reason> reasons;          ///< worst first
};
BOOST_DESCRIBE_STRUCT(Verdict, (), (valid, pressure, reasons))

/// summary.json: the findings. The first six keys are the original scripts'.
struct Summary {
  std::int64_t total_requests = 0;  ///< rows of the request trace
  std::int64_t ok_requests = 0;
  std::int64_t error_requests = 0;
  std::int64_t gpu_samples = 0;  ///< rows of the GPU trace
  std::map<std::int64_t, LevelSummary> by_concurrency;
  std::vector<RequestError> errors;  ///< the first 20, in file order
  std::int64_t schema_version = kSchemaVersion;
  bool simulated = false;
  std::vector<GpuSummary> gpus;
  std::optional<MemoryBreakdown> memory_breakdown;  ///< none: nothing was measured
  std::vector<ConditionSummary> conditions;
  ServerInfo server;
  LoadSummary load;
  Verdict verdict;
  std::optional<std::int64_t> requests_without_row;  ///< none: no readable workload
  std::vector<ErrorKind> error_kinds;                ///< most frequent first, at most 10
  std::vector<std::string> problems;                 ///< files that were missing or unreadable
  std::optional<ServerMetricsSummary> server_metrics;  ///< none: no rows
  std::vector<Symptom> symptoms;
};
BOOST_DESCRIBE_STRUCT(Summary, (),
                      (total_requests, ok_requests, error_requests, gpu_samples, by_concurrency,
                       errors, schema_version, simulated, gpus, memory_breakdown, conditions,
                       server, load, verdict, requests_without_row, error_kinds, problems,
                       server_metrics, symptoms))

}  // namespace memprof
