#pragma once

#include "records/gpu.hpp"

#include <optional>
#include <string>
#include <string_view>

/// What nvidia-smi prints with --format=csv,noheader,nounits.
namespace memprof::gpu {

inline constexpr const char* kReadingColumns = "index,memory.used,memory.total,utilization.gpu";
inline constexpr const char* kInfoColumns =
    "index,memory.used,memory.total,uuid,pci.bus_id,driver_version,name";
/// Drivers before 510 know no memory.reserved and refuse the whole question.
inline constexpr const char* kInfoColumnsWithReserved =
    "index,memory.used,memory.total,uuid,pci.bus_id,driver_version,name,memory.reserved";

/// A line of kReadingColumns. What is not a number is blank, never 0.
struct SmiReading {
  GpuMemRow row;
  bool lost = false;         ///< some cell says that the GPU is lost or needs a reset: all is blank
  std::string unknown_cell;  ///< the first cell that was not a number, as it stands
};
/// None: not such a line; a row with too many or too few cells is none.
std::optional<SmiReading> parse_reading(std::string_view line);

/// A line of kInfoColumns, with or without the reserve; `total_mib` is set only when there was a
/// figure of what is used as well.
std::optional<GpuInfo> parse_info(std::string_view line);

/// What nvidia-smi means by its exit code, from its manual; empty for codes it does not explain.
std::string_view exit_meaning(int code);

}  // namespace memprof::gpu
