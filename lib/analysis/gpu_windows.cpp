#include "analysis/gpu_windows.hpp"

#include "analysis/statistics.hpp"

#include <algorithm>

namespace memprof::analysis {
namespace {

std::size_t first_at(const std::vector<GpuReading>& readings, Timestamp time) {
  const auto at = std::lower_bound(
      readings.begin(), readings.end(), time,
      [](const GpuReading& reading, Timestamp value) { return reading.timestamp < value; });
  return static_cast<std::size_t>(at - readings.begin());
}

}  // namespace

std::optional<double> baseline_mib(const GpuSeries& series, std::optional<Timestamp> from,
                                   std::optional<Timestamp> before) {
  if (!before) return std::nullopt;
  const auto begin = from ? first_at(series.readings, *from) : 0;
  const auto end = first_at(series.readings, *before);
  std::vector<std::int64_t> values;
  for (auto i = begin; i < end; ++i) values.push_back(series.readings[i].used_mib);
  return median(std::move(values));
}

GpuWindows::GpuWindows(const GpuSeries& series)
    : readings_(series.readings),
      peaks_(readings_.size(), [&](std::size_t i) { return readings_[i].used_mib; }) {
  std::int64_t sum = 0;
  for (std::size_t i = 0; i < readings_.size(); ++i) {
    if (i % kBlock == 0) sums_.push_back(sum);
    sum += readings_[i].used_mib;
  }
  sums_.push_back(sum);
}

std::int64_t GpuWindows::sum_below(std::size_t end) const {
  std::int64_t sum = sums_[end / kBlock];
  for (auto i = end / kBlock * kBlock; i < end; ++i) sum += readings_[i].used_mib;
  return sum;
}

GpuWindow GpuWindows::between(Timestamp from, Timestamp to) const {
  GpuWindow window;
  const auto begin = first_at(readings_, from);
  const auto end = first_at(readings_, to + std::chrono::microseconds(1));
  if (begin >= end) return window;
  window.samples = static_cast<std::int64_t>(end - begin);
  window.peak_mib =
      peaks_.peak(begin, end, [&](std::size_t i) { return readings_[i].used_mib; });
  window.mean_mib =
      static_cast<double>(sum_below(end) - sum_below(begin)) / static_cast<double>(window.samples);
  return window;
}

}  // namespace memprof::analysis
