#include "clock/run_clock.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <thread>

namespace memprof::clock {
namespace {

using namespace std::chrono_literals;

TEST(Anchor, IsAWholeNumberOfNanosecondsAsText) {
  const Anchor anchor{1772013600123456789ns};
  EXPECT_EQ(to_text(anchor), "1772013600123456789");
  EXPECT_EQ(parse_anchor(to_text(anchor))->utc_minus_boot, anchor.utc_minus_boot);
  EXPECT_EQ(parse_anchor("-5")->utc_minus_boot, -5ns);
  for (const char* text : {"", "x", "1.5", "12 ", " 12", "99999999999999999999"}) {
    EXPECT_FALSE(parse_anchor(text)) << text;
  }
}

TEST(Anchor, TiesToTheWallClock) {
  const RunClock clock(take_anchor());
  const auto difference = clock.now() - std::chrono::floor<std::chrono::microseconds>(
                                            std::chrono::system_clock::now());
  EXPECT_LT(std::chrono::abs(difference), 50ms);
  EXPECT_LT(std::abs(clock.wall_clock_shift_ms()), 50);
}

TEST(RunClock, StampsAreWholeMicrosecondsFromTheAnchor) {
  const RunClock clock(Anchor{1'000'000'000ns});
  EXPECT_EQ(clock.at(1999ns).time_since_epoch(), 1'000'001us);
  EXPECT_EQ(clock.at(0ns).time_since_epoch(), 1s);
}

TEST(RunClock, AStepOfTheWallClockShowsInTheShiftAlone) {
  auto anchor = take_anchor();
  anchor.utc_minus_boot -= 5s;  // as if the wall clock had been set 5 s ahead since
  const RunClock clock(anchor);
  EXPECT_NEAR(clock.wall_clock_shift_ms(), 5000, 50);
}

TEST(RunClock, NeverRunsBackwards) {
  const RunClock clock(take_anchor());
  auto last = clock.now();
  for (int i = 0; i < 100'000; ++i) {
    const auto now = clock.now();
    ASSERT_GE(now, last);
    last = now;
  }
}

TEST(RunClock, TakesTheAnchorOfTheRunFromTheEnvironment) {
  ::setenv(kAnchorVariable, "123456", 1);
  EXPECT_EQ(RunClock::from_environment().anchor().utc_minus_boot, 123456ns);
  ::setenv(kAnchorVariable, "nonsense", 1);
  EXPECT_GT(RunClock::from_environment().anchor().utc_minus_boot, 1s);
  ::unsetenv(kAnchorVariable);
  EXPECT_GT(RunClock::from_environment().anchor().utc_minus_boot, 1s);
}

TEST(ProcessCpuSeconds, CountsOwnWorkNotSleep) {
  const auto before = process_cpu_seconds();
  std::this_thread::sleep_for(60ms);
  const auto slept = process_cpu_seconds();
  EXPECT_LT(slept - before, 0.05);
  const auto until = RunClock::since_boot() + 10s;
  while (process_cpu_seconds() < slept + 0.02 && RunClock::since_boot() < until) {
  }
  EXPECT_GE(process_cpu_seconds(), slept + 0.02);
}

}  // namespace
}  // namespace memprof::clock
