#pragma once

#include "records/units.hpp"

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>

namespace memprof::clock {

/// Percentiles of how late something came, in 35 KB however often it came: a run may last for days.
class Lateness {
 public:
  /// Less than 0 counts as 0, more than 12 days as 12 days.
  void add(std::chrono::nanoseconds late);
  /// The nearest rank; 0 < percent <= 100. The highest is exact to the microsecond, and so is all
  /// below 256 µs; others come out up to 1/128 too low. None when nothing was added.
  [[nodiscard]] std::optional<Milliseconds> percentile_ms(double percent) const;

 private:
  static constexpr int kLongest = 40;  ///< bits of microseconds
  static constexpr int kKept = 8;      ///< leading bits that are told apart
  static constexpr int kSteps = 1 << (kKept - 1);

  std::array<std::int64_t, kSteps*(kLongest - kKept + 2)> counts_{};
  std::int64_t added_ = 0;
  std::int64_t longest_us_ = 0;
};

}  // namespace memprof::clock
