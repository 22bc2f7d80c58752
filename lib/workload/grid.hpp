#pragma once

#include "records/error.hpp"
#include "records/workload.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>

namespace memprof::workload {

/// The most requests that a workload may have.
inline constexpr std::int64_t kMaxRequests = 100'000'000;

/// One request of a grid, before its prompt is made.
struct GridRequest {
  std::int64_t index = 0;       ///< place in the workload, from 0
  std::size_t input_index = 0;  ///< place of input_len in the list
  Tokens input_len = 0;
  Tokens output_len = 0;
  std::int64_t concurrency = 0;
  PrefixMode prefix_mode = PrefixMode::low;
  std::int64_t rep = 0;      ///< within its condition, from 0
  std::int64_t sharer = 0;   ///< number among the requests of its input length and prefix mode
};

/// What `n_per_condition` comes to at a concurrency level. `auto`: as many as let the level be
/// reached, by all of its conditions together (group) or by each (condition).
std::int64_t requests_per_condition(const WorkloadSpec& spec, std::int64_t concurrency);

/// The number of requests. An Error (usage) when there are more than kMaxRequests, or when a line
/// would be longer than kMaxLineBytes.
Result<std::int64_t> count_requests(const WorkloadSpec& spec);

/// Every request in its order: concurrency, input_len, output_len, prefix_mode, rep. Ends early
/// when `take` returns false.
void for_each_request(const WorkloadSpec& spec,
                      const std::function<bool(const GridRequest&)>& take);

/// The first request of an input length and prefix mode.
GridRequest first_request(const WorkloadSpec& spec, std::size_t input_index, PrefixMode mode);

}  // namespace memprof::workload
