#pragma once

#include "clock/run_clock.hpp"
#include "gpu/simulated_gpus.hpp"
#include "gpu/source.hpp"
#include "http/fetch.hpp"

#include <map>
#include <optional>
#include <vector>

namespace memprof::gpu {

/// The GPUs of a vllm_simulator: they are its model's, not real ones.
class SimulatedSource final : public GpuSource {
 public:
  /// `spec.simulator` is given.
  explicit SimulatedSource(SourceSpec spec);

  Result<std::vector<GpuInfo>> probe() override;
  bool read(std::vector<GpuMemRow>& rows) override;
  [[nodiscard]] std::vector<std::int64_t> lost() const override;
  std::vector<ProcessUse> processes() override;

 private:
  struct Busy {
    clock::SinceBoot at{0};
    Seconds total = 0;
  };
  Result<SimulatedGpus> ask();
  /// Share of the time since the reading before in which a step was under way.
  std::optional<std::int64_t> utilization(const SimulatedGpu& gpu, clock::SinceBoot now);

  SourceSpec spec_;
  http::FetchRequest request_;
  std::vector<std::int64_t> chosen_;     ///< indices, in the rows' order
  std::map<std::int64_t, Busy> busy_;    ///< at the last reading, by index
  std::vector<SimulatedGpu> last_;       ///< the last reading; empty: it failed
  bool interrupted_ = false;
};

}  // namespace memprof::gpu
