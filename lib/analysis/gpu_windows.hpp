#pragma once

#include "analysis/range_peaks.hpp"
#include "analysis/run_traces.hpp"
#include "records/summary.hpp"

#include <cstdint>
#include <optional>
#include <vector>

namespace memprof::analysis {

/// Median of the readings in [from, before); `from` none: from the first on. The median, because a
/// single reading may have caught something that was just ending.
std::optional<double> baseline_mib(const GpuSeries& series, std::optional<Timestamp> from,
                                   std::optional<Timestamp> before);

/// Peak and mean of a series between any two times, in logarithmic time: a run may have many
/// overlapping conditions.
class GpuWindows {
 public:
  /// `series` must outlive this.
  explicit GpuWindows(const GpuSeries& series);
  /// Over the readings in [from, to]; gpu_idx and delta are the caller's.
  [[nodiscard]] GpuWindow between(Timestamp from, Timestamp to) const;

 private:
  static constexpr std::size_t kBlock = 32;
  [[nodiscard]] std::int64_t sum_below(std::size_t end) const;

  const std::vector<GpuReading>& readings_;
  RangePeaks<MiB> peaks_;
  std::vector<std::int64_t> sums_;  ///< sums_[n]: of the first n × kBlock readings
};

}  // namespace memprof::analysis
