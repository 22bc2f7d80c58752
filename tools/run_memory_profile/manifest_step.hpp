#pragma once

#include "records/summary.hpp"
#include "run_context.hpp"

namespace memprof::profile {

/// Writes manifest.json as it is known before anything is started; `interrupted`, because a run
/// that is killed cannot say so itself. Throws a ToolError (environment).
Manifest begin_manifest(const Options& options, const RunFolder& folder, const Server& server,
                        Timestamp start);

/// Reads the traces back and writes summary.json and, last of all, the complete manifest.json.
/// Throws a ToolError (environment).
Summary finish_files(RunContext& run);

}  // namespace memprof::profile
