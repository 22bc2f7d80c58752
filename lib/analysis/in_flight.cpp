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

}  // namespace memprof::analysis
