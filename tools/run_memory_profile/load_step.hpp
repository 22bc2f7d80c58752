#pragma once

#include "run_context.hpp"
#include "sampler_step.hpp"

namespace memprof::profile {

/// Runs request_runner to its end, with live progress; a signal ends it, and the samplers with it,
/// within 3 s. A runner that does not move any more is ended too. What stopped it goes to
/// run.failure. Throws a ToolError when it cannot be started.
void run_load(RunContext& run, const Samplers& samplers);

}  // namespace memprof::profile
