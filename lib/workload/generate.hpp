#pragma once

#include "records/workload.hpp"
#include "workload/prompts.hpp"

#include <cstdint>
#include <functional>
#include <string_view>

namespace memprof::workload {

/// Takes whole lines of workload.jsonl, `requests` of them. False: no more, please.
using LineSink = std::function<bool(std::string_view lines, std::int64_t requests)>;

/// Writes a workload into `sink`, some 256 KiB at a time, in memory that is bounded by the longest
/// line. The spec has passed count_requests(). Same spec and fit: same bytes, on every machine.
void generate(const WorkloadSpec& spec, const TextFit& fit, const LineSink& sink);

}  // namespace memprof::workload
