#include "host_info.hpp"

#include "formats/number.hpp"
#include "formats/text.hpp"

#include <fmt/format.h>

#include <fstream>
#include <string_view>

#include <sys/utsname.h>
#include <unistd.h>

namespace memprof::profile {
namespace {

/// The rest of the first line that begins with `key`, after a separator.
std::optional<std::string> find_line(const char* path, std::string_view key, char separator) {
  std::ifstream file(path);
  std::string line;
  while (std::getline(file, line)) {
    if (!line.starts_with(key)) continue;
    const auto at = line.find(separator);
    if (at == std::string::npos) continue;
    return std::string(formats::trim(std::string_view(line).substr(at + 1)));
  }
  return {};
}

std::optional<MiB> memory_mib() {
  const auto text = find_line("/proc/meminfo", "MemTotal", ':');  // `24659212 kB`
  const auto kib = text ? formats::parse_int(formats::split(*text, ' ').front()) : std::nullopt;
  return kib ? std::optional<MiB>((*kib + 1023) / 1024) : std::nullopt;
}

}  // namespace

HostInfo read_host_info() {
  HostInfo host;
  utsname names{};
  if (::uname(&names) == 0) {
    host.hostname = names.nodename;
    host.kernel = fmt::format("{} {}", names.sysname, names.release);
  }
  if (auto os = find_line("/etc/os-release", "PRETTY_NAME", '=')) {
    if (os->size() >= 2 && os->front() == '"') *os = os->substr(1, os->size() - 2);
    host.os = std::move(*os);
  }
  host.cpu_model = find_line("/proc/cpuinfo", "model name", ':');
  if (const auto count = ::sysconf(_SC_NPROCESSORS_ONLN); count > 0) host.cpu_count = count;
  host.memory_mib = memory_mib();
  return host;
}

}  // namespace memprof::profile
