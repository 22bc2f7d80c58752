#pragma once

#include "records/manifest.hpp"
#include "records/units.hpp"
#include "records/workload.hpp"

#include <boost/describe.hpp>
#include <boost/json.hpp>

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
};
BOOST_DESCRIBE_STRUCT(LevelSummary, (),
                      (n_requests, n_ok, avg_completion_tokens, max_in_flight, mean_in_flight,
                       prompt_tokens_per_input_len, duration_s, gpus))

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
};
BOOST_DESCRIBE_STRUCT(ConditionSummary, (),
                      (concurrency_group, input_len, output_len, prefix_mode, n_requests, n_ok,
                       avg_completion_tokens, max_in_flight, mean_in_flight,
                       prompt_tokens_per_input_len, duration_s, gpus))

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
  std::optional<boost::json::value> memory_breakdown;
  std::vector<ConditionSummary> conditions;
  ServerInfo server;
  LoadSummary load;
  Verdict verdict;
  std::optional<std::int64_t> requests_without_row;  ///< none: no readable workload
  std::vector<ErrorKind> error_kinds;                ///< most frequent first, at most 10
  std::vector<std::string> problems;                 ///< files that were missing or unreadable
};
BOOST_DESCRIBE_STRUCT(Summary, (),
                      (total_requests, ok_requests, error_requests, gpu_samples, by_concurrency,
                       errors, schema_version, simulated, gpus, memory_breakdown, conditions,
                       server, load, verdict, requests_without_row, error_kinds, problems))

}  // namespace memprof
