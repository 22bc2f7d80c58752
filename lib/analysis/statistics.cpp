#include "analysis/statistics.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace memprof::analysis {

std::optional<std::int64_t> nearest_rank(std::vector<std::int64_t> values, double percent) {
  if (values.empty()) return std::nullopt;
  const auto rank = std::ceil(percent / 100 * static_cast<double>(values.size()));
  const auto index = rank < 1 ? std::size_t{0} : static_cast<std::size_t>(rank) - 1;
  const auto at = values.begin() + static_cast<std::ptrdiff_t>(std::min(index, values.size() - 1));
  std::nth_element(values.begin(), at, values.end());
  return *at;
}

std::optional<double> median(std::vector<std::int64_t> values) {
  if (values.empty()) return std::nullopt;
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  const auto upper = static_cast<double>(*middle);
  if (values.size() % 2 == 1) return upper;
  return (static_cast<double>(*std::max_element(values.begin(), middle)) + upper) / 2;
}

}  // namespace memprof::analysis
