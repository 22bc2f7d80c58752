#pragma once

#include "analysis/comparison.hpp"
#include "report/html.hpp"
#include "report/thinning.hpp"

#include <string>
#include <vector>

/// The parts of a page that compares runs. Each is HTML; all that came from elsewhere is escaped.
namespace memprof::report {

/// First a column for the label, then one per run: its letter and name, and whether it is simulated
/// or was interrupted.
std::vector<Column> run_columns(const std::vector<analysis::ComparedRun>& runs,
                                std::string_view label);

/// Peak KV, waiting, preemptions and delivered load against concurrency, on shared axes.
std::string level_curves_section(const std::vector<analysis::ComparedRun>& runs,
                                 const analysis::Comparison& found);
/// KV cache usage of each run over time.
std::string time_curves_section(const std::vector<analysis::ComparedRun>& runs,
                                const std::vector<Series>& usage);
/// How far runs that were asked for the same are apart.
std::string repeats_section(const std::vector<analysis::ComparedRun>& runs,
                            const analysis::Comparison& found);

}  // namespace memprof::report
