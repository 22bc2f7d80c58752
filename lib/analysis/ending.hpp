#pragma once

#include "records/manifest.hpp"
#include "records/summary.hpp"

#include <string>

namespace memprof::analysis {

/// `valid, 1 note`, or that the figures must not be used; one line.
std::string describe_verdict(const Summary& summary);
/// Who simulated, and what that means for the figures; only for a simulated run.
std::string describe_simulated(const Summary& summary);

/// What a person at a terminal is told at a run's end: the verdict in words with advice, memory,
/// requests, delivered against asked concurrency, time, and where the files are. Plain text of at
/// most 100 columns, newline at the end. `dir` is the run's folder, as it is to be shown.
std::string describe_ending(const Summary& summary, const Manifest& manifest,
                            const std::string& dir);

}  // namespace memprof::analysis
