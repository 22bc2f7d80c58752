#include "gpu/nvml_source.hpp"

#include "gpu/system_memory.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace memprof::gpu {
namespace {

using namespace std::chrono_literals;
using clock::RunClock;

/// The driver as a whole is not there (any more): everything must be initialised anew.
bool means_driver_gone(int code) {
  return code == nvml::uninitialized || code == nvml::driver_not_loaded ||
         code == nvml::lib_mismatch || code == nvml::gpu_not_found;
}

bool means_gpu_lost(int code) {
  return code == nvml::gpu_is_lost || code == nvml::reset_required;
}

bool means_wrong_version(int code) {
  return code == nvml::function_not_found || code == nvml::argument_version_mismatch;
}

std::optional<std::string> if_any(std::string text) {
  return text.empty() ? std::nullopt : std::optional(std::move(text));
}

Error unusable(std::string reason) { return {ExitCode::environment, std::move(reason)}; }

}  // namespace

NvmlSource::~NvmlSource() {
  if (initialized_ && api_.shutdown != nullptr) api_.shutdown();
}

Result<std::vector<GpuInfo>> NvmlSource::probe() {
  auto api = nvml::load();
  if (api.has_error()) return api.error();
  api_ = *api;
  if (const int code = api_.init(); code != nvml::success) {
    return unusable("nvmlInit_v2: " + api_.describe(code));
  }
  initialized_ = true;
  unsigned count = 0;
  if (const int code = api_.count(&count); code != nvml::success) {
    return unusable("nvmlDeviceGetCount_v2: " + api_.describe(code));
  }
  if (count == 0) return unusable("the driver knows no GPU");

  std::vector<GpuInfo> infos;
  for (unsigned index = 0; index < count; ++index) {
    Gpu gpu;
    gpu.index = index;
    infos.push_back(describe(gpu));
    gpus_.push_back(std::move(gpu));
  }
  if (std::none_of(infos.begin(), infos.end(),
                   [](const GpuInfo& info) { return info.total_mib.has_value(); })) {
    return unusable("no GPU gives a memory figure: " + api_.describe(last_code_));
  }
  if (spec_.gpus) {
    std::vector<Gpu> chosen;
    for (const auto index : *spec_.gpus) {
      if (index < count) chosen.push_back(gpus_[static_cast<std::size_t>(index)]);
    }
    gpus_ = std::move(chosen);
  }
  return infos;
}

GpuInfo NvmlSource::describe(Gpu& gpu) {
  GpuInfo info;
  info.gpu_idx = gpu.index;
  std::array<char, 96> version{};
  if (api_.driver_version != nullptr && api_.driver_version(version.data(), 80) == 0) {
    info.driver_version = if_any(version.data());
  }
  if (const int code = open(gpu); code != nvml::success) {
    fail(gpu, "nvmlDeviceGetHandle", code);
    return info;
  }
  gpu.uuid = text_of(api_.uuid, gpu);
  info.uuid = if_any(gpu.uuid);
  info.name = if_any(text_of(api_.name, gpu));
  nvml::PciInfo pci;
  if (api_.pci_info != nullptr && api_.pci_info(gpu.handle, &pci) == nvml::success) {
    pci.bus_id[sizeof pci.bus_id - 1] = '\0';
    info.pci_bus_id = if_any(pci.bus_id);
  }
  MemoryFigures figures;
  if (take_memory(gpu, figures)) {
    info.total_mib = to_mib(figures.total);
    if (figures.reserved) info.reserved_mib = to_mib(*figures.reserved);
  }
  return info;
}

std::string NvmlSource::text_of(int (*get)(nvml::Device, char*, unsigned), const Gpu& gpu) const {
  std::array<char, 128> text{};
  if (get == nullptr || get(gpu.handle, text.data(), 96) != nvml::success) return {};
  return text.data();
}

int NvmlSource::open(Gpu& gpu) {
  gpu.handle = nullptr;
  nvml::Device handle = nullptr;
  // After a reset the order of indices may be another; the UUID is the GPU's own.
  const int code = gpu.uuid.empty() || api_.handle_by_uuid == nullptr
                       ? api_.handle_by_index(static_cast<unsigned>(gpu.index), &handle)
                       : api_.handle_by_uuid(gpu.uuid.c_str(), &handle);
  if (code == nvml::success) gpu.handle = handle;
  return code;
}

bool NvmlSource::read(std::vector<GpuMemRow>& rows) {
  rows.resize(gpus_.size());
  const bool there = !driver_gone_ || driver_is_back();
  for (std::size_t i = 0; i < gpus_.size(); ++i) {
    rows[i] = {};
    rows[i].gpu_idx = gpus_[i].index;
    if (there && !driver_gone_) read_gpu(gpus_[i], rows[i]);
  }
  return true;
}

void NvmlSource::read_gpu(Gpu& gpu, GpuMemRow& row) {
  if (gpu.handle == nullptr) {
    if (RunClock::since_boot() < gpu.retry_at) return;
    if (const int code = open(gpu); code != nvml::success) {
      return fail(gpu, "nvmlDeviceGetHandle", code);
    }
  }
  MemoryFigures figures;
  if (take_memory(gpu, figures)) {
    row.used_mib = to_mib(figures.used);
    row.total_mib = to_mib(figures.total);
  }
  if (gpu.handle == nullptr || driver_gone_ || api_.utilization == nullptr) return;
  nvml::Utilization utilization;
  const int code = api_.utilization(gpu.handle, &utilization);
  if (code == nvml::success) {
    row.util_pct = utilization.gpu;
  } else {
    fail(gpu, "nvmlDeviceGetUtilizationRates", code);
    if (gpu.lost) row.used_mib = row.total_mib = std::nullopt;  // figures of a dead GPU
  }
}

