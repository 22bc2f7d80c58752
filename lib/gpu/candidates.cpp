#include "gpu/candidates.hpp"

#include "formats/number.hpp"
#include "gpu/amdgpu_source.hpp"
#include "gpu/nvml_source.hpp"
#include "gpu/simulated_source.hpp"
#include "gpu/smi_source.hpp"

#include <filesystem>
#include <string>

namespace memprof::gpu {

std::vector<Backend> candidates(std::optional<Backend> chosen) {
  if (chosen) return {*chosen};
  return {Backend::nvml, Backend::nvidia_smi, Backend::amdgpu};
}

std::unique_ptr<GpuSource> make_source(Backend backend, SourceSpec spec) {
  switch (backend) {
    case Backend::nvml: return std::make_unique<NvmlSource>(std::move(spec));
    case Backend::nvidia_smi: return std::make_unique<SmiStreamSource>(std::move(spec));
    case Backend::nvidia_smi_poll: return std::make_unique<SmiPollSource>(std::move(spec));
    case Backend::amdgpu: return std::make_unique<AmdgpuSource>(std::move(spec));
    case Backend::simulated: return std::make_unique<SimulatedSource>(std::move(spec));
    case Backend::none: break;
  }
  return nullptr;
}

std::chrono::nanoseconds probe_patience() {
  using namespace std::chrono_literals;
  std::chrono::nanoseconds patience = 5s;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator("/dev", error)) {
    const std::string name = entry.path().filename();
    if (name.starts_with("nvidia") && formats::parse_uint(std::string_view(name).substr(6))) {
      patience += 3s;
    }
  }
  return patience;
}

}  // namespace memprof::gpu
