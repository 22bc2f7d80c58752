#pragma once

#include "records/manifest.hpp"
#include "records/summary.hpp"

#include <string>

namespace memprof::analysis {

/// What a person at a terminal is told at a run's end: the verdict in words with advice, memory,
/// requests, delivered against asked concurrency, time, and where the files are. Plain text of at
/// most 100 columns, newline at the end. `dir` is the run's folder, as it is to be shown.
std::string describe_ending(const Summary& summary, const Manifest& manifest,
                            const std::string& dir);

}  // namespace memprof::analysis
