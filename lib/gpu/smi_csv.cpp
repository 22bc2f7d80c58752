#include "gpu/smi_csv.hpp"

#include "formats/number.hpp"
#include "formats/text.hpp"

#include <vector>

namespace memprof::gpu {
namespace {

std::vector<std::string_view> cells_of(std::string_view line) {
  auto cells = formats::split(line, ',');
  for (auto& cell : cells) cell = formats::trim(cell);
  return cells;
}

/// A whole number, with its unit or without: some cells keep it in spite of `nounits`.
std::optional<std::int64_t> number_in(std::string_view cell) {
  const auto value = formats::parse_int(cell.substr(0, cell.find(' ')));
  return value && *value >= 0 ? value : std::nullopt;
}

bool says_lost(std::string_view cell) {
  return cell == "[GPU is lost]" || cell == "[GPU requires reset]";
}

std::optional<std::string> text_in(std::string_view cell) {
  if (cell.empty() || cell.front() == '[' || cell == "N/A") return {};
  return formats::one_line(cell, 120);
}

}  // namespace

std::optional<SmiReading> parse_reading(std::string_view line) {
  const auto cells = cells_of(line);
  if (cells.size() != 4) return {};
  const auto index = number_in(cells[0]);
  if (!index) return {};
  SmiReading reading;
  reading.row.gpu_idx = *index;
  for (std::size_t i = 1; i < cells.size(); ++i) {
    reading.lost |= says_lost(cells[i]);
    if (!number_in(cells[i]) && reading.unknown_cell.empty()) {
      reading.unknown_cell = formats::one_line(cells[i], 60);
      if (reading.unknown_cell.empty()) reading.unknown_cell = "an empty cell";
    }
  }
  if (reading.lost) return reading;  // a lost GPU's other cells read 0
  reading.row.used_mib = number_in(cells[1]);
  reading.row.total_mib = number_in(cells[2]);
  reading.row.util_pct = number_in(cells[3]);
  return reading;
}

std::optional<GpuInfo> parse_info(std::string_view line) {
  const auto cells = cells_of(line);
  if (cells.size() != 7 && cells.size() != 8) return {};
  const auto index = number_in(cells[0]);
  if (!index) return {};
  GpuInfo info;
  info.gpu_idx = *index;
  const bool lost = says_lost(cells[1]) || says_lost(cells[2]);
  if (!lost && number_in(cells[1])) info.total_mib = number_in(cells[2]);
  info.uuid = text_in(cells[3]);
  info.pci_bus_id = text_in(cells[4]);
  info.driver_version = text_in(cells[5]);
  info.name = text_in(cells[6]);
  if (cells.size() == 8) info.reserved_mib = number_in(cells[7]);
  return info;
}

std::string_view exit_meaning(int code) {
  switch (code) {
    case 2: return "bad argument";
    case 3: return "not available on this GPU";
    case 4: return "no permission";
    case 6: return "no such GPU";
    case 8: return "power cable not attached";
    case 9: return "driver not loaded";
    case 10: return "interrupt problem";
    case 12: return "no NVML library";
    case 13: return "the driver lacks a function";
    case 14: return "infoROM is corrupt";
    case 15: return "a GPU has fallen off the bus";
    case 18: return "driver and library versions do not match";
    default: return "";
  }
}

}  // namespace memprof::gpu
