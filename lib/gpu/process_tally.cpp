#include "gpu/process_tally.hpp"

#include <algorithm>

namespace memprof::gpu {

void ProcessTally::add(const std::vector<ProcessUse>& uses) {
  for (const auto& use : uses) {
    auto& process = processes_[{use.gpu_idx, use.pid}];
    process.gpu_idx = use.gpu_idx;
    process.pid = use.pid;
    if (!use.used_mib) continue;
    const MiB used = *use.used_mib;
    if (!process.first_mib) process.first_mib = used;
    process.last_mib = used;
    process.min_mib = std::min(process.min_mib.value_or(used), used);
    process.max_mib = std::max(process.max_mib.value_or(used), used);
  }
}

std::vector<GpuProcess> ProcessTally::account() const {
  std::vector<GpuProcess> list;
  list.reserve(processes_.size());
  for (const auto& [key, process] : processes_) list.push_back(process);
  return list;
}

}  // namespace memprof::gpu
