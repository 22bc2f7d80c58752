// A libnvidia-ml.so.1 without GPUs. It refuses what real drivers refuse, the struct versions above
// all, and does what the environment says:
//   FAKE_NVML_GPUS    how many there are (1)
//   FAKE_NVML_SCRIPT  `CALL[/GPU][@FROM[-TO]]=WHAT;…`: from its FROMth to its TOth call (counted
//                     per call and GPU, from 1) the function returns the code WHAT, or first
//                     sleeps (`sleep:MS`), or never returns (`hang`). CALL as in enter(CALL) below.
//   FAKE_NVML_TOTAL   bytes of each GPU (80 GiB); 0: a GPU that says so
//   FAKE_NVML_USED    bytes used on GPU 0 at the first look (1 GiB + 1); each further GPU has 1 GiB
//                     more, each further look 1 MiB more
//   FAKE_NVML_PROCESSES  `PID:BYTES,…` on every GPU; BYTES `-`: not available

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <sstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace {

enum : int {
  kSuccess = 0,
  kUninitialized = 1,
  kInvalidArgument = 2,
  kNotFound = 6,
  kInsufficientSize = 7,
  kFunctionNotFound = 13,
};

constexpr std::uint64_t kGiB = std::uint64_t{1} << 30;
constexpr std::uint64_t kReserved = std::uint64_t{600} << 20;

// Never destroyed: a call may hang for longer than the process's exit takes.
std::mutex& mutex = *new std::mutex;
auto& calls = *new std::map<std::pair<std::string, int>, long>;
bool initialized = false;

std::string setting(const char* name, const char* fallback) {
  const char* text = std::getenv(name);
  return text != nullptr ? text : fallback;
}

int gpu_count() { return std::atoi(setting("FAKE_NVML_GPUS", "1").c_str()); }

std::vector<std::string> pieces(const std::string& text, char separator) {
  std::vector<std::string> list;
  std::istringstream stream(text);
  for (std::string piece; std::getline(stream, piece, separator);) list.push_back(piece);
  return list;
}

/// What the script says of this call; "" when nothing.
std::string scripted(const std::string& call, int gpu, long count) {
  for (const auto& rule : pieces(setting("FAKE_NVML_SCRIPT", ""), ';')) {
    const auto equals = rule.find('=');
    std::string where = rule.substr(0, equals);
    long from = 1;
    long to = 1L << 60;
    if (const auto at = where.find('@'); at != std::string::npos) {
      const std::string range = where.substr(at + 1);
      from = std::atol(range.c_str());
      if (const auto dash = range.find('-'); dash != std::string::npos) {
        to = std::atol(range.c_str() + dash + 1);
      }
      where.resize(at);
    }
    if (const auto slash = where.find('/'); slash != std::string::npos) {
      if (std::atoi(where.c_str() + slash + 1) != gpu) continue;
      where.resize(slash);
    }
    if (where == call && count >= from && count <= to) return rule.substr(equals + 1);
  }
  return {};
}

/// Counts the call and does what the script says. The code to return; kSuccess: go on.
int enter(const char* call, int gpu = -1, bool needs_init = true) {
  std::string what;
  bool ready = false;
  {
    const std::lock_guard lock(mutex);
    what = scripted(call, gpu, ++calls[{call, gpu}]);
    ready = initialized;
  }
  if (what == "hang") {
    for (;;) std::this_thread::sleep_for(std::chrono::hours(1));
  }
  if (what.rfind("sleep:", 0) == 0) {
    std::this_thread::sleep_for(std::chrono::milliseconds(std::atoi(what.c_str() + 6)));
  } else if (!what.empty()) {
    return std::atoi(what.c_str());
  }
  return needs_init && !ready ? kUninitialized : kSuccess;
}

// A handle is the GPU's number + 1, as a pointer.
int gpu_of(void* handle) { return static_cast<int>(reinterpret_cast<std::uintptr_t>(handle)) - 1; }

std::uint64_t total_bytes() {
  return std::strtoull(setting("FAKE_NVML_TOTAL", "85899345920").c_str(), nullptr, 10);
}

std::uint64_t used_bytes(int gpu, const char* call) {
  const std::lock_guard lock(mutex);
  const auto looks = static_cast<std::uint64_t>(calls[{call, gpu}]);
  const auto first = std::strtoull(setting("FAKE_NVML_USED", "1073741825").c_str(), nullptr, 10);
  return first + static_cast<std::uint64_t>(gpu) * kGiB + ((looks - 1) << 20);
}

int give_text(char* target, unsigned size, const std::string& text) {
  if (text.size() + 1 > size) return kInsufficientSize;
  std::memcpy(target, text.c_str(), text.size() + 1);
  return kSuccess;
}

std::string uuid_of(int gpu) {
  return "GPU-00000000-fake-0000-0000-00000000000" + std::to_string(gpu);
}

/// Fills `list` with entries of `stride` bytes; what is no field is 0xEE.
int give_processes(int gpu, unsigned* count, void* list, std::size_t stride) {
  const auto processes = pieces(setting("FAKE_NVML_PROCESSES", ""), ',');
  if (*count < processes.size()) {
    *count = static_cast<unsigned>(processes.size());
    return kInsufficientSize;
  }
  // Real drivers of branch 535 clear the room that they were told of, by their own stride.
  std::memset(list, 0xEE, *count * stride);
  *count = static_cast<unsigned>(processes.size());
  for (std::size_t i = 0; i < processes.size(); ++i) {
    char* const entry = static_cast<char*>(list) + i * stride;
    const auto colon = processes[i].find(':');
    const auto pid = static_cast<std::uint32_t>(std::atoi(processes[i].c_str()) + gpu);
    const std::string bytes = processes[i].substr(colon + 1);
    const std::uint64_t used =
        bytes == "-" ? ~std::uint64_t{0} : std::strtoull(bytes.c_str(), nullptr, 10);
    std::memcpy(entry, &pid, sizeof pid);
    std::memcpy(entry + 8, &used, sizeof used);
  }
  return kSuccess;
}

}  // namespace

