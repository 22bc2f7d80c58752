#pragma once

#include "cli/option_table.hpp"
#include "gpu/source.hpp"
#include "records/target.hpp"
#include "records/units.hpp"
#include "records/workload.hpp"

#include <boost/describe.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace memprof::profile {

BOOST_DEFINE_ENUM_CLASS(YesNo, no, yes)

struct GpuOptions {
  std::int64_t interval_ms = 200;
  std::optional<std::vector<std::int64_t>> indices;  ///< none: all
  std::optional<gpu::Backend> backend;  ///< none: the first that works
};

struct MetricsOptions {
  std::optional<std::string> url;  ///< none: beside the base URL's /v1
  std::int64_t interval_ms = 200;
  bool off = false;
};

struct Options : cli::CommonOptions {
  TargetSpec target;  ///< its base URL is the simulator's once that is known
  bool simulate = false;
  std::vector<std::string> simulator_options;  ///< for vllm_simulator, as they are
  WorkloadSpec grid;
  ReplaySpec replay;
  GpuOptions gpu;
  MetricsOptions metrics;
  std::optional<std::string> server_log;  ///< the server's start-up log, for its memory lines
  std::optional<std::int64_t> kv_bytes_per_token;  ///< of one GPU
  YesNo calibrate = YesNo::no;
  std::optional<std::string> workload;  ///< use this one instead of generating
  std::string output_dir = "results/memory_profile";
  std::optional<std::string> tag;
  Seconds ready_timeout = 0;
  Seconds baseline_s = 2;
  Seconds tail_s = 2;

  Options() { replay.cache_salt = "per-run"; }
};

cli::OptionTable option_table(Options& options);

}  // namespace memprof::profile
