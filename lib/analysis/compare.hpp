#pragma once

#include "analysis/comparison.hpp"

#include <string>
#include <vector>

namespace memprof::analysis {

/// Runs side by side as a table, at most four beside each other, for a terminal of 100 columns: the
/// options that differ, then the findings that at least one has, a `-` where a run has none.
/// Newline at the end.
std::string compare(const std::vector<ComparedRun>& runs);

}  // namespace memprof::analysis
