#pragma once

#include "analysis/run_traces.hpp"
#include "analysis/summarize.hpp"
#include "records/manifest.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

/// Small runs to judge, with times in seconds after a fixed instant.
namespace memprof::analysis::testing {

inline Timestamp at(double seconds) {
  return Timestamp(std::chrono::microseconds(1'772'013'600'000'000 +
                                             static_cast<std::int64_t>(seconds * 1e6)));
}

/// An ok row whose tokens are exactly those asked for.
inline RequestTraceRow row(std::string id, std::int64_t level, double start, double end) {
  RequestTraceRow made;
  made.req_id = std::move(id);
  made.input_len = 1000;
  made.output_len = 50;
  made.concurrency_group = level;
  made.scheduled_ts = made.start_ts = at(start);
  made.end_ts = at(end);
  made.status = "ok";
  made.prompt_tokens = 1000;
  made.completion_tokens = 50;
  made.prefix_mode = PrefixMode::low;
  made.rep = 0;
  return made;
}

struct SampleRun {
  RunTraces traces;
  Manifest manifest;

  [[nodiscard]] Summary summary() const { return summarize(traces, manifest); }
  [[nodiscard]] const Reason* reason(std::string_view code) {
    last_ = summary().verdict;
    const auto found = std::find_if(last_.reasons.begin(), last_.reasons.end(),
                                    [&](const Reason& each) { return each.code == code; });
    return found == last_.reasons.end() ? nullptr : &*found;
  }
  /// The same, empty when there is none.
  [[nodiscard]] Reason found(std::string_view code) {
    const auto* each = reason(code);
    return each == nullptr ? Reason{} : *each;
  }

 private:
  Verdict last_;
};

/// Two requests at level 2, one GPU whose only process is the server's; nothing to complain of but
/// that there are no server metrics.
inline SampleRun healthy_run() {
  SampleRun run;
  run.traces.requests = {row("a", 2, 10, 20), row("b", 2, 12, 22)};
  run.traces.workload_requests = 2;
  run.traces.runner = RunnerAccount{};
  run.traces.runner->busy_s = 12;
  run.traces.runner->busy_cpu_s = 0.1;
  GpuSeries& gpu = run.traces.gpus[0];
  gpu.readings = {{at(8), 100}, {at(9), 110}, {at(11), 500}, {at(21), 400}};
  gpu.rows = 4;
  gpu.total_mib = 1000;
  run.traces.gpu_rows = 4;

  Manifest& manifest = run.manifest;
  manifest.run_id = "20260225_100000";
  manifest.server.is_local = true;
  manifest.server.pids = {4242};
  manifest.server.max_model_len = 2048;
  manifest.options = {{"high_prefix_share", 0.9}, {"workload", nullptr}};
  GpuSamplerRecord sampler;
  sampler.backend = "nvml";
  sampler.ticks.due = 1000;
  sampler.ticks.taken = 990;
  sampler.ticks.missed = 10;
  sampler.processes = {{0, 4242, 100, 400, 100, 500}};
  manifest.samplers.gpu_mem_sampler = sampler;
  for (const auto* name : {"gpu_mem_sampler", "workload_gen", "request_runner"}) {
    ChildRecord child;
    child.name = name;
    child.pid = 17;
    child.exit_code = 0;
    child.ended_as_told = true;
    manifest.children.push_back(child);
  }
  manifest.wall_clock_shift_ms = 0.2;
  return run;
}

}  // namespace memprof::analysis::testing
