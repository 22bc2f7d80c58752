#pragma once

#include "clock/run_clock.hpp"
#include "gpu/group_guard.hpp"
#include "gpu/source.hpp"
#include "process/child.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace memprof::gpu {

/// The nvidia-smi program: finds it, starts it, waits for its words. Whatever it starts is gone
/// when this process is.
class NvidiaSmi {
 public:
  explicit NvidiaSmi(int interrupt_fd) : interrupt_fd_(interrupt_fd) {}

  /// Looks for it in PATH.
  Result<void> find();
  Result<process::Child> start(std::vector<std::string> arguments);
  /// Ends it and all its group, within a second.
  void end(process::Child& child);

  /// Sleeps until it has said something, has ended, or `deadline`. False: interrupted.
  bool wait(process::Child& child, clock::SinceBoot deadline) const;
  /// Sleeps without a child. False: interrupted.
  [[nodiscard]] bool sleep_until(clock::SinceBoot deadline) const;

  struct Answer {
    std::vector<std::string> lines;
    std::string problem;  ///< empty: it ended by itself with exit code 0
    int exit_code = 0;
    bool interrupted = false;
  };
  /// Runs it to its end, at most for `most`.
  Answer ask(std::vector<std::string> arguments, std::chrono::nanoseconds most);
  Result<std::vector<GpuInfo>> list_gpus(std::chrono::nanoseconds most);

  /// `exit code 9 (driver not loaded): NVIDIA-SMI has failed because…`; `words` may be empty.
  static std::string describe_end(process::ExitStatus status, std::string_view words);

 private:
  int interrupt_fd_;
  std::string path_;
  std::optional<GroupGuard> guard_;
};

/// The arguments of a question about some GPUs, or all.
std::vector<std::string> smi_query(std::string_view columns,
                                   const std::optional<std::vector<std::int64_t>>& gpus);

}  // namespace memprof::gpu
