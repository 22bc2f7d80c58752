#pragma once

#include "records/request_trace.hpp"

#include <cstddef>
#include <vector>

namespace memprof::report {

/// What is drawn in a lane: a request, or several that follow each other (`row` is none).
struct LaneEntry {
  std::size_t lane = 0;
  Timestamp begin;
  Timestamp end;
  const RequestTraceRow* row = nullptr;
};

struct RequestLanes {
  std::vector<LaneEntry> entries;  ///< those to be drawn on top last
  std::size_t count = 0;           ///< lanes
  std::size_t started = 0;         ///< requests that have a start and an end
  bool merged = false;             ///< requests of a lane are drawn as one
  Seconds longest_pause_s = 0;     ///< between requests that are drawn as one
};

/// Each request in the lowest lane that is free at its start. More than `most` requests are merged:
/// those of a lane become one where the pause between them is short, and failed ones, up to half of
/// `most`, stay by themselves on top. Then there are at most `most` entries, or one a lane.
RequestLanes assign_lanes(const std::vector<RequestTraceRow>& rows, std::size_t most);

}  // namespace memprof::report
