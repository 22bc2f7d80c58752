#include "analysis/lanes.hpp"

#include "sample_run.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace memprof::analysis {
namespace {

using testing::at;

TEST(Lanes, TheLowestThatIsFree) {
  Lanes lanes;
  EXPECT_EQ(lanes.take(at(0), at(10)), 0u);
  EXPECT_EQ(lanes.take(at(1), at(5)), 1u);
  EXPECT_EQ(lanes.take(at(2), at(4)), 2u);
  EXPECT_EQ(lanes.take(at(5), at(6)), 1u);  // begins where the one before it ends
  EXPECT_EQ(lanes.take(at(5), at(7)), 2u);
  EXPECT_EQ(lanes.take(at(10), at(11)), 0u);
  EXPECT_EQ(lanes.count(), 3u);
}

TEST(Lanes, NoMoreThanAreNeededAndNoOverlap) {
  std::mt19937 random(7);
  std::vector<std::pair<int, int>> spans;
  for (int i = 0; i < 2000; ++i) {
    const int begin = static_cast<int>(random() % 1000);
    spans.emplace_back(begin, begin + static_cast<int>(random() % 50));
  }
  std::sort(spans.begin(), spans.end());
  Lanes lanes;
  std::vector<int> free_from;
  std::size_t most = 0;
  for (std::size_t i = 0; i < spans.size(); ++i) {
    const auto [begin, end] = spans[i];
    const auto lane = lanes.take(at(begin), at(end));
    if (lane >= free_from.size()) free_from.resize(lane + 1, 0);
    ASSERT_LE(free_from[lane], begin);
    free_from[lane] = end;
    const auto at_once = std::count_if(spans.begin(), spans.begin() + static_cast<long>(i) + 1,
                                       [&](const auto& each) { return each.second > begin; });
    most = std::max(most, static_cast<std::size_t>(at_once) + (end == begin ? 1 : 0));
  }
  EXPECT_LE(lanes.count(), most);
}

}  // namespace
}  // namespace memprof::analysis
