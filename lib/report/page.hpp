#pragma once

#include "analysis/run_traces.hpp"
#include "records/manifest.hpp"
#include "records/summary.hpp"

#include <string>

namespace memprof::report {

/// A run as one HTML page that needs nothing else: style, script and data are in it, and its
/// Content-Security-Policy allows no address. At most 2 MB for any run: long traces are thinned
/// (thinning.hpp), tables are cut with words that say so. What was not measured is said.
std::string render_page(const Manifest& manifest, const Summary& summary,
                        const analysis::RunTraces& traces);

}  // namespace memprof::report
