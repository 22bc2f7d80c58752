#include "clock/ticks.hpp"

#include <gtest/gtest.h>

#include <random>

namespace memprof::clock {
namespace {

using namespace std::chrono_literals;

TEST(Ticks, AreDueAtWholeMultiplesWhateverTheLateness) {
  Ticks ticks(1s, 200ms);
  EXPECT_EQ(ticks.next_due(), 1s);
  ticks.take(1s + 3ms, 1s + 150ms);
  EXPECT_EQ(ticks.next_due(), 1200ms);
  ticks.take(1230ms, 1399ms);
  EXPECT_EQ(ticks.next_due(), 1400ms);
  EXPECT_EQ(ticks.account().missed, 0);
}

TEST(Ticks, ALateReadingTakesTheNextTickStill) {
  Ticks ticks(0s, 100ms);
  ticks.take(0ms, 150ms);  // the tick at 100 is late by half
  EXPECT_EQ(ticks.next_due(), 100ms);
  ticks.take(150ms, 160ms);
  EXPECT_EQ(ticks.next_due(), 200ms);
  EXPECT_EQ(ticks.account().missed, 0);
  EXPECT_EQ(ticks.account().lateness_max_ms, 50);
}

TEST(Ticks, WhatHasPassedIsSkippedAndCounted) {
  Ticks ticks(0s, 100ms);
  ticks.take(0ms, 350ms);  // 100 and 200 have passed whole, 300 is late
  EXPECT_EQ(ticks.next_due(), 300ms);
  EXPECT_EQ(ticks.account().missed, 2);
  EXPECT_EQ(ticks.account().due, 3);
}

TEST(Ticks, NothingCame) {
  Ticks ticks(0s, 100ms);
  ticks.miss(0ms);
  EXPECT_EQ(ticks.next_due(), 100ms);
  ticks.miss(1s);
  EXPECT_EQ(ticks.next_due(), 1000ms);
  const auto account = ticks.account();
  EXPECT_EQ(account.taken, 0);
  EXPECT_EQ(account.missed, 10);
  EXPECT_EQ(account.lateness_p50_ms, std::nullopt);
}

TEST(Ticks, Percentiles) {
  Ticks ticks(0s, 100ms);
  for (int i = 1; i <= 100; ++i) {
    const auto begun = ticks.next_due() + std::chrono::milliseconds(i % 100);
    ticks.take(begun, begun);
  }
  const auto account = ticks.account();
  EXPECT_EQ(account.interval_ms, 100);
  EXPECT_NEAR(account.lateness_p50_ms.value(), 49, 49.0 / 128);
  EXPECT_NEAR(account.lateness_p99_ms.value(), 98, 98.0 / 128);
  EXPECT_EQ(account.lateness_max_ms, 99);
}

TEST(Ticks, DueIsTakenPlusMissedAndNothingDrifts) {
  std::mt19937 random(7);
  for (int run = 0; run < 200; ++run) {
    const auto interval = std::chrono::milliseconds(1 + random() % 300);
    Ticks ticks(5s, interval);
    SinceBoot now = 5s;
    for (int i = 0; i < 200; ++i) {
      now = std::max(now, ticks.next_due()) + std::chrono::microseconds(random() % 3000);
      if (random() % 5 == 0) {
        now += std::chrono::milliseconds(random() % 900);
        ticks.miss(now);
      } else {
        const auto begun = now;
        now += std::chrono::microseconds(random() % (random() % 4 == 0 ? 700'000 : 500));
        ticks.take(begun, now);
      }
      const auto account = ticks.account();
      ASSERT_EQ(account.due, account.taken + account.missed);
      // Every tick before the next one is accounted for, once.
      ASSERT_EQ(ticks.next_due(), 5s + account.due * interval);
      ASSERT_GT(ticks.next_due() + interval, now);
    }
  }
}

}  // namespace
}  // namespace memprof::clock