extern "C" {

#define FAKE_ENTER(...)                                       \
  do {                                                        \
    if (const int code = enter(__VA_ARGS__); code != kSuccess) return code; \
  } while (false)

int nvmlInit_v2() {
  FAKE_ENTER("Init", -1, false);
  const std::lock_guard lock(mutex);
  initialized = true;
  return kSuccess;
}

int nvmlShutdown() {
  FAKE_ENTER("Shutdown");
  const std::lock_guard lock(mutex);
  initialized = false;
  return kSuccess;
}

const char* nvmlErrorString(int code) {
  switch (code) {
    case 0: return "Success";
    case 1: return "Uninitialized";
    case 3: return "Not Supported";
    case 4: return "Insufficient Permissions";
    case 9: return "Driver Not Loaded";
    case 13: return "Function Not Found";
    case 15: return "GPU is lost";
    case 16: return "GPU requires reset";
    case 18: return "Driver/library version mismatch";
    default: return "Unknown Error";
  }
}

int nvmlSystemGetDriverVersion(char* target, unsigned size) {
  FAKE_ENTER("DriverVersion");
  return give_text(target, size, "595.45.04");
}

int nvmlDeviceGetCount_v2(unsigned* count) {
  FAKE_ENTER("Count");
  *count = static_cast<unsigned>(gpu_count());
  return kSuccess;
}

int nvmlDeviceGetHandleByIndex_v2(unsigned index, void** handle) {
  FAKE_ENTER("Handle", static_cast<int>(index));
  if (static_cast<int>(index) >= gpu_count()) return kInvalidArgument;
  *handle = reinterpret_cast<void*>(static_cast<std::uintptr_t>(index) + 1);
  return kSuccess;
}

int nvmlDeviceGetHandleByUUID(const char* uuid, void** handle) {
  for (int gpu = 0; gpu < gpu_count(); ++gpu) {
    if (uuid_of(gpu) != uuid) continue;
    return nvmlDeviceGetHandleByIndex_v2(static_cast<unsigned>(gpu), handle);
  }
  return kNotFound;
}

struct MemoryV1 {
  std::uint64_t total, free, used;
};

int nvmlDeviceGetMemoryInfo(void* device, MemoryV1* memory) {
  const int gpu = gpu_of(device);
  FAKE_ENTER("Memory", gpu);
  memory->total = total_bytes();
  memory->used = used_bytes(gpu, "Memory") + kReserved;
  memory->free = memory->total - memory->used;
  return kSuccess;
}

#ifndef FAKE_NVML_OLD
struct MemoryV2 {
  std::uint32_t version;
  std::uint64_t total, reserved, free, used;
};

int nvmlDeviceGetMemoryInfo_v2(void* device, MemoryV2* memory) {
  const int gpu = gpu_of(device);
  FAKE_ENTER("MemoryV2", gpu);
  if (memory->version != 0x02000028) return kFunctionNotFound;
  memory->total = total_bytes();
  memory->reserved = kReserved;
  memory->used = used_bytes(gpu, "MemoryV2");
  memory->free = memory->total - memory->used - memory->reserved;
  return kSuccess;
}
#endif

int nvmlDeviceGetUtilizationRates(void* device, unsigned* rates) {
  const int gpu = gpu_of(device);
  FAKE_ENTER("Utilization", gpu);
  rates[0] = static_cast<unsigned>(10 + gpu);
  rates[1] = 99;
  return kSuccess;
}

int nvmlDeviceGetName(void* device, char* target, unsigned size) {
  FAKE_ENTER("Name", gpu_of(device));
  return give_text(target, size, "Fake H100, \"SXM\"");
}

int nvmlDeviceGetUUID(void* device, char* target, unsigned size) {
  FAKE_ENTER("UUID", gpu_of(device));
  return give_text(target, size, uuid_of(gpu_of(device)));
}

struct PciInfo {
  char bus_id_legacy[16];
  unsigned domain, bus, device, device_id, subsystem_id;
  char bus_id[32];
};

int nvmlDeviceGetPciInfo_v3(void* device, PciInfo* pci) {
  FAKE_ENTER("PciInfo", gpu_of(device));
  std::memset(pci, 0, sizeof *pci);
  std::snprintf(pci->bus_id, sizeof pci->bus_id, "00000000:%02X:00.0", gpu_of(device) + 1);
  return kSuccess;
}

#ifdef FAKE_NVML_OLD
int nvmlDeviceGetComputeRunningProcesses(void* device, unsigned* count, void* list) {
  FAKE_ENTER("Processes", gpu_of(device));
  return give_processes(gpu_of(device), count, list, 16);
}
#else
int nvmlDeviceGetComputeRunningProcesses_v3(void* device, unsigned* count, void* list) {
  FAKE_ENTER("Processes", gpu_of(device));
#ifdef FAKE_NVML_535
  return give_processes(gpu_of(device), count, list, 32);
#else
  return give_processes(gpu_of(device), count, list, 24);
#endif
}

int nvmlDeviceGetConfComputeMemSizeInfo(void*, void*) { return 3; }
#ifndef FAKE_NVML_535
int nvmlDeviceGetRunningProcessDetailList(void*, void*) { return 3; }
#endif
#endif

}  // extern "C"
