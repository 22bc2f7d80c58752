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

TEST(Lanes, ManyAreMergedAndFailedOnesStay) {
  std::vector<RequestTraceRow> rows;
  for (int i = 0; i < 10'000; ++i) rows.push_back(row(i, i + 2, i == 4321 ? "error:x" : "ok"));
  const auto lanes = assign_lanes(rows, 100);
  EXPECT_EQ(lanes.started, 10'000U);
  EXPECT_TRUE(lanes.merged);
  // Two lanes that are busy all the time, and the one that failed on top of them.
  ASSERT_EQ(lanes.entries.size(), 3U);
  EXPECT_EQ(lanes.entries[0].row, nullptr);
  EXPECT_EQ(lanes.entries[0].end - lanes.entries[0].begin, std::chrono::seconds(10'000));
  ASSERT_NE(lanes.entries[2].row, nullptr);
  EXPECT_FALSE(lanes.entries[2].row->ok());
}

TEST(Lanes, LongPausesStay) {
  std::vector<RequestTraceRow> rows;
  for (int i = 0; i < 1000; ++i) rows.push_back(row(3 * i, 3 * i + 1));
  for (int i = 0; i < 1000; ++i) rows.push_back(row(100'000 + 3 * i, 100'001 + 3 * i));
  const auto lanes = assign_lanes(rows, 100);
  ASSERT_EQ(lanes.entries.size(), 2U);
  EXPECT_GE(lanes.longest_pause_s, 2);
  EXPECT_EQ(lanes.entries[1].begin, *row(100'000, 100'001).start_ts);
}

}  // namespace
}  // namespace memprof::report
