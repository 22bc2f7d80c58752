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

GpuWindows::GpuWindows(const GpuSeries& series) : readings_(series.readings) {
  const auto size = readings_.size();
  sums_.resize(size + 1);
  peaks_.resize(2 * size);
  for (std::size_t i = 0; i < size; ++i) {
    sums_[i + 1] = sums_[i] + readings_[i].used_mib;
    peaks_[size + i] = readings_[i].used_mib;
  }
  for (std::size_t i = size; i-- > 1;) peaks_[i] = std::max(peaks_[2 * i], peaks_[2 * i + 1]);
}

MiB GpuWindows::peak(std::size_t begin, std::size_t end) const {
  const auto size = readings_.size();
  MiB most = readings_[begin].used_mib;
  for (begin += size, end += size; begin < end; begin /= 2, end /= 2) {
    if (begin % 2 == 1) most = std::max(most, peaks_[begin++]);
    if (end % 2 == 1) most = std::max(most, peaks_[--end]);
  }
  return most;
}

GpuWindow GpuWindows::between(Timestamp from, Timestamp to) const {
  GpuWindow window;
  const auto begin = first_at(readings_, from);
  const auto end = first_at(readings_, to + std::chrono::microseconds(1));
  if (begin >= end) return window;
  window.samples = static_cast<std::int64_t>(end - begin);
  window.peak_mib = peak(begin, end);
  window.mean_mib =
      static_cast<double>(sums_[end] - sums_[begin]) / static_cast<double>(window.samples);
  return window;
}

}  // namespace memprof::analysis