bool NvmlSource::take_memory(Gpu& gpu, MemoryFigures& figures) {
  const int code = memory(gpu, figures);
  if (code == nvml::success && figures.total > 0) {
    gpu.lost = false;
    back_off_.reset();
    return true;
  }
  if (code != nvml::success && code != nvml::not_supported) {
    fail(gpu, memory_v2_works_ ? "nvmlDeviceGetMemoryInfo_v2" : "nvmlDeviceGetMemoryInfo", code);
    return false;
  }
  // A GPU without memory of its own shares the machine's.
  const auto shared = read_system_memory();
  last_code_ = nvml::not_supported;
  if (!shared) return false;
  warn_once("unified memory",
            fmt::format("GPU {} has no memory figure of its own: its used_mib and total_mib are "
                        "the whole machine's (MemTotal - MemAvailable)",
                        gpu.index));
  gpu.lost = false;
  figures = {shared->used_bytes, shared->total_bytes, std::nullopt};
  return true;
}

int NvmlSource::memory(const Gpu& gpu, MemoryFigures& figures) {
  if (memory_v2_works_ && api_.memory_v2 != nullptr) {
    nvml::MemoryV2 memory;
    const int code = api_.memory_v2(gpu.handle, &memory);
    if (code == nvml::success) figures = {memory.used, memory.total, memory.reserved};
    if (!means_wrong_version(code)) return code;
  }
  // The symbol may be there and still not work: only the call tells.
  memory_v2_works_ = false;
  warn_once("memory v1",
            "this driver tells only memory with its own reserve included: used_mib is some hundred "
            "MiB above what newer drivers and nvidia-smi show");
  return memory_v1(gpu, figures);
}

int NvmlSource::memory_v1(const Gpu& gpu, MemoryFigures& figures) {
  nvml::Memory memory;
  const int code = api_.memory_v1(gpu.handle, &memory);
  if (code == nvml::success) figures = {memory.used, memory.total, std::nullopt};
  return code;
}

void NvmlSource::fail(Gpu& gpu, const char* call, int code) {
  last_code_ = code;
  if (code == nvml::not_supported) return;  // a blank cell says it
  const auto now = RunClock::since_boot();
  if (means_driver_gone(code)) {
    driver_gone_ = true;
    init_at_ = now + back_off_.next();
    warn_once(fmt::format("driver {}", code),
              fmt::format("{}: {}: cells stay empty while the driver is tried anew", call,
                          api_.describe(code)));
  } else if (means_gpu_lost(code)) {
    gpu.lost = true;
    gpu.handle = nullptr;
    gpu.retry_at = now + 1s;
    warn_once(fmt::format("gpu {} {}", gpu.index, code),
              fmt::format("GPU {}: {}: its cells stay empty, it is tried once a second", gpu.index,
                          api_.describe(code)));
  } else {
    if (gpu.handle == nullptr) gpu.retry_at = now + 1s;
    warn_once(fmt::format("{} {}", call, code),
              fmt::format("GPU {}: {}: {}: the cells stay empty", gpu.index, call,
                          api_.describe(code)));
  }
}

bool NvmlSource::driver_is_back() {
  if (RunClock::since_boot() < init_at_) return false;
  if (initialized_ && api_.shutdown != nullptr) api_.shutdown();
  initialized_ = api_.init() == nvml::success;
  unsigned count = 0;
  if (!initialized_ || api_.count(&count) != nvml::success || count == 0) {
    init_at_ = RunClock::since_boot() + back_off_.next();
    return false;
  }
  driver_gone_ = false;
  // The back-off starts anew with the first good figure, not here.
  for (auto& gpu : gpus_) {
    gpu.handle = nullptr;
    gpu.retry_at = clock::SinceBoot{0};
  }
  return true;
}

std::vector<std::int64_t> NvmlSource::lost() const {
  std::vector<std::int64_t> indices;
  for (const auto& gpu : gpus_) {
    if (gpu.lost) indices.push_back(gpu.index);
  }
  return indices;
}

std::vector<ProcessUse> NvmlSource::processes() {
  std::vector<ProcessUse> uses;
  if (api_.processes == nullptr || driver_gone_) return uses;
  const auto stride = static_cast<std::size_t>(api_.process_layout);
  // Room for the longest layout, whatever is expected: a wrong guess must not write past the end.
  constexpr auto kRoom = static_cast<std::size_t>(nvml::ProcessLayout::v3_of_535);
  for (const auto& gpu : gpus_) {
    if (gpu.handle == nullptr) continue;
    int code = nvml::insufficient_size;
    unsigned count = 0;
    for (unsigned room = 64; code == nvml::insufficient_size && room <= 4096; room *= 4) {
      process_buffer_.resize(room * kRoom);
      count = room;
      code = api_.processes(gpu.handle, &count, process_buffer_.data());
      if (count > room) code = nvml::insufficient_size;
    }
    if (code != nvml::success) continue;
    for (std::size_t i = 0; i < count; ++i) {
      nvml::ProcessHead process;
      std::memcpy(&process, process_buffer_.data() + i * stride, sizeof process);
      ProcessUse use{gpu.index, process.pid, {}};
      if (process.used != nvml::ProcessHead::kNotAvailable) use.used_mib = to_mib(process.used);
      uses.push_back(use);
    }
  }
  return uses;
}

}  // namespace memprof::gpu
