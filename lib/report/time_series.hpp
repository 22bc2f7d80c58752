#pragma once

#include "analysis/run_traces.hpp"
#include "records/manifest.hpp"
#include "report/thinning.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace memprof::report {

/// Preemptions that the server counted between two scrapes, at the later one.
struct PreemptionMark {
  double x = 0;
  std::int64_t count = 0;
};

/// From a concurrency level's first start to its last end.
struct LevelBand {
  std::int64_t level = 0;
  double from = 0;
  double to = 0;
};

/// A run over time, in seconds since its first moment. Empty lists: not measured.
struct RunSeries {
  Timestamp zero;    ///< what 0 s is
  double span = 0;   ///< seconds to the last moment
  std::vector<Series> kv;        ///< percent, an engine each
  std::vector<Series> requests;  ///< running and waiting, all engines together
  std::vector<Series> gpus;      ///< MiB, a GPU each
  std::size_t engines_left_out = 0;  ///< beyond kMostLines
  std::size_t gpus_left_out = 0;     ///< beyond kMostLines
  std::vector<PreemptionMark> marks;
  std::vector<LevelBand> bands;  ///< by level; empty when there are more than kMostBands
};

inline constexpr std::size_t kMostLines = 32;
inline constexpr std::size_t kMostBands = 64;

RunSeries read_series(const analysis::RunTraces& traces);

}  // namespace memprof::report
