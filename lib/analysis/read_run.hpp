#pragma once

#include "analysis/run_traces.hpp"

#include <string>

namespace memprof::analysis {

/// Reads the traces of a run's folder, also one of the original scripts, whose files have the first
/// columns only. Never fails: what is missing, empty, cut or foreign is named in `problems`, and
/// the rest is given; server metrics and accounts may be missing without a word. Of workload.jsonl
/// only the lines are counted.
RunTraces read_run(const std::string& dir);

}  // namespace memprof::analysis
