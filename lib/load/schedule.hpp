#pragma once

#include "records/request_trace.hpp"
#include "records/workload.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace memprof::load {

/// A workload line, ready to be sent any number of times without being copied.
struct PreparedRequest {
  RequestTraceRow row;      ///< what the line says; the rest is filled in as it happens
  std::string prompt_json;  ///< as it stands in the body: a JSON string, or an array of ids
  bool token_ids = false;
};

/// Serialises the prompt once.
PreparedRequest prepare(WorkloadRequest&& request);

/// Requests that run together: at most `concurrency` of them in flight, in this order.
struct Batch {
  std::int64_t concurrency = 0;
  std::vector<std::size_t> requests;  ///< indices into the workload
};

/// In ascending concurrency, otherwise in the workload's order. `condition`: each grid cell (its
/// concurrency, lengths and prefix mode) is a batch of its own.
std::vector<Batch> make_batches(const std::vector<PreparedRequest>& workload, Schedule schedule);

}  // namespace memprof::load
