#include "gpu/smi_csv.hpp"

#include "formats/text.hpp"
#include "input.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace memprof;
  using fuzz::require;
  for (const auto line : formats::split(fuzz::text_of(data, size), '\n')) {
    if (const auto reading = gpu::parse_reading(line)) {
      const auto& row = reading->row;
      const auto not_negative = [](const auto& value) { return !value || *value >= 0; };
      require(row.gpu_idx >= 0 && not_negative(row.used_mib) && not_negative(row.total_mib),
              "no negative number");
      require(!reading->lost || (!row.used_mib && !row.total_mib && !row.util_pct),
              "a lost GPU has no reading");
      require(!reading->unknown_cell.empty() || (row.used_mib && row.total_mib && row.util_pct),
              "a blank has its reason");
    }
    if (const auto info = gpu::parse_info(line)) {
      require(info->gpu_idx >= 0, "no negative index");
      require(!info->name || *info->name == formats::one_line(*info->name, 120),
              "a name is one line of text");
    }
  }
  return 0;
}
