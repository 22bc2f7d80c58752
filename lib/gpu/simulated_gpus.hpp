#pragma once

#include "records/error.hpp"

#include <boost/describe.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace memprof::gpu {

/// One GPU of vllm_simulator's `GET /simulator/gpus`; its other keys are not needed here.
struct SimulatedGpu {
  std::int64_t gpu_idx = 0;
  std::string name;
  std::string uuid;
  std::int64_t total_bytes = 0;     ///< reserved included
  std::int64_t reserved_bytes = 0;  ///< not in used_bytes
  std::int64_t used_bytes = 0;
  double busy_s = 0;  ///< seconds of wall time with a step under way, since its start
  std::int64_t pid = 0;
};
BOOST_DESCRIBE_STRUCT(SimulatedGpu, (),
                      (gpu_idx, name, uuid, total_bytes, reserved_bytes, used_bytes, busy_s, pid))

/// `GET /simulator/gpus`.
struct SimulatedGpus {
  double speed = 1;  ///< simulated seconds in a second
  std::optional<std::int64_t> kv_bytes_per_token;  ///< on one GPU
  std::vector<SimulatedGpu> gpus;
};
BOOST_DESCRIBE_STRUCT(SimulatedGpus, (), (speed, kv_bytes_per_token, gpus))

/// Fails (environment) on a body that is not such a page: a wrong type, no GPU, a size that is
/// negative or beyond the total.
Result<SimulatedGpus> parse_simulated_gpus(std::string_view body);

}  // namespace memprof::gpu
