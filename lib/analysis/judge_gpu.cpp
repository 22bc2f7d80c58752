#include "analysis/judge.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <vector>

namespace memprof::analysis {
namespace {

bool is_of_server(const GpuProcess& process, const ServerInfo& server) {
  return std::find(server.pids.begin(), server.pids.end(), process.pid) != server.pids.end();
}

MiB change(const GpuProcess& process) {
  return process.min_mib && process.max_mib ? *process.max_mib - *process.min_mib : 0;
}

void judge_sampler(const GpuSamplerRecord& sampler, Reasons& reasons) {
  if (!sampler.lost_gpus.empty()) {
    reasons.add(code::kGpuLost,
                fmt::format("GPU {} stopped answering during the run.",
                            fmt::join(sampler.lost_gpus, ", ")),
                static_cast<double>(sampler.lost_gpus.size()),
                "Look for Xid or reset messages in the kernel's log (dmesg), then run again.");
  }
  const auto& ticks = sampler.ticks;
  if (ticks.due == 0) return;
  const auto share = static_cast<double>(ticks.missed) / static_cast<double>(ticks.due);
  if (share <= kMostMissedShare) return;
  reasons.add(code::kTicksMissed,
              fmt::format("{} of {} GPU readings were missed ({:.1f} %): peaks may be too low.",
                          ticks.missed, ticks.due, 100 * share),
              share, "Use a longer --gpu-interval-ms, or leave the machine more CPU.");
}

void judge_sharing(const std::vector<GpuProcess>& processes, const ServerInfo& server,
                   Reasons& reasons) {
  const GpuProcess* worst = nullptr;
  std::int64_t others = 0;
  for (const auto& process : processes) {
    if (is_of_server(process, server) || change(process) == 0) continue;
    ++others;
    if (worst == nullptr || change(process) > change(*worst)) worst = &process;
  }
  if (worst == nullptr) return;
  reasons.add(code::kGpuShared,
              fmt::format("Memory of processes that are not the server's changed ({} of them): "
                          "process {} on GPU {} between {} and {} MiB.",
                          others, worst->pid, worst->gpu_idx, *worst->min_mib, *worst->max_mib),
              static_cast<double>(change(*worst)),
              "Stop them, or measure when they are quiet: their memory is in these figures.");
}

/// Whether the GPUs that were read are the server's at all.
void judge_belonging(const Manifest& manifest, Reasons& reasons) {
  const ServerInfo& server = manifest.server;
  if (server.is_local && !*server.is_local) {
    reasons.add(code::kGpuNotOfServer,
                "The server is on another machine: the GPU memory here is not its memory.",
                std::nullopt, "Run this on the server's machine, next to its GPUs.");
    return;
  }
  static const std::vector<GpuProcess> kNone;
  const auto& sampler = manifest.samplers.gpu_mem_sampler;
  const auto& processes = sampler ? sampler->processes : kNone;
  const bool proven = std::any_of(processes.begin(), processes.end(), [&](const auto& process) {
    return is_of_server(process, server);
  });
  if (!proven) {
    reasons.add(code::kGpuUnproven,
                "No process on these GPUs is known to be the server's: behind a tunnel, a proxy or "
                "a container they may be others'.",
                std::nullopt, "Check with nvidia-smi that the server's processes are listed.");
    return;
  }
  judge_sharing(processes, server, reasons);
}

}  // namespace

void judge_gpu(const Evidence& evidence, Reasons& reasons) {
  const auto& sampler = evidence.manifest.samplers.gpu_mem_sampler;
  if (sampler) judge_sampler(*sampler, reasons);
  const auto& gpus = evidence.traces.gpus;
  const bool measured = std::any_of(gpus.begin(), gpus.end(), [](const auto& entry) {
    return !entry.second.readings.empty();
  });
  if (measured) {
    const bool simulated = sampler && sampler->backend == "simulated";
    if (!simulated) judge_belonging(evidence.manifest, reasons);
    return;
  }
  reasons.add(code::kNoGpuTrace, "No GPU memory was measured.", std::nullopt,
              evidence.manifest.simulated
                  ? "Give --gpu-backend simulated: it reads the simulator's GPUs."
                  : "Run where the GPUs and their driver are (gpu_mem_sampler --list-gpus shows "
                    "what it finds).");
}

}  // namespace memprof::analysis
