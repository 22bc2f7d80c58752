#pragma once

#include "analysis/run_traces.hpp"
#include "cli/run_tool.hpp"
#include "records/manifest.hpp"
#include "records/summary.hpp"

#include <string>

/// A run, read and summarized anew.
struct ReadRun {
  memprof::analysis::RunTraces traces;
  memprof::Manifest manifest;
  memprof::Summary summary;
};

/// Throws a ToolError (environment) when `dir` is no folder or has no trace at all. A manifest that
/// is missing is warned of, and its run judged without it.
ReadRun read_run_folder(const std::string& dir, memprof::cli::Tool& tool);

/// Throws a ToolError (environment) when `path` is a summary that these tools did not write.
void check_replaceable(const std::string& path);
