#pragma once

#include "gpu_step.hpp"
#include "run_context.hpp"

namespace memprof::profile {

/// Runs request_runner to its end, with live progress; a signal ends it, and the sampler with it,
/// within 3 s. A runner that does not move any more is ended too. What stopped it goes to
/// run.failure. Throws a ToolError when it cannot be started.
void run_load(RunContext& run, GpuStep& gpus);

}  // namespace memprof::profile
