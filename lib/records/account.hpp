#pragma once

#include "records/gpu.hpp"
#include "records/units.hpp"

#include <boost/describe.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace memprof {

/// Part of every account: what the process itself was and cost.
struct ProcessAccount {
  std::string tool;
  std::string version;
  Timestamp started_ts;
  Timestamp ended_ts;
  std::int64_t rows = 0;       ///< rows or lines written to its main file
  Seconds cpu_s = 0;           ///< user + system, own process only
  Milliseconds wall_clock_shift_ms = 0;  ///< how far the wall clock had moved against ours
  std::vector<std::string> warnings;
};
BOOST_DESCRIBE_STRUCT(ProcessAccount, (),
                      (tool, version, started_ts, ended_ts, rows, cpu_s, wall_clock_shift_ms,
                       warnings))

/// The ticks of a sampler: due = taken + missed. Lateness: reading begun − deadline; none when
/// nothing was taken.
struct TickAccount {
  Milliseconds interval_ms = 0;
  std::int64_t due = 0;
  std::int64_t taken = 0;
  std::int64_t missed = 0;
  std::optional<Milliseconds> lateness_p50_ms;
  std::optional<Milliseconds> lateness_p99_ms;
  std::optional<Milliseconds> lateness_max_ms;
};
BOOST_DESCRIBE_STRUCT(TickAccount, (),
                      (interval_ms, due, taken, missed, lateness_p50_ms, lateness_p99_ms,
                       lateness_max_ms))

/// What a process held on a GPU while it was looked at, at most once a second. `pid` is the
/// driver's: in a container it may mean nothing here.
struct GpuProcess {
  std::int64_t gpu_idx = 0;
  std::int64_t pid = 0;
  std::optional<MiB> first_mib;
  std::optional<MiB> last_mib;
  std::optional<MiB> min_mib;
  std::optional<MiB> max_mib;
};
BOOST_DESCRIBE_STRUCT(GpuProcess, (), (gpu_idx, pid, first_mib, last_mib, min_mib, max_mib))

/// `gpu_mem_sampler --stats-out`.
struct GpuSamplerAccount {
  ProcessAccount process;
  std::string backend;  ///< the one that was used
  std::vector<GpuInfo> gpus;
  TickAccount ticks;
  std::vector<std::int64_t> lost_gpus;  ///< driver indices whose readings stopped for good
  std::vector<GpuProcess> processes;    ///< empty when the backend cannot tell
  bool simulated = false;
};
BOOST_DESCRIBE_STRUCT(GpuSamplerAccount, (),
                      (process, backend, gpus, ticks, lost_gpus, processes, simulated))

/// `workload_gen --stats-out`.
struct WorkloadAccount {
  ProcessAccount process;
  std::int64_t bytes = 0;
  std::optional<double> calibrated_deviation;  ///< largest |tokens/input_len − 1|; none: not asked
};
BOOST_DESCRIBE_STRUCT(WorkloadAccount, (), (process, bytes, calibrated_deviation))

/// `request_runner --stats-out`.
struct RunnerAccount {
  ProcessAccount process;
  std::string model;  ///< as sent; what `default` became
  std::int64_t requests = 0;
  std::int64_t ok = 0;
  std::int64_t failed = 0;
  std::int64_t connections_opened = 0;
  std::int64_t repeats = 0;  ///< sent once more because a kept connection was stale
  /// start_ts − scheduled_ts of requests that needed no new connection and no repeat: the client's
  /// own delay. None when there was no such request.
  std::optional<Milliseconds> start_lag_p50_ms;
  std::optional<Milliseconds> start_lag_p99_ms;
  std::int64_t start_lag_count = 0;
  Seconds load_s = 0;      ///< first scheduled to last end, pauses included
  Seconds busy_cpu_s = 0;  ///< own CPU while requests were in flight or waiting
  Seconds busy_s = 0;      ///< time during which requests were in flight or waiting
};
BOOST_DESCRIBE_STRUCT(RunnerAccount, (),
                      (process, model, requests, ok, failed, connections_opened, repeats,
                       start_lag_p50_ms, start_lag_p99_ms, start_lag_count, load_s, busy_cpu_s,
                       busy_s))

/// `vllm_simulator --stats-out`.
struct SimulatorAccount {
  ProcessAccount process;
  std::string model;
  double speed = 1;
  std::int64_t requests = 0;  ///< prompts that reached the engine
  std::int64_t aborted = 0;   ///< of these: ended early, as a client or the server went away
  std::int64_t steps = 0;
  std::int64_t generation_tokens = 0;
  std::int64_t preemptions = 0;
  std::int64_t evictions = 0;  ///< cached blocks that were taken for something else
  /// How late a step's tokens went out, of the last 100,000 steps. None without a step.
  std::optional<Milliseconds> step_lateness_p50_ms;
  std::optional<Milliseconds> step_lateness_p99_ms;
  std::optional<Milliseconds> step_lateness_max_ms;
  std::int64_t slips = 0;  ///< times that the schedule was a second behind and begun anew
};
BOOST_DESCRIBE_STRUCT(SimulatorAccount, (),
                      (process, model, speed, requests, aborted, steps, generation_tokens,
                       preemptions, evictions, step_lateness_p50_ms, step_lateness_p99_ms,
                       step_lateness_max_ms, slips))

}  // namespace memprof
