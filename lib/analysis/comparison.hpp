#pragma once

#include "records/manifest.hpp"
#include "records/summary.hpp"

#include <optional>
#include <string>
#include <vector>

namespace memprof::analysis {

/// A run to compare with others.
struct ComparedRun {
  std::string name;
  Summary summary;
  Manifest manifest;
};

/// An option or a finding, in words, of every run.
struct ComparedLine {
  std::string label;
  std::vector<std::optional<std::string>> cells;  ///< a run each; none: not given, not measured
};

/// Runs side by side.
struct Comparison {
  std::vector<ComparedLine> options;   ///< those that differ: of the run, its server and its host
  std::vector<ComparedLine> findings;  ///< of whole runs; those that at least one run has
  std::vector<ComparedLine> levels;    ///< of each concurrency level; none: or not asked for
};

Comparison compare_findings(const std::vector<ComparedRun>& runs);

}  // namespace memprof::analysis
