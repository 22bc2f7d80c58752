#pragma once

#include "analysis/comparison.hpp"
#include "analysis/run_traces.hpp"
#include "report/comparison_chart.hpp"

#include <string>
#include <vector>

namespace memprof::report {

/// KV cache usage in percent, of the fullest engine at each moment, over seconds since the load's
/// first request; without points when either is not known.
Series usage_since_load(const analysis::RunTraces& traces, const Summary& summary);

/// Two to kMostCompared runs side by side as one HTML page that needs nothing else and has no
/// script; its Content-Security-Policy allows no address. `usage`: usage_since_load of each run.
/// At most 2 MB: what is longer is cut with words that say so.
std::string render_comparison(const std::vector<analysis::ComparedRun>& runs,
                              const std::vector<Series>& usage);

}  // namespace memprof::report
