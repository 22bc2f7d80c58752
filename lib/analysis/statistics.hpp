#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace memprof::analysis {

/// A running mean; none over nothing.
class Mean {
 public:
  void add(double value) {
    sum_ += value;
    ++count_;
  }
  [[nodiscard]] std::optional<double> value() const {
    if (count_ == 0) return std::nullopt;
    return sum_ / static_cast<double>(count_);
  }
  [[nodiscard]] std::int64_t count() const { return count_; }

 private:
  double sum_ = 0;
  std::int64_t count_ = 0;
};

/// The middle value, or the mean of the two middle ones.
std::optional<double> median(std::vector<std::int64_t> values);

}  // namespace memprof::analysis
