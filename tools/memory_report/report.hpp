#pragma once

#include "cli/run_tool.hpp"
#include "options.hpp"

memprof::ExitCode run(const Options& options, memprof::cli::Tool& tool);
