#include "report/lanes.hpp"

#include "analysis/lanes.hpp"

#include <algorithm>
#include <optional>

namespace memprof::report {
namespace {

/// Pauses up to `pause` close. `entries` by begin.
std::vector<LaneEntry> merge(const std::vector<LaneEntry>& entries, std::size_t lanes,
                             Seconds pause) {
  std::vector<std::optional<std::size_t>> last(lanes);
  std::vector<LaneEntry> merged;
  for (const auto& entry : entries) {
    auto& at = last[entry.lane];
    if (at && seconds_between(merged[*at].end, entry.begin) <= pause) {
      merged[*at].end = std::max(merged[*at].end, entry.end);
      merged[*at].row = nullptr;
      continue;
    }
    at = merged.size();
    merged.push_back(entry);
  }
  return merged;
}

void thin(RequestLanes& lanes, std::size_t most) {
  if (lanes.entries.size() <= most) return;
  std::vector<LaneEntry> failed;
  for (const auto& entry : lanes.entries) {
    if (!entry.row->ok() && failed.size() < most / 2) failed.push_back(entry);
  }
  const auto span = seconds_between(lanes.entries.front().begin, lanes.entries.back().end);
  auto merged = merge(lanes.entries, lanes.count, 0);
  auto pause = span / 10'000;
  while (merged.size() > most - failed.size() && pause < span) {
    lanes.longest_pause_s = pause;
    merged = merge(lanes.entries, lanes.count, pause);
    pause *= 2;
  }
  lanes.merged = true;
  lanes.entries = std::move(merged);
  lanes.entries.insert(lanes.entries.end(), failed.begin(), failed.end());
}

}  // namespace

RequestLanes assign_lanes(const std::vector<RequestTraceRow>& rows, std::size_t most) {
  RequestLanes lanes;
  for (const auto& row : rows) {
    if (!row.start_ts || !row.end_ts) continue;
    lanes.entries.push_back({0, *row.start_ts, std::max(*row.start_ts, *row.end_ts), &row});
  }
  lanes.started = lanes.entries.size();
  std::stable_sort(lanes.entries.begin(), lanes.entries.end(),
                   [](const auto& a, const auto& b) { return a.begin < b.begin; });
  analysis::Lanes free;
  for (auto& entry : lanes.entries) entry.lane = free.take(entry.begin, entry.end);
  lanes.count = free.count();
  thin(lanes, most);
  return lanes;
}

}  // namespace memprof::report
