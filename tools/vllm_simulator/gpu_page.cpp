#include "gpu_page.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <unistd.h>

namespace memprof::simulator_tool {

std::string gpu_page(const Setup& setup, double speed, Seconds busy_s) {
  const auto& memory = setup.memory;
  boost::json::array gpus;
  for (std::int64_t i = 0; i < setup.preset.gpus; ++i) {
    gpus.push_back({{"gpu_idx", i},
                    {"name", setup.preset.gpu_name},
                    {"uuid", fmt::format("SIM-{}", i)},
                    {"total_bytes", memory.total},
                    {"reserved_bytes", memory.reserved},
                    {"weights_bytes", memory.weights},
                    {"activations_bytes", memory.activations},
                    {"runtime_bytes", memory.runtime},
                    {"graphs_bytes", memory.graphs},
                    {"kv_pool_bytes", memory.kv_pool},
                    {"used_bytes", memory.used()},
                    {"busy_s", busy_s},
                    {"pid", ::getpid()}});
  }
  return boost::json::serialize(boost::json::object{
      {"speed", speed},
      {"kv_bytes_per_token", simulator::kv_bytes_per_token(setup.preset)},
      {"gpus", std::move(gpus)}});
}

}  // namespace memprof::simulator_tool
