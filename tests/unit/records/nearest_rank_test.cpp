#include "records/nearest_rank.hpp"

#include <gtest/gtest.h>

#include <cstdint>

namespace memprof {
namespace {

TEST(NearestRank, IsAValueThatWasMeasured) {
  std::vector<std::int64_t> values;
  for (std::int64_t i = 20; i >= 1; --i) values.push_back(i * 10);
  EXPECT_EQ(nearest_rank(values, 95), 190);  // rank ceil(0.95 * 20) = 19
  EXPECT_EQ(nearest_rank(values, 50), 100);
  EXPECT_EQ(nearest_rank(values, 0), 10);
  EXPECT_EQ(nearest_rank(values, 100), 200);
  EXPECT_EQ(nearest_rank(std::vector{7}, 95), 7);
  EXPECT_EQ(nearest_rank(std::vector<int>{}, 95), std::nullopt);
}

TEST(NearestRank, OfDurationsIsInMilliseconds) {
  using std::chrono::microseconds;
  const std::vector<microseconds> lags{microseconds(53), microseconds(25), microseconds(1'500)};
  EXPECT_EQ(nearest_rank_ms(lags, 50), 0.053);
  EXPECT_EQ(nearest_rank_ms(lags, 100), 1.5);
  EXPECT_EQ(nearest_rank_ms({}, 50), std::nullopt);
}

}  // namespace
}  // namespace memprof
