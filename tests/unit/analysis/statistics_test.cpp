#include "analysis/statistics.hpp"

#include <gtest/gtest.h>

namespace memprof::analysis {
namespace {

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
