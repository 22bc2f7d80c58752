#pragma once

#include "analysis/kv_demand.hpp"
#include "analysis/run_traces.hpp"
#include "analysis/server_windows.hpp"
#include "records/manifest.hpp"
#include "records/summary.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace memprof::analysis {

/// What the server's metrics say of a run beside figures.
struct ServerSigns {
  std::vector<Symptom> symptoms;           ///< worst first
  std::optional<std::string> pressure;     ///< none: the metrics that it takes were not there
  std::int64_t waiting_with_room = 0;      ///< scrapes, the second of two in a row each
  /// Most requests running and waiting beyond ours, in two scrapes in a row.
  std::int64_t requests_of_others = 0;
  std::optional<bool> prefix_caching;      ///< none: cannot be told
};

/// `findings`: levels and server_metrics filled in.
ServerSigns find_signs(const RunTraces& traces, const Manifest& manifest,
                       const ServerWindows& windows, const KvCapacity& capacity,
                       const Summary& findings);

}  // namespace memprof::analysis
