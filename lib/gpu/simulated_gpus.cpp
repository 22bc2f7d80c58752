#include "gpu/simulated_gpus.hpp"

#include "formats/json.hpp"

#include <fmt/format.h>

namespace memprof::gpu {

Result<SimulatedGpus> parse_simulated_gpus(std::string_view body) {
  const auto wrong = [](const std::string& what) {
    return Error{ExitCode::environment, "not a simulator's page of GPUs: " + what};
  };
  boost::system::error_code error;
  const auto json = boost::json::parse(body, error);
  if (error) return wrong("no JSON");
  auto page = formats::from_json<SimulatedGpus>(json);
  if (page.has_error()) return wrong(page.error().message);
  if (page->gpus.empty()) return wrong("no GPU in it");
  for (const auto& gpu : page->gpus) {
    const bool sound = gpu.gpu_idx >= 0 && gpu.total_bytes > 0 && gpu.reserved_bytes >= 0 &&
                       gpu.used_bytes >= 0 && gpu.used_bytes <= gpu.total_bytes;
    if (!sound) return wrong(fmt::format("GPU {} has impossible sizes", gpu.gpu_idx));
  }
  return page;
}

}  // namespace memprof::gpu
