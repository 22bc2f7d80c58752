#include "report/lanes.hpp"

#include "analysis/lanes.hpp"

#include <algorithm>

namespace memprof::report {
namespace {

void thin(std::vector<LaneEntry>& entries, std::size_t most) {
  if (entries.size() <= most) return;
  const auto step = (entries.size() + most / 2 - 1) / (most / 2);
  std::size_t failed = 0;
  std::vector<LaneEntry> kept;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const bool is_failed = !entries[i].row->ok() && failed < most / 2;
    if (i % step != 0 && !is_failed) continue;
    if (i % step != 0) ++failed;
    kept.push_back(entries[i]);
  }
  entries = std::move(kept);
}

}  // namespace

RequestLanes assign_lanes(const std::vector<RequestTraceRow>& rows, std::size_t most) {
  RequestLanes lanes;
  for (const auto& row : rows) {
    if (row.start_ts && row.end_ts) lanes.entries.push_back({&row, 0});
  }
  lanes.started = lanes.entries.size();
  std::stable_sort(lanes.entries.begin(), lanes.entries.end(),
                   [](const auto& a, const auto& b) { return a.row->start_ts < b.row->start_ts; });
  analysis::Lanes free;
  for (auto& entry : lanes.entries) {
    const auto start = *entry.row->start_ts;
    entry.lane = free.take(start, std::max(start, *entry.row->end_ts));
  }
  lanes.count = free.count();
  thin(lanes.entries, most);
  return lanes;
}

}  // namespace memprof::report
