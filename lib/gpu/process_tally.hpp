#pragma once

#include "gpu/source.hpp"
#include "records/account.hpp"

#include <map>
#include <utility>
#include <vector>

namespace memprof::gpu {

/// What each process held from the first to the last look at it.
class ProcessTally {
 public:
  void add(const std::vector<ProcessUse>& uses);
  /// By GPU, then pid.
  [[nodiscard]] std::vector<GpuProcess> account() const;

 private:
  std::map<std::pair<std::int64_t, std::int64_t>, GpuProcess> processes_;
};

}  // namespace memprof::gpu
