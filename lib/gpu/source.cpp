#include "gpu/source.hpp"

#include <utility>

namespace memprof::gpu {

std::vector<std::string> GpuSource::take_warnings() { return std::exchange(warnings_, {}); }

void GpuSource::warn_once(std::string_view kind, std::string_view text) {
  if (kinds_.contains(kind)) return;
  kinds_.emplace(kind);
  warnings_.emplace_back(text);
}

}  // namespace memprof::gpu
