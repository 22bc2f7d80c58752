#pragma once

#include "records/units.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

namespace memprof {

/// The percentile that every figure here means: the smallest value that at least `percent` (0–100)
/// of all are not above. None over nothing.
template <class T>
std::optional<T> nearest_rank(std::vector<T> values, double percent) {
  if (values.empty()) return std::nullopt;
  const auto rank = std::ceil(percent / 100 * static_cast<double>(values.size()));
  const auto index = rank < 1 ? std::size_t{0} : static_cast<std::size_t>(rank) - 1;
  const auto at = values.begin() + static_cast<std::ptrdiff_t>(std::min(index, values.size() - 1));
  std::nth_element(values.begin(), at, values.end());
  return *at;
}

/// The same of durations.
inline std::optional<Milliseconds> nearest_rank_ms(std::vector<std::chrono::microseconds> values,
                                                   double percent) {
  const auto found = nearest_rank(std::move(values), percent);
  return found ? std::optional(static_cast<double>(found->count()) / 1000) : std::nullopt;
}

}  // namespace memprof
