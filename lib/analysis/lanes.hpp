#pragma once

#include "records/units.hpp"

#include <cstddef>
#include <functional>
#include <queue>
#include <utility>
#include <vector>

namespace memprof::analysis {

/// Puts stretches of time into as few rows of a picture as hold them without overlap.
class Lanes {
 public:
  /// The lowest lane, from 0, that is free from `begin` on. Calls come in the order of `begin`;
  /// `end` is not before it. A stretch may begin where the one before it ends.
  std::size_t take(Timestamp begin, Timestamp end) {
    while (!busy_.empty() && busy_.top().first <= begin) {
      free_.push(busy_.top().second);
      busy_.pop();
    }
    std::size_t lane = count_;
    if (free_.empty()) {
      ++count_;
    } else {
      lane = free_.top();
      free_.pop();
    }
    busy_.emplace(end, lane);
    return lane;
  }
  [[nodiscard]] std::size_t count() const { return count_; }

 private:
  template <class T>
  using LeastFirst = std::priority_queue<T, std::vector<T>, std::greater<>>;

  LeastFirst<std::pair<Timestamp, std::size_t>> busy_;  ///< until when
  LeastFirst<std::size_t> free_;
  std::size_t count_ = 0;
};

}  // namespace memprof::analysis
