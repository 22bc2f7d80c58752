#pragma once

#include "gpu/source.hpp"

#include <string>
#include <vector>

namespace memprof::gpu {

/// AMD GPUs through the files that the kernel's amdgpu driver shows below /sys. A GPU's index is
/// its place among the driver's cards, as ROCm counts.
class AmdgpuSource final : public GpuSource {
 public:
  explicit AmdgpuSource(SourceSpec spec) : spec_(std::move(spec)) {}

  Result<std::vector<GpuInfo>> probe() override;
  bool read(std::vector<GpuMemRow>& rows) override;

 private:
  struct Card {
    std::int64_t index = 0;
    std::string folder;  ///< …/class/drm/card0/device
  };
  std::optional<std::int64_t> number(const Card& card, const char* file);

  SourceSpec spec_;
  std::vector<Card> cards_;
};

}  // namespace memprof::gpu
