#pragma once

#include "cli/run_tool.hpp"
#include "cli/stop_signal.hpp"
#include "gpu/sensor.hpp"
#include "http/url.hpp"
#include "options.hpp"

#include <memory>
#include <optional>
#include <vector>

/// The source that is used.
struct Chosen {
  memprof::gpu::Backend backend = memprof::gpu::Backend::none;
  std::unique_ptr<memprof::gpu::Sensor> sensor;  ///< null: none, or stopped by a signal
  std::vector<memprof::GpuInfo> gpus;            ///< all there are
};

/// Where the simulator is whose GPUs are to be read; none: they are others'. Throws a ToolError
/// (usage) when --backend and --simulator-url do not go together.
std::optional<memprof::http::Url> simulator_of(const Options& options);

/// Probes the backends in order. Throws a ToolError (environment) when a named one does not work;
/// without a choice, one warning says why each was rejected.
Chosen choose_backend(const Options& options, memprof::cli::Tool& tool,
                      const memprof::cli::StopSignal& stop);

/// The infos of the GPUs that were asked for, in that order. Throws a ToolError (environment) that
/// lists those that are there when one is not.
std::vector<memprof::GpuInfo> chosen_gpus(const Options& options, const Chosen& chosen);
