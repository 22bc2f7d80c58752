#include "analysis/gpu_windows.hpp"

#include "sample_run.hpp"

#include <gtest/gtest.h>

namespace memprof::analysis {
namespace {

using testing::at;

GpuSeries series_of(const std::vector<MiB>& used) {
  GpuSeries series;
  double time = 0;
  for (const auto value : used) series.readings.push_back({at(time++), value});
  return series;
}

TEST(GpuWindows, EveryWindowOfASeriesAgreesWithCountingByHand) {
  for (std::size_t size = 1; size <= 9; ++size) {
    std::vector<MiB> used;
    for (std::size_t i = 0; i < size; ++i) used.push_back(static_cast<MiB>((i * 7 + 3) % 10));
    const auto series = series_of(used);
    const GpuWindows windows(series);
    for (std::size_t from = 0; from < size; ++from) {
      MiB peak = 0;
      double sum = 0;
      for (std::size_t to = from; to < size; ++to) {
        peak = std::max(peak, used[to]);
        sum += static_cast<double>(used[to]);
        const auto found =
            windows.between(at(static_cast<double>(from)), at(static_cast<double>(to)));
        EXPECT_EQ(found.peak_mib, peak) << size << ": " << from << "–" << to;
        EXPECT_DOUBLE_EQ(*found.mean_mib, sum / static_cast<double>(to - from + 1));
        EXPECT_EQ(found.samples, static_cast<std::int64_t>(to - from + 1));
      }
    }
  }
}

TEST(GpuWindows, BetweenTwoReadingsThereIsNothing) {
  const auto series = series_of({1, 2, 3});
  const GpuWindows windows(series);
  EXPECT_EQ(windows.between(at(0.2), at(0.8)).peak_mib, std::nullopt);
  EXPECT_EQ(windows.between(at(5), at(9)).samples, 0);
  EXPECT_EQ(GpuWindows(GpuSeries{}).between(at(0), at(9)).mean_mib, std::nullopt);
}

TEST(Baseline, IsTheMedianBeforeTheLoad) {
  const auto series = series_of({900, 100, 100, 104, 110, 500});
  EXPECT_EQ(baseline_mib(series, at(1), at(5)), 102);
  EXPECT_EQ(baseline_mib(series, std::nullopt, at(5)), 104);
  EXPECT_EQ(baseline_mib(series, at(1), at(1)), std::nullopt);
  EXPECT_EQ(baseline_mib(series, at(1), std::nullopt), std::nullopt);
}

}  // namespace
}  // namespace memprof::analysis
