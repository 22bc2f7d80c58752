#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace memprof::gpu {

/// The machine's own memory, which is the GPU's too where the two share it.
struct SystemMemory {
  std::uint64_t total_bytes = 0;
  std::uint64_t used_bytes = 0;  ///< total − available; page cache is not used
};

/// From the text of /proc/meminfo.
std::optional<SystemMemory> parse_meminfo(std::string_view text);
std::optional<SystemMemory> read_system_memory();

}  // namespace memprof::gpu
