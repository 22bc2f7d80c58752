#pragma once

#include "cli/run_tool.hpp"

namespace memprof::smoke {

/// Runs all checks: `ok   …` or `FAIL …` on stdout for each. 0, 1, or 128 + signal.
int run(const cli::CommonOptions& options, cli::Tool& tool);

}  // namespace memprof::smoke
