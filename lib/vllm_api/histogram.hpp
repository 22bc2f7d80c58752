#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace memprof::vllm_api {

/// A Prometheus histogram: how many values were at most each bound.
class Histogram {
 public:
  /// Ascending, without +Inf.
  explicit Histogram(std::vector<double> bounds)
      : bounds_(std::move(bounds)), counts_(bounds_.size() + 1, 0) {}

  void observe(double value, std::int64_t count = 1) {
    const auto at = std::lower_bound(bounds_.begin(), bounds_.end(), value) - bounds_.begin();
    counts_[static_cast<std::size_t>(at)] += count;
    sum_ += value * static_cast<double>(count);
  }

  [[nodiscard]] std::span<const double> bounds() const { return bounds_; }
  /// Of values above the bound before it, if any, and up to bound `i`; the last: above all.
  [[nodiscard]] std::int64_t count(std::size_t i) const { return counts_[i]; }
  [[nodiscard]] double sum() const { return sum_; }

 private:
  std::vector<double> bounds_;
  std::vector<std::int64_t> counts_;
  double sum_ = 0;
};

}  // namespace memprof::vllm_api
