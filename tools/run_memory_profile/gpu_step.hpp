#pragma once

#include "run_context.hpp"
#include "tool_child.hpp"

namespace memprof::profile {

/// Asks gpu_mem_sampler for the GPUs and the backend that were named; nothing is asked when none
/// were. Throws a ToolError (environment) that lists the GPUs that are there.
void check_gpus(const Options& options);

/// gpu_mem_sampler over a run.
class GpuStep {
 public:
  /// Starts it and waits for its first reading. Throws a ToolError when it ends with an error.
  explicit GpuStep(RunContext& run);

  /// Whether there is anything to read and it is being read.
  [[nodiscard]] bool sampling();
  /// Lets the readings go on for so long, or until a signal comes. Returns at once when there are
  /// none.
  void sample_for(Seconds seconds);
  /// A word when it has died; once.
  void look();
  [[nodiscard]] ToolChild& child() { return child_; }
  /// Ends it, when that has not been done yet, and puts what it said of itself into the manifest.
  void finish();

 private:
  void await_first_reading();
  [[nodiscard]] bool has_reading() const;

  RunContext& run_;
  ToolChild child_;
  bool nothing_to_read_ = false;
  bool said_ = false;
};

}  // namespace memprof::profile
