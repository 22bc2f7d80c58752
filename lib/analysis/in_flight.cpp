#include "analysis/in_flight.hpp"

#include <algorithm>

namespace memprof::analysis {

InFlight in_flight(const std::vector<const RequestTraceRow*>& rows) {
  std::vector<Timestamp> starts;
  std::vector<Timestamp> ends;
  double busy_s = 0;
  for (const auto* row : rows) {
    if (!row->start_ts || !row->end_ts || *row->end_ts < *row->start_ts) continue;
    starts.push_back(*row->start_ts);
    // What lasted less than the clock's step was in flight all the same.
    ends.push_back(std::max(*row->end_ts, *row->start_ts + std::chrono::microseconds(1)));
    busy_s += seconds_between(*row->start_ts, *row->end_ts);
  }
  InFlight found;
  if (starts.empty()) return found;
  std::sort(starts.begin(), starts.end());
  std::sort(ends.begin(), ends.end());
  std::int64_t now = 0;
  std::int64_t most = 0;
  auto end = ends.begin();
  for (const auto start : starts) {
    for (; end != ends.end() && *end <= start; ++end) --now;
    most = std::max(most, ++now);
  }
  found.first_start = starts.front();
  found.last_end = ends.back();
  found.max = most;
  found.mean = busy_s / seconds_between(starts.front(), ends.back());
  return found;
}

InFlightSteps::InFlightSteps(const std::vector<RequestTraceRow>& rows) {
  for (const auto& row : rows) {
    if (!row.start_ts || !row.end_ts || *row.end_ts < *row.start_ts) continue;
    steps_.push_back({*row.start_ts, 1});
    steps_.push_back({*row.end_ts, -1});
  }
  std::sort(steps_.begin(), steps_.end(), [](const Step& a, const Step& b) {
    return a.time != b.time ? a.time < b.time : a.count > b.count;
  });
  std::int64_t now = 0;
  for (auto& step : steps_) step.count = now += step.count;
  peaks_.emplace(steps_.size(), [&](std::size_t i) { return steps_[i].count; });
}

std::int64_t InFlightSteps::peak(Timestamp from, Timestamp to) const {
  const auto before = [](const Step& step, Timestamp time) { return step.time < time; };
  const auto index = [&](auto at) { return static_cast<std::size_t>(at - steps_.begin()); };
  // The step before `from` holds at `from`.
  auto begin = index(std::lower_bound(steps_.begin(), steps_.end(), from, before));
  if (begin > 0) --begin;
  const auto end = index(std::lower_bound(steps_.begin(), steps_.end(),
                                          to + std::chrono::microseconds(1), before));
  if (begin >= end) return 0;
  return peaks_->peak(begin, end, [&](std::size_t i) { return steps_[i].count; });
}

}  // namespace memprof::analysis
