#pragma once

#include "options.hpp"

#include "cli/run_tool.hpp"

namespace memprof {

/// 0 when every row is ok, 1 when one is not, 128 + n after signal n.
int run(const Options& options, cli::Tool& tool);

}  // namespace memprof
