#include "gpu/system_memory.hpp"

#include "formats/number.hpp"
#include "formats/text.hpp"

#include <fstream>
#include <sstream>
#include <string>

namespace memprof::gpu {

std::optional<SystemMemory> parse_meminfo(std::string_view text) {
  std::optional<std::uint64_t> total;
  std::optional<std::uint64_t> available;
  for (const auto line : formats::split(text, '\n')) {
    const auto colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    const auto name = line.substr(0, colon);
    const auto value = formats::trim(line.substr(colon + 1));  // `16384256 kB`
    const auto number = formats::parse_uint(value.substr(0, value.find(' ')));
    if (name == "MemTotal") total = number;
    if (name == "MemAvailable") available = number;
  }
  if (!total || !available || *available > *total) return {};
  return SystemMemory{*total << 10, (*total - *available) << 10};
}

std::optional<SystemMemory> read_system_memory() {
  const std::ifstream file("/proc/meminfo");
  std::ostringstream text;
  text << file.rdbuf();
  return parse_meminfo(text.str());
}

}  // namespace memprof::gpu
