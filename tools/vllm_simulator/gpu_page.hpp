#pragma once

#include "records/units.hpp"
#include "setup.hpp"

#include <string>

namespace memprof::simulator_tool {

/// `GET /simulator/gpus`, what `gpu_mem_sampler --backend simulated` reads: JSON, memory in bytes.
/// `busy_s`: wall-clock seconds so far in which a step was under way.
std::string gpu_page(const Setup& setup, double speed, Seconds busy_s);

}  // namespace memprof::simulator_tool
