#pragma once

#include "http/url.hpp"
#include "records/error.hpp"
#include "records/gpu.hpp"

#include <boost/describe.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

/// Where figures of device memory come from.
namespace memprof::gpu {

BOOST_DEFINE_ENUM_CLASS(Backend, nvml, nvidia_smi, nvidia_smi_poll, amdgpu, simulated, none)

/// What a source is to do.
struct SourceSpec {
  std::optional<std::vector<std::int64_t>> gpus;  ///< driver indices, in this order; none: all
  std::chrono::nanoseconds interval{0};           ///< between two readings
  std::string sysfs_root = "/sys";                ///< amdgpu
  std::optional<http::Url> simulator;  ///< simulated needs it; with or without its /v1
  int interrupt_fd = -1;  ///< readable when a source should give up waiting for what it has asked
};

/// What a process holds on a GPU now; `used_mib` is empty when the driver does not tell.
struct ProcessUse {
  std::int64_t gpu_idx = 0;
  std::int64_t pid = 0;
  std::optional<MiB> used_mib;
};

/// A way to read GPUs. All calls from one thread; any call may take for ever (it is the driver's).
class GpuSource {
 public:
  virtual ~GpuSource() = default;

  /// Every GPU there is, chosen or not. Fails, with a reason in words, when there is none of whose
  /// memory a figure can be had. Called once, before the others.
  virtual Result<std::vector<GpuInfo>> probe() = 0;
  /// A row per chosen GPU, in order, without a timestamp. What cannot be read is blank. Reads now,
  /// or returns with the next reading that comes by itself (paces_itself). False: nothing came.
  virtual bool read(std::vector<GpuMemRow>& rows) = 0;
  /// Driver indices of chosen GPUs of which the driver says that they are gone (fallen off the bus,
  /// reset required).
  [[nodiscard]] virtual std::vector<std::int64_t> lost() const { return {}; }
  /// Which processes hold memory on the chosen GPUs; empty when the source cannot tell. Costs more
  /// than read().
  virtual std::vector<ProcessUse> processes() { return {}; }

  /// What went wrong since the last call, one sentence for each kind of trouble, ever.
  std::vector<std::string> take_warnings();

 protected:
  void warn_once(std::string_view kind, std::string_view text);

 private:
  std::set<std::string, std::less<>> kinds_;
  std::vector<std::string> warnings_;
};

/// The driver's bytes in whole MiB, rounded up as nvidia-smi does.
constexpr MiB to_mib(std::uint64_t bytes) {
  return static_cast<MiB>((bytes >> 20) + ((bytes & ((1u << 20) - 1)) != 0 ? 1 : 0));
}

/// Waiting longer after each failure in a row: 1, 2, 4 … 30 s.
class BackOff {
 public:
  std::chrono::seconds next() {
    const auto now = wait_;
    wait_ = std::min(wait_ * 2, std::chrono::seconds(30));
    return now;
  }
  void reset() { wait_ = std::chrono::seconds(1); }

 private:
  std::chrono::seconds wait_{1};
};

}  // namespace memprof::gpu
