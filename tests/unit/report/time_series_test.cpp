#include "report/time_series.hpp"

#include <gtest/gtest.h>

namespace memprof::report {
namespace {

Timestamp at(int seconds) { return Timestamp(std::chrono::seconds(1'700'000'000 + seconds)); }

analysis::EngineReading reading(int seconds, std::optional<std::int64_t> running,
                                std::optional<std::int64_t> preemptions) {
  analysis::EngineReading made{};
  made.timestamp = made.asked = at(seconds);
  made.usage_pct = 10.0 * seconds;
  made.running = running;
  made.counters.preemptions_total = preemptions;
  return made;
}

TEST(TimeSeries, EnginesAreSummedWhereAllAreThere) {
  analysis::RunTraces traces;
  traces.engines["0"].readings = {reading(0, 1, 0), reading(1, 2, 0), reading(2, 3, 0)};
  traces.engines["1"].readings = {reading(0, 10, 0), reading(1, {}, 0), reading(2, 30, 0)};
  const auto run = read_series(traces);
  EXPECT_EQ(run.kv.size(), 2U);
  ASSERT_EQ(run.requests.size(), 1U);  // nobody told how many wait
  ASSERT_EQ(run.requests[0].points.size(), 2U);
  EXPECT_EQ(run.requests[0].points[1].y, 33);
}

TEST(TimeSeries, PreemptionsAreMarkedWhereTheCounterGrew) {
  analysis::RunTraces traces;
  traces.engines["0"].readings = {reading(0, 1, 5), reading(1, 1, 5), reading(2, 1, 7),
                                  reading(3, 1, 0), reading(4, 1, 1)};
  const auto run = read_series(traces);
  ASSERT_EQ(run.marks.size(), 2U);
  EXPECT_EQ(run.marks[0].count, 2);
  EXPECT_EQ(run.marks[0].x, 2);
  EXPECT_EQ(run.marks[1].count, 1);  // after a restart
}

TEST(TimeSeries, ManyGpusAreCutAndSaid) {
  analysis::RunTraces traces;
  for (int gpu = 0; gpu < 40; ++gpu) traces.gpus[gpu].readings = {{at(0), 1}, {at(1), 2}};
  const auto run = read_series(traces);
  EXPECT_EQ(run.gpus.size(), kMostLines);
  EXPECT_EQ(run.gpus_left_out, 8U);
  EXPECT_EQ(run.span, 1);
}

TEST(TimeSeries, NothingIsNothing) {
  const auto run = read_series({});
  EXPECT_EQ(run.span, 0);
  EXPECT_TRUE(run.kv.empty() && run.requests.empty() && run.gpus.empty() && run.bands.empty());
}

}  // namespace
}  // namespace memprof::report
