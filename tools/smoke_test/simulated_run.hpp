#pragma once

#include "scratch.hpp"

#include <string>

namespace memprof::smoke {

/// A whole run of run_memory_profile against a simulator whose KV cache is too small for the
/// highest concurrency. Words for the check's line; throws a ToolError with what is wrong.
std::string check_simulated_run(const Scratch& scratch);

}  // namespace memprof::smoke
