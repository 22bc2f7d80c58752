#include "clock/lateness.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace memprof::clock {

void Lateness::add(std::chrono::nanoseconds late) {
  const auto us = std::clamp<std::int64_t>(
      std::chrono::duration_cast<std::chrono::microseconds>(late).count(), 0,
      (std::int64_t{1} << kLongest) - 1);
  // Of more than kKept bits the last are lost, and each bit lost is kSteps counts further on.
  const auto bits = static_cast<int>(std::bit_width(static_cast<std::uint64_t>(us)));
  const int lost = std::max(0, bits - kKept);
  const auto index = std::int64_t{lost} * kSteps + (us >> lost);
  ++counts_.at(static_cast<std::size_t>(index));
  ++added_;
  longest_us_ = std::max(longest_us_, us);
}

std::optional<Milliseconds> Lateness::percentile_ms(double percent) const {
  if (added_ == 0) return std::nullopt;
  const auto rank = static_cast<std::int64_t>(
      std::ceil(percent / 100 * static_cast<double>(added_)));
  if (rank >= added_) return static_cast<double>(longest_us_) / 1000;
  std::int64_t index = 0;
  for (std::int64_t seen = counts_.front(); seen < rank; ++index) {
    seen += counts_.at(static_cast<std::size_t>(index + 1));
  }
  const auto lost = std::max<std::int64_t>(0, index / kSteps - 1);
  return static_cast<double>((index - lost * kSteps) << lost) / 1000;
}

}  // namespace memprof::clock
