#include "clock/lateness.hpp"

#include "records/nearest_rank.hpp"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace memprof::clock {
namespace {

using namespace std::chrono_literals;

TEST(Lateness, OfNothingIsNotZero) {
  EXPECT_EQ(Lateness().percentile_ms(50), std::nullopt);
  EXPECT_EQ(Lateness().percentile_ms(100), std::nullopt);
}

TEST(Lateness, ShortOnesAndTheLongestAreExact) {
  Lateness lateness;
  for (const auto late : {0us, 127us, 128us, 255us, 70'001us}) lateness.add(late);
  EXPECT_EQ(lateness.percentile_ms(1), 0);
  EXPECT_EQ(lateness.percentile_ms(40), 0.127);
  EXPECT_EQ(lateness.percentile_ms(60), 0.128);
  EXPECT_EQ(lateness.percentile_ms(80), 0.255);
  EXPECT_EQ(lateness.percentile_ms(100), 70.001);
}

TEST(Lateness, EveryLengthComesOutAtMostOneIn128TooLow) {
  for (std::int64_t us = 1; us < (std::int64_t{1} << 39); us = us * 33 / 32 + 1) {
    Lateness lateness;
    lateness.add(std::chrono::microseconds(us));
    lateness.add(std::chrono::microseconds(us));
    lateness.add(160h);  // or the rank would be the highest
    lateness.add(160h);
    const auto exact = static_cast<double>(us) / 1000;
    const auto found = lateness.percentile_ms(50).value();
    EXPECT_LE(found, exact);
    EXPECT_GT(found, exact * 127 / 128 - 1e-9) << us;
  }
}

TEST(Lateness, ShowsTheNearestRank) {
  std::mt19937_64 random(7);  // NOLINT(cert-msc51-cpp): the same each time
  std::lognormal_distribution<double> late_us(6, 2);
  std::vector<std::chrono::microseconds> all;
  Lateness lateness;
  for (int i = 0; i < 10'000; ++i) {
    all.emplace_back(static_cast<std::int64_t>(late_us(random)));
    lateness.add(all.back());
  }
  for (const double percent : {1.0, 50.0, 90.0, 99.0, 99.9, 100.0}) {
    const auto exact = nearest_rank_ms(all, percent).value();
    EXPECT_NEAR(lateness.percentile_ms(percent).value(), exact, exact / 128) << percent;
  }
}

TEST(Lateness, BoundsWhatIsAdded) {
  Lateness lateness;
  lateness.add(-5ms);
  EXPECT_EQ(lateness.percentile_ms(100), 0);
  lateness.add(std::chrono::nanoseconds::max());
  EXPECT_EQ(lateness.percentile_ms(50), 0);
  EXPECT_EQ(lateness.percentile_ms(100), ((std::int64_t{1} << 40) - 1) / 1e3);
}

}  // namespace
}  // namespace memprof::clock
