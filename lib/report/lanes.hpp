#pragma once

#include "analysis/run_traces.hpp"

#include <cstddef>
#include <vector>

namespace memprof::report {

/// A request and the lane in which it is drawn; requests of one lane do not overlap.
struct LaneEntry {
  const RequestTraceRow* row = nullptr;
  std::size_t lane = 0;
};

struct RequestLanes {
  std::vector<LaneEntry> entries;  ///< by start
  std::size_t count = 0;           ///< lanes
  std::size_t started = 0;         ///< requests that have a start and an end
};

/// Each request in the lowest lane that is free at its start. Of more than `most` requests every
/// n-th stays, and of those that failed up to half of `most` as well.
RequestLanes assign_lanes(const std::vector<RequestTraceRow>& rows, std::size_t most);

}  // namespace memprof::report
