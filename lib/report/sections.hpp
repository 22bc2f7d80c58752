#pragma once

#include "analysis/run_traces.hpp"
#include "records/manifest.hpp"
#include "records/summary.hpp"

#include <string>

/// The parts of the page, in its order. Each is HTML; all that came from elsewhere is escaped.
namespace memprof::report {

/// Whether the load fits, the key figures, the verdict's reasons, what was not measured.
std::string verdict_section(const Summary& summary, const Manifest& manifest);
/// Of it, the verdict and whether the load fits.
std::string answer(const Summary& summary);
/// Of it, the verdict's reasons and the files that could not be read; empty when there are none.
std::string reasons(const Summary& summary);
/// Where each GPU's memory is, as a bar and a table.
std::string memory_section(const Summary& summary);
/// KV cache, queue, device memory and requests over time, and the data that the script draws.
std::string time_section(const analysis::RunTraces& traces);
/// What each concurrency level did: peak KV, waiting, preemptions, demand, delivered load.
std::string level_section(const Summary& summary);
/// The requests as a table.
std::string request_section(const Summary& summary, const analysis::RunTraces& traces);
/// How the figures were obtained.
std::string provenance_section(const Summary& summary, const Manifest& manifest);

}  // namespace memprof::report
