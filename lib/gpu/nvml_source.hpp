#pragma once

#include "clock/run_clock.hpp"
#include "gpu/nvml_api.hpp"
#include "gpu/source.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace memprof::gpu {

/// NVIDIA GPUs through the driver's library. A GPU that is lost is asked for again once a second,
/// while the others go on; a driver that goes away is initialised anew, with growing pauses.
class NvmlSource final : public GpuSource {
 public:
  explicit NvmlSource(SourceSpec spec) : spec_(std::move(spec)) {}
  ~NvmlSource() override;

  Result<std::vector<GpuInfo>> probe() override;
  bool read(std::vector<GpuMemRow>& rows) override;
  [[nodiscard]] std::vector<std::int64_t> lost() const override;
  std::vector<ProcessUse> processes() override;

 private:
  struct Gpu {
    std::int64_t index = 0;
    std::string uuid;
    nvml::Device handle = nullptr;  ///< null: to be asked for at `retry_at`
    bool lost = false;
    clock::SinceBoot retry_at{0};
  };
  struct MemoryFigures {
    std::uint64_t used = 0;
    std::uint64_t total = 0;
    std::optional<std::uint64_t> reserved;
  };

  GpuInfo describe(Gpu& gpu);
  std::string text_of(int (*get)(nvml::Device, char*, unsigned), const Gpu& gpu) const;
  int open(Gpu& gpu);
  int memory(const Gpu& gpu, MemoryFigures& figures);
  int memory_v1(const Gpu& gpu, MemoryFigures& figures);
  void read_gpu(Gpu& gpu, GpuMemRow& row);
  /// A memory figure, or why there is none.
  bool take_memory(Gpu& gpu, MemoryFigures& figures);
  void fail(Gpu& gpu, const char* call, int code);
  bool driver_is_back();

  SourceSpec spec_;
  nvml::Api api_;
  bool initialized_ = false;
  bool memory_v2_works_ = true;
  std::vector<Gpu> gpus_;
  int last_code_ = 0;
  bool driver_gone_ = false;
  clock::SinceBoot init_at_{0};
  BackOff back_off_;
  std::vector<std::byte> process_buffer_;
};

}  // namespace memprof::gpu
