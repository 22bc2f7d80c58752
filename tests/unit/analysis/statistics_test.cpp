#include "analysis/statistics.hpp"

#include <gtest/gtest.h>

namespace memprof::analysis {
namespace {

TEST(NearestRank, IsAValueThatWasMeasured) {
  std::vector<std::int64_t> values;
  for (std::int64_t i = 20; i >= 1; --i) values.push_back(i * 10);
  EXPECT_EQ(nearest_rank(values, 95), 190);  // rank ceil(0.95 * 20) = 19
  EXPECT_EQ(nearest_rank(values, 50), 100);
  EXPECT_EQ(nearest_rank(values, 0), 10);
  EXPECT_EQ(nearest_rank(values, 100), 200);
  EXPECT_EQ(nearest_rank({7}, 95), 7);
  EXPECT_EQ(nearest_rank({}, 95), std::nullopt);
}

TEST(Median, OfOddEvenAndNothing) {
  EXPECT_EQ(median({30, 10, 20}), 20);
  EXPECT_EQ(median({40, 10, 30, 20}), 25);
  EXPECT_EQ(median({}), std::nullopt);
}

TEST(Mean, OverNothingIsNone) {
  Mean mean;
  EXPECT_EQ(mean.value(), std::nullopt);
  mean.add(1);
  mean.add(2);
  EXPECT_EQ(mean.value(), 1.5);
}

}  // namespace
}  // namespace memprof::analysis
