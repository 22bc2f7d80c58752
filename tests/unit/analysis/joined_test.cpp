#include "analysis/joined.hpp"

#include "sample_metrics.hpp"

#include <gtest/gtest.h>

namespace memprof::analysis {
namespace {

using testing::at;
using testing::measured_run;
using testing::row;
using testing::scrape;

std::vector<JoinedRow> joined(const testing::SampleRun& run) {
  std::vector<JoinedRow> rows;
  join(run.traces, [&](const JoinedRow& each) { rows.push_back(each); });
  return rows;
}

TEST(Joined, EachRequestWithWhatMemoryDidWhileItRan) {
  auto run = measured_run();
  run.traces.engines["0"].readings[3].counters.preemptions_total = 9;
  run.traces.engines["0"].readings[4].counters.preemptions_total = 10;
  run.traces.engines["0"].readings[2].waiting = 1;
  const auto rows = joined(run);
  ASSERT_EQ(rows.size(), 2u);
  const auto& a = rows[0];  // 10–20 s; scrapes at 9, 11, 15, 19, 23
  EXPECT_EQ(a.req_id, "a");
  EXPECT_EQ(a.kv_usage_start_pct, 0);
  EXPECT_EQ(a.kv_usage_peak_pct, 86);
  EXPECT_EQ(a.kv_usage_end_pct, 86);
  EXPECT_EQ(a.requests_waiting_peak, 1);
  EXPECT_EQ(a.preemptions, 3);  // to the first scrape after its end: they may be counted late
  EXPECT_EQ(a.gpu_peak_mib, 500);
  const auto& b = rows[1];  // 12–22 s
  EXPECT_EQ(b.kv_usage_start_pct, 41);
  EXPECT_EQ(b.gpu_peak_mib, 400);
}

TEST(Joined, WhatWasNotSeenIsEmpty) {
  auto run = measured_run();
  run.traces.requests = {row("between", 1, 15.1, 15.2), row("late", 1, 40, 41),
                         row("never", 1, 0, 0)};
  run.traces.requests[2].start_ts.reset();
  const auto rows = joined(run);
  EXPECT_EQ(rows[0].kv_usage_start_pct, 84);
  EXPECT_EQ(rows[0].kv_usage_peak_pct, std::nullopt);
  EXPECT_EQ(rows[0].gpu_peak_mib, std::nullopt);
  EXPECT_EQ(rows[1].kv_usage_start_pct, std::nullopt);  // the last scrape is 17 s old
  EXPECT_EQ(rows[1].preemptions, std::nullopt);
  EXPECT_EQ(rows[2].kv_usage_end_pct, std::nullopt);
  run.traces.engines.clear();
  EXPECT_EQ(joined(run)[0].kv_usage_start_pct, std::nullopt);
}

}  // namespace
}  // namespace memprof::analysis
