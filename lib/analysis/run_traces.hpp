#pragma once

#include "records/account.hpp"
#include "records/request_trace.hpp"
#include "records/server_metrics.hpp"
#include "records/units.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace memprof::analysis {

struct GpuReading {
  Timestamp timestamp;
  MiB used_mib;
  std::optional<std::int16_t> util_pct = {};  ///< 0–100
};

/// One GPU's rows, kept small: those that have a memory figure.
struct GpuSeries {
  std::vector<GpuReading> readings;  ///< in the order of time
  std::int64_t rows = 0;             ///< with and without a figure
  std::optional<MiB> total_mib;      ///< the last that was read
};

/// One engine in one scrape.
struct EngineReading {
  Timestamp timestamp;  ///< when the answer had come back
  Timestamp asked;      ///< when the question was sent
  std::optional<double> usage_pct;
  std::optional<Tokens> tokens_used;
  std::optional<std::int64_t> running;
  std::optional<std::int64_t> waiting;
  CounterTotals counters;  ///< as the server had them: they fall when it restarts
};

/// One engine's rows.
struct EngineSeries {
  std::vector<EngineReading> readings;  ///< in the order of time
  std::optional<Tokens> kv_tokens_total;  ///< the last that was read
};

/// What a run's folder holds. A part that could not be read is empty, and `problems` says so.
struct RunTraces {
  std::vector<RequestTraceRow> requests;  ///< in file order
  std::map<std::int64_t, GpuSeries> gpus;  ///< by driver index
  std::int64_t gpu_rows = 0;
  std::map<std::string, EngineSeries> engines;  ///< empty: no server metrics
  std::int64_t engine_rows = 0;
  std::optional<std::int64_t> workload_requests;  ///< none: no readable workload
  std::optional<RunnerAccount> runner;            ///< none: the runner left no account
  std::optional<ServerMetricsAccount> server_sampler;  ///< none: it left no account
  std::vector<std::string> problems;              ///< one file and what is wrong with it each
};

}  // namespace memprof::analysis
