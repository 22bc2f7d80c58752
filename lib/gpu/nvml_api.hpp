#pragma once

#include "records/error.hpp"

#include <cstdint>
#include <string>

/// The part of the NVIDIA Management Library's binary interface that is used, declared here from
/// its public documentation: layouts are those of x86-64 and AArch64 Linux.
namespace memprof::gpu::nvml {

using Device = void*;

enum Code : int {
  success = 0,
  uninitialized = 1,
  not_supported = 3,
  no_permission = 4,
  insufficient_size = 7,
  driver_not_loaded = 9,
  function_not_found = 13,
  gpu_is_lost = 15,
  reset_required = 16,
  operating_system = 17,
  lib_mismatch = 18,
  argument_version_mismatch = 25,
  gpu_not_found = 28,
};

/// Version 1: `used` includes what the driver reserves.
struct Memory {
  std::uint64_t total = 0;
  std::uint64_t free = 0;
  std::uint64_t used = 0;
};
static_assert(sizeof(Memory) == 24);

struct MemoryV2 {
  /// Size and number of the layout. The library's documentation says 2, which it refuses.
  static constexpr std::uint32_t kVersion = 0x02000028;
  std::uint32_t version = kVersion;
  std::uint64_t total = 0;
  std::uint64_t reserved = 0;
  std::uint64_t free = 0;
  std::uint64_t used = 0;
};
static_assert(sizeof(MemoryV2) == 40);

struct Utilization {
  std::uint32_t gpu = 0;     ///< percent of time that a kernel ran
  std::uint32_t memory = 0;  ///< percent of time that memory was accessed; not how full it is
};

struct PciInfo {
  char bus_id_legacy[16] = {};
  std::uint32_t domain = 0;
  std::uint32_t bus = 0;
  std::uint32_t device = 0;
  std::uint32_t device_id = 0;
  std::uint32_t subsystem_id = 0;
  char bus_id[32] = {};
};
static_assert(sizeof(PciInfo) == 68);

/// The bytes of one process in a driver's list. What follows `used` differs between versions.
struct ProcessHead {
  static constexpr std::uint64_t kNotAvailable = ~std::uint64_t{0};
  std::uint32_t pid = 0;
  std::uint64_t used = 0;
};
static_assert(sizeof(ProcessHead) == 16);

/// How drivers lay out a process list.
enum class ProcessLayout : unsigned {
  v1 = 16,
  v3 = 24,
  v3_of_535 = 32,  ///< drivers 535.43 to 535.86 put one more field in, under the same name
};

/// The library's functions; one that the driver lacks is null.
struct Api {
  int (*init)() = nullptr;
  int (*shutdown)() = nullptr;
  const char* (*error_string)(int) = nullptr;
  int (*driver_version)(char*, unsigned) = nullptr;
  int (*count)(unsigned*) = nullptr;
  int (*handle_by_index)(unsigned, Device*) = nullptr;
  int (*handle_by_uuid)(const char*, Device*) = nullptr;
  int (*memory_v1)(Device, Memory*) = nullptr;
  int (*memory_v2)(Device, MemoryV2*) = nullptr;
  int (*utilization)(Device, Utilization*) = nullptr;
  int (*name)(Device, char*, unsigned) = nullptr;
  int (*uuid)(Device, char*, unsigned) = nullptr;
  int (*pci_info)(Device, PciInfo*) = nullptr;
  int (*processes)(Device, unsigned*, void*) = nullptr;
  ProcessLayout process_layout = ProcessLayout::v3;

  /// `GPU is lost (15)`
  [[nodiscard]] std::string describe(int code) const;
};

/// Loads libnvidia-ml.so.1, for good: drivers' libraries do not like to be unloaded.
Result<Api> load();

}  // namespace memprof::gpu::nvml
