#include "gpu/amdgpu_source.hpp"

#include "formats/number.hpp"
#include "formats/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include <fcntl.h>
#include <unistd.h>

namespace memprof::gpu {
namespace {

constexpr const char* kTotal = "mem_info_vram_total";
constexpr const char* kUsed = "mem_info_vram_used";
constexpr const char* kBusy = "gpu_busy_percent";

/// A small file's text, trimmed; none with errno set.
std::optional<std::string> text_of(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return {};
  std::array<char, 512> buffer{};
  const auto got = ::read(fd, buffer.data(), buffer.size());
  const int error = errno;
  ::close(fd);
  errno = error;
  if (got < 0) return {};
  return std::string(formats::trim({buffer.data(), static_cast<std::size_t>(got)}));
}

/// `PCI_SLOT_NAME=0000:03:00.0` in a device's uevent file.
std::optional<std::string> bus_id_of(const std::string& folder) {
  constexpr std::string_view kKey = "PCI_SLOT_NAME=";
  const std::string text = text_of(folder + "/uevent").value_or("");
  for (const auto line : formats::split(text, '\n')) {
    if (line.starts_with(kKey)) return std::string(line.substr(kKey.size()));
  }
  return {};
}

/// Numbers of the cards below `drm`, ascending; `card0-DP-1` is a connector, not a card.
std::vector<std::int64_t> card_numbers(const std::string& drm) {
  std::vector<std::int64_t> numbers;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(drm, error)) {
    const std::string name = entry.path().filename();
    if (!name.starts_with("card")) continue;
    if (const auto number = formats::parse_int(std::string_view(name).substr(4))) {
      numbers.push_back(*number);
    }
  }
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

}  // namespace

Result<std::vector<GpuInfo>> AmdgpuSource::probe() {
  const std::string drm = spec_.sysfs_root + "/class/drm";
  std::vector<GpuInfo> infos;
  std::vector<Card> all;
  bool figure = false;
  for (const auto number_of_card : card_numbers(drm)) {
    Card card;
    card.index = static_cast<std::int64_t>(all.size());
    card.folder = fmt::format("{}/card{}/device", drm, number_of_card);
    if (::access(fmt::format("{}/{}", card.folder, kTotal).c_str(), F_OK) != 0) continue;
    GpuInfo info;
    info.gpu_idx = card.index;
    info.name = text_of(card.folder + "/product_name");
    info.uuid = text_of(card.folder + "/unique_id");
    info.pci_bus_id = bus_id_of(card.folder);
    info.driver_version = text_of(spec_.sysfs_root + "/module/amdgpu/version");
    const auto total = number(card, kTotal);
    if (total) info.total_mib = to_mib(static_cast<std::uint64_t>(*total));
    figure |= total && number(card, kUsed);
    infos.push_back(std::move(info));
    all.push_back(std::move(card));
  }
  if (!figure) {
    return Error{ExitCode::environment,
                 fmt::format("{}: no card with readable {}", drm, kUsed)};
  }
  if (spec_.gpus) {
    for (const auto index : *spec_.gpus) {
      if (index < std::ssize(all)) cards_.push_back(all[static_cast<std::size_t>(index)]);
    }
  } else {
    cards_ = std::move(all);
  }
  return infos;
}

bool AmdgpuSource::read(std::vector<GpuMemRow>& rows) {
  rows.resize(cards_.size());
  for (std::size_t i = 0; i < cards_.size(); ++i) {
    const Card& card = cards_[i];
    GpuMemRow& row = rows[i];
    row = {};
    row.gpu_idx = card.index;
    const auto used = number(card, kUsed);
    const auto total = number(card, kTotal);
    if (used) row.used_mib = to_mib(static_cast<std::uint64_t>(*used));
    if (total) row.total_mib = to_mib(static_cast<std::uint64_t>(*total));
    // Asking a GPU that sleeps would wake it, and show it busy for a while.
    if (text_of(card.folder + "/power/runtime_status") != "suspended") {
      row.util_pct = number(card, kBusy);
    }
  }
  return true;
}

std::optional<std::int64_t> AmdgpuSource::number(const Card& card, const char* file) {
  const auto text = text_of(fmt::format("{}/{}", card.folder, file));
  const int error = errno;
  const auto value = text ? formats::parse_int(*text) : std::nullopt;
  if (value && *value >= 0) return value;
  const std::string why = text ? "not a number" : std::strerror(error);
  warn_once(fmt::format("{} {}", file, why),
            fmt::format("GPU {}: {}/{}: {}: such cells stay empty", card.index, card.folder, file,
                        why));
  return {};
}

}  // namespace memprof::gpu
