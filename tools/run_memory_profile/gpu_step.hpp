#pragma once

#include "sampler_step.hpp"

namespace memprof::profile {

/// Asks gpu_mem_sampler for the GPUs and the backend that were named; nothing is asked when none
/// were. Throws a ToolError (environment) that lists the GPUs that are there.
void check_gpus(const Options& options);

/// gpu_mem_sampler over a run.
class GpuStep final : public SamplerStep {
 public:
  /// Starts it and waits for its first reading. The run has failed when it ends without one. Throws a
  /// ToolError when it cannot be started.
  explicit GpuStep(RunContext& run);

 private:
  void await_first_reading();
  [[nodiscard]] bool has_reading() const;
  void take_account() override;
};

}  // namespace memprof::profile
