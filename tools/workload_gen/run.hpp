#pragma once

#include "cli/run_tool.hpp"
#include "options.hpp"

/// The workload into its file; an exit code.
int run(const Options& options, memprof::cli::Tool& tool);
