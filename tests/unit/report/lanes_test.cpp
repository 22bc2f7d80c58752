#include "report/lanes.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>

namespace memprof::report {
namespace {

RequestTraceRow row(int start, int end, const char* status = "ok") {
  RequestTraceRow made;
  made.start_ts = Timestamp(std::chrono::seconds(start));
  made.end_ts = Timestamp(std::chrono::seconds(end));
  made.status = status;
  return made;
}

TEST(Lanes, ARequestTakesTheLowestThatIsFree) {
  const std::vector rows{row(0, 10), row(1, 3), row(3, 5), row(4, 6)};
  const auto lanes = assign_lanes(rows, 100);
  ASSERT_EQ(lanes.entries.size(), 4U);
  EXPECT_EQ(lanes.count, 3U);
  EXPECT_EQ(lanes.entries[1].lane, 1U);
  EXPECT_EQ(lanes.entries[2].lane, 1U);
  EXPECT_EQ(lanes.entries[3].lane, 2U);
}

TEST(Lanes, WhatWasNeverSentHasNone) {
  const auto lanes = assign_lanes({row(0, 1), RequestTraceRow{}}, 100);
  EXPECT_EQ(lanes.entries.size(), 1U);
  EXPECT_EQ(lanes.started, 1U);
}

TEST(Lanes, ManyAreThinnedAndFailedOnesStay) {
  std::vector<RequestTraceRow> rows;
  for (int i = 0; i < 10'000; ++i) rows.push_back(row(i, i + 2, i == 4321 ? "error:x" : "ok"));
  const auto lanes = assign_lanes(rows, 100);
  EXPECT_EQ(lanes.started, 10'000U);
  EXPECT_LE(lanes.entries.size(), 100U);
  EXPECT_GE(lanes.entries.size(), 50U);
  EXPECT_TRUE(std::any_of(lanes.entries.begin(), lanes.entries.end(),
                          [](const LaneEntry& entry) { return !entry.row->ok(); }));
}

}  // namespace
}  // namespace memprof::report
