#include "analysis/in_flight.hpp"

#include "sample_run.hpp"

#include <gtest/gtest.h>

namespace memprof::analysis {
namespace {

using testing::at;
using testing::row;

TEST(InFlight, OverlapsAreCountedAndWeightedByTime) {
  // 0–4, 1–3, 2–6: three at once between 2 and 3; (4 + 2 + 4) s of requests in 6 s.
  const auto a = row("a", 4, 0, 4);
  const auto b = row("b", 4, 1, 3);
  const auto c = row("c", 4, 2, 6);
  const auto found = in_flight({&c, &a, &b});
  EXPECT_EQ(found.max, 3);
  EXPECT_DOUBLE_EQ(*found.mean, 10.0 / 6);
  EXPECT_EQ(found.first_start, at(0));
  EXPECT_EQ(found.last_end, at(6));
}

TEST(InFlight, AnEndMakesRoomForAStartInTheSameMicrosecond) {
  const auto a = row("a", 1, 0, 1);
  const auto b = row("b", 1, 1, 2);
  EXPECT_EQ(in_flight({&a, &b}).max, 1);
  EXPECT_DOUBLE_EQ(*in_flight({&a, &b}).mean, 1);
}

TEST(InFlight, WhatLastedNoTimeWasInFlightAllTheSame) {
  const auto a = row("a", 2, 1, 1);
  EXPECT_EQ(in_flight({&a}).max, 1);
  EXPECT_EQ(in_flight({&a}).mean, 0);
}

TEST(InFlight, NothingSentIsNotZero) {
  auto refused = row("a", 1, 0, 1);
  refused.start_ts.reset();
  EXPECT_EQ(in_flight({&refused}).max, std::nullopt);
  EXPECT_EQ(in_flight({}).mean, std::nullopt);
}

}  // namespace
}  // namespace memprof::analysis
