#include "analysis/server_windows.hpp"

#include "sample_metrics.hpp"

#include <gtest/gtest.h>

namespace memprof::analysis {
namespace {

using testing::at;
using testing::scrape;
using testing::SampleRun;

TEST(ServerWindows, GaugesOfTheScrapesInAWindow) {
  SampleRun run;
  scrape(run, {1, 90, 9, 9});
  scrape(run, {2, 10, 1, 0});
  scrape(run, {3, 40, 3, 2});
  scrape(run, {4, 99, 9, 9});
  const ServerWindows windows(run.traces);
  const auto window = windows.gauges({at(2), at(3)});
  EXPECT_EQ(window.scrapes, 2);
  EXPECT_EQ(window.usage_mean_pct, 25);
  EXPECT_EQ(window.usage_peak_pct, 40);
  EXPECT_EQ(window.tokens_peak, 640);
  EXPECT_EQ(window.running_peak, 3);
  EXPECT_EQ(window.waiting_peak, 2);
  EXPECT_EQ(window.preemptions, std::nullopt);
  EXPECT_EQ(windows.gauges({at(3.1), at(3.9)}).usage_peak_pct, std::nullopt);
}

TEST(ServerWindows, SeveralEnginesAreSummedAndTheFullestDecidesUsage) {
  SampleRun run;
  scrape(run, {1, 20, 1, 0, 3}, "0");
  scrape(run, {2, 30, 2, 1, 5}, "0");
  scrape(run, {1, 60, 4, 0, 10}, "1");
  scrape(run, {2, 50, 3, 2, 11}, "1");
  const ServerWindows windows(run.traces);
  ASSERT_EQ(windows.scrapes().size(), 2u);
  const auto window = windows.gauges({at(0), at(9)});
  EXPECT_EQ(window.usage_peak_pct, 60);
  EXPECT_EQ(window.usage_mean_pct, 40);
  EXPECT_EQ(window.tokens_peak, 80 * 16);
  EXPECT_EQ(window.running_peak, 5);
  EXPECT_EQ(window.waiting_peak, 3);
  EXPECT_EQ(windows.growth(windows.scrapes()[0], windows.scrapes()[1]).preemptions_total, 3);
}

TEST(ServerWindows, DifferencesSurviveAReset) {
  SampleRun run;
  for (const std::int64_t count : {100, 130, 5, 12}) {
    scrape(run, {static_cast<double>(run.traces.engine_rows), 0, 0, 0, count});
  }
  const ServerWindows windows(run.traces);
  EXPECT_EQ(windows.resets(), 1);
  EXPECT_EQ(windows.growth(windows.scrapes()[0], windows.scrapes()[3]).preemptions_total, 42);
  EXPECT_EQ(windows.growth(windows.scrapes()[2], windows.scrapes()[3]).preemptions_total, 7);
}

TEST(ServerWindows, WhatIsCountedLateBelongsToThePartBefore) {
  SampleRun run;
  scrape(run, {0, 0, 0, 0, 0});
  scrape(run, {2, 50, 1, 0, 1});
  scrape(run, {4.5, 0, 0, 0, 3});  // in the pause: two more than when the first part ended
  scrape(run, {6, 50, 1, 0, 4});
  scrape(run, {9, 0, 0, 0, 9});
  const ServerWindows windows(run.traces);
  const auto found = windows.attribute({{at(5), at(8)}, {at(1), at(4)}});
  EXPECT_EQ(found[0].preemptions, 6);
  EXPECT_EQ(found[1].preemptions, 3);
  EXPECT_EQ(found[1].usage_peak_pct, 50);
}

TEST(ServerWindows, CountersAreNoneWithoutAScrapeBetweenTwoParts) {
  SampleRun run;
  scrape(run, {0, 0, 0, 0, 0});
  scrape(run, {2, 50, 1, 0, 1});
  scrape(run, {6, 60, 1, 0, 4});
  scrape(run, {9, 0, 0, 0, 9});
  const ServerWindows windows(run.traces);
  const auto found = windows.attribute({{at(1), at(4)}, {at(5), at(8)}});
  EXPECT_EQ(found[0].preemptions, std::nullopt);
  EXPECT_EQ(found[1].preemptions, std::nullopt);
  EXPECT_EQ(found[0].usage_peak_pct, 50);
  EXPECT_EQ(found[1].usage_peak_pct, 60);
}

TEST(ServerWindows, AScrapeThatWasUnderWayAtTheEndIsNoTotal) {
  SampleRun run;
  scrape(run, {0, 0, 0, 0, 0});
  scrape(run, {8.001, 0, 0, 0, 9});  // asked at 7.996
  EXPECT_EQ(ServerWindows(run.traces).attribute({{at(1), at(8)}})[0].preemptions, std::nullopt);
  EXPECT_EQ(ServerWindows(run.traces).attribute({{at(1), at(7.996)}})[0].preemptions, 9);
}

TEST(ServerWindows, NobodyCanTellWhoseMemoryOverlappingPartsHad) {
  SampleRun run;
  for (const double time : {0., 2., 4., 6., 9.}) scrape(run, {time, 50});
  const auto found =
      ServerWindows(run.traces).attribute({{at(1), at(5)}, {at(3), at(4)}, {at(6), at(7)}});
  EXPECT_EQ(found[0].scrapes, 0);
  EXPECT_EQ(found[0].usage_peak_pct, std::nullopt);
  EXPECT_EQ(found[1].usage_peak_pct, std::nullopt);
  EXPECT_EQ(found[2].usage_peak_pct, 50);
}

TEST(ServerWindows, ACounterThatNoEngineHasIsNone) {
  SampleRun run;
  scrape(run, {0, 1});
  scrape(run, {1, 1});
  for (auto& reading : run.traces.engines["0"].readings) {
    reading.counters.prefix_cache_hits_total.reset();
  }
  const ServerWindows windows(run.traces);
  const auto grown = windows.growth(windows.scrapes()[0], windows.scrapes()[1]);
  EXPECT_EQ(grown.prefix_cache_hits_total, std::nullopt);
  EXPECT_EQ(grown.preemptions_total, 0);
  EXPECT_TRUE(ServerWindows(RunTraces{}).scrapes().empty());
}

}  // namespace
}  // namespace memprof::analysis
