#pragma once

#include "records/units.hpp"

#include <boost/describe.hpp>

#include <cstdint>
#include <optional>
#include <string>

namespace memprof {

/// A row of gpu_mem_trace.csv; exactly these five columns, as in the original scripts.
struct GpuMemRow {
  Timestamp timestamp;            ///< when the reading came back; shared by one tick's rows
  std::int64_t gpu_idx = 0;       ///< the driver's index
  std::optional<MiB> used_mib;    ///< without what the driver reserves, as nvidia-smi shows it
  std::optional<MiB> total_mib;
  std::optional<std::int64_t> util_pct;  ///< 0–100, share of time a kernel ran; not memory
};
BOOST_DESCRIBE_STRUCT(GpuMemRow, (), (timestamp, gpu_idx, used_mib, total_mib, util_pct))

/// Which GPU a `gpu_idx` is. What a driver does not tell stays empty.
struct GpuInfo {
  std::int64_t gpu_idx = 0;
  std::optional<std::string> name;
  std::optional<std::string> uuid;
  std::optional<std::string> pci_bus_id;
  std::optional<std::string> driver_version;
  std::optional<MiB> total_mib;
  std::optional<MiB> reserved_mib;  ///< kept by the driver, in neither used nor free
};
BOOST_DESCRIBE_STRUCT(GpuInfo, (),
                      (gpu_idx, name, uuid, pci_bus_id, driver_version, total_mib, reserved_mib))

}  // namespace memprof
