#include "gpu/nvml_api.hpp"

#include <fmt/format.h>

#include <dlfcn.h>

namespace memprof::gpu::nvml {
namespace {

// The bare libnvidia-ml.so may be a toolkit's stub.
constexpr const char* kLibrary = "libnvidia-ml.so.1";

template <class Function>
void find(void* library, const char* symbol, Function*& function) {
  function = reinterpret_cast<Function*>(::dlsym(library, symbol));
}

void find_process_list(void* library, Api& api) {
  find(library, "nvmlDeviceGetComputeRunningProcesses_v3", api.processes);
  if (api.processes == nullptr) {
    find(library, "nvmlDeviceGetComputeRunningProcesses", api.processes);
    api.process_layout = ProcessLayout::v1;
    return;
  }
  // The drivers with the longer layout know the first of these and not yet the second.
  if (::dlsym(library, "nvmlDeviceGetConfComputeMemSizeInfo") != nullptr &&
      ::dlsym(library, "nvmlDeviceGetRunningProcessDetailList") == nullptr) {
    api.process_layout = ProcessLayout::v3_of_535;
  }
}

}  // namespace

std::string Api::describe(int code) const {
  const char* text = error_string != nullptr ? error_string(code) : nullptr;
  return fmt::format("{} ({})", text != nullptr ? text : "NVML error", code);
}

Result<Api> load() {
  void* const library = ::dlopen(kLibrary, RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    const char* reason = ::dlerror();
    return Error{ExitCode::environment, fmt::format("no NVIDIA driver library: {}",
                                                    reason != nullptr ? reason : kLibrary)};
  }
  Api api;
  find(library, "nvmlInit_v2", api.init);
  find(library, "nvmlShutdown", api.shutdown);
  find(library, "nvmlErrorString", api.error_string);
  find(library, "nvmlSystemGetDriverVersion", api.driver_version);
  find(library, "nvmlDeviceGetCount_v2", api.count);
  find(library, "nvmlDeviceGetHandleByIndex_v2", api.handle_by_index);
  find(library, "nvmlDeviceGetHandleByUUID", api.handle_by_uuid);
  find(library, "nvmlDeviceGetMemoryInfo", api.memory_v1);
  find(library, "nvmlDeviceGetMemoryInfo_v2", api.memory_v2);
  find(library, "nvmlDeviceGetUtilizationRates", api.utilization);
  find(library, "nvmlDeviceGetName", api.name);
  find(library, "nvmlDeviceGetUUID", api.uuid);
  find(library, "nvmlDeviceGetPciInfo_v3", api.pci_info);
  find_process_list(library, api);
  for (const bool there : {api.init != nullptr, api.count != nullptr,
                           api.handle_by_index != nullptr, api.memory_v1 != nullptr}) {
    if (!there) {
      return Error{ExitCode::environment,
                   fmt::format("{} is too old: it lacks functions of driver 340", kLibrary)};
    }
  }
  return api;
}

}  // namespace memprof::gpu::nvml
