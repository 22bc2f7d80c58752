#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

namespace memprof::analysis {

/// The largest of any run of values, in logarithmic time and little memory: of every kBlock values
/// only the largest is kept, in a tree.
template <class T>
class RangePeaks {
 public:
  /// `value(i)` for i below `size`.
  template <class Value>
  RangePeaks(std::size_t size, const Value& value) : blocks_((size + kBlock - 1) / kBlock) {
    tree_.resize(2 * blocks_);
    for (std::size_t i = 0; i < size; ++i) {
      T& leaf = tree_[blocks_ + i / kBlock];
      leaf = i % kBlock == 0 ? value(i) : std::max(leaf, value(i));
    }
    for (std::size_t i = blocks_; i-- > 1;) tree_[i] = std::max(tree_[2 * i], tree_[2 * i + 1]);
  }

  /// Of the values in [begin, end), which must not be empty; `value` as given when built.
  template <class Value>
  [[nodiscard]] T peak(std::size_t begin, std::size_t end, const Value& value) const {
    T most = value(begin);
    for (; begin < end && begin % kBlock != 0; ++begin) most = std::max(most, value(begin));
    for (; begin < end && end % kBlock != 0; --end) most = std::max(most, value(end - 1));
    auto from = blocks_ + begin / kBlock;
    auto to = blocks_ + end / kBlock;
    for (; from < to; from /= 2, to /= 2) {
      if (from % 2 == 1) most = std::max(most, tree_[from++]);
      if (to % 2 == 1) most = std::max(most, tree_[--to]);
    }
    return most;
  }

 private:
  static constexpr std::size_t kBlock = 32;

  std::size_t blocks_;
  std::vector<T> tree_;  ///< leaves at blocks_ + block, a node above its two
};

}  // namespace memprof::analysis
