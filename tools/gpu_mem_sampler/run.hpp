#pragma once

#include "cli/run_tool.hpp"
#include "options.hpp"

/// What gpu_mem_sampler does once its options are read.
memprof::ExitCode run(const Options& options, memprof::cli::Tool& tool);
