#pragma once

#include "process/descriptor.hpp"

namespace memprof::gpu {

/// Kills a process group when this process is gone, however it ended. A child's own death signal
/// reaches the child alone, not what it has started itself (nvidia-smi is a wrapper script on some
/// machines). A small copy of this process waits for that moment; it ends with it.
class GroupGuard {
 public:
  /// Throws a ToolError (environment) when there are no more processes or descriptors.
  GroupGuard();
  ~GroupGuard();
  GroupGuard(const GroupGuard&) = delete;
  GroupGuard& operator=(const GroupGuard&) = delete;

  /// The group to kill from now on, in place of the one before; 0: none.
  void watch(int group);

 private:
  process::Descriptor life_;  ///< the guard sees it close when this process ends
  int pid_ = -1;
};

}  // namespace memprof::gpu
