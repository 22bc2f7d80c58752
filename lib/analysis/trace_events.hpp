#pragma once

#include "analysis/run_traces.hpp"
#include "records/manifest.hpp"

#include <functional>
#include <string_view>

namespace memprof::analysis {

/// A run as a trace in Chrome's JSON format, which ui.perfetto.dev opens, in pieces of about a
/// megabyte: requests as slices in lanes, phases and concurrency groups as slices, the server's and
/// the GPUs' readings as counters (docs/formats.md). What was not measured has no event. Whatever
/// names and texts the run has, it is valid JSON.
void write_trace_events(const RunTraces& traces, const Manifest& manifest,
                        const std::function<void(std::string_view)>& on_text);

}  // namespace memprof::analysis
