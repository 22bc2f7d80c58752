#pragma once

#include "analysis/run_traces.hpp"
#include "records/manifest.hpp"
#include "records/summary.hpp"

#include <cstddef>

namespace memprof::analysis {

/// A workload with more different conditions than this is no grid: `conditions` stays empty.
inline constexpr std::size_t kMostConditions = 1000;

/// The findings of a run, verdict included: all from its files, so that they can be made again.
Summary summarize(const RunTraces& traces, const Manifest& manifest);

}  // namespace memprof::analysis
