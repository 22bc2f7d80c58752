#pragma once

#include "analysis/kv_demand.hpp"
#include "analysis/run_traces.hpp"
#include "records/manifest.hpp"
#include "records/summary.hpp"

#include <optional>

namespace memprof::analysis {

/// The server's KV cache: as its metrics tell it, else as its start-up log does.
KvCapacity kv_capacity(const RunTraces& traces, const Manifest& manifest);

/// Where the memory goes, each figure with its source. Nothing is guessed: what no source tells of
/// a GPU stays none. `findings`: gpus and server_metrics filled in. None when there is neither a
/// GPU figure nor a KV cache.
std::optional<MemoryBreakdown> break_down(const RunTraces& traces, const Manifest& manifest,
                                          const KvCapacity& capacity, const Summary& findings);

}  // namespace memprof::analysis
