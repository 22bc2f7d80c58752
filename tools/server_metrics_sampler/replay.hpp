#pragma once

#include "cli/run_tool.hpp"
#include "options.hpp"
#include "records/server_metrics.hpp"

/// Makes the rows of what --raw has kept. Lines that cannot be read (a killed sampler leaves half a
/// line) are passed over with a warning.
memprof::ExitCode replay(const Options& options, memprof::cli::Tool& tool,
                         memprof::ServerMetricsAccount& account);
