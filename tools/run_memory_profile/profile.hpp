#pragma once

#include "cli/run_tool.hpp"
#include "options.hpp"

namespace memprof::profile {

/// A whole run. The tool's exit code; throws a ToolError for what cannot go on.
int run(Options& options, cli::Tool& tool);

}  // namespace memprof::profile
