#pragma once

#include "options.hpp"
#include "simulator/presets.hpp"
#include "simulator/scheduler.hpp"
#include "simulator/step_time.hpp"

#include <string>

namespace memprof::simulator_tool {

/// What the options and the preset come to.
struct Setup {
  const simulator::Preset& preset;
  std::string model;
  simulator::EngineConfig engine;
  simulator::StepTime step_time;
  simulator::GpuMemory memory;        ///< of each GPU
  std::int64_t available_kv_bytes = 0;  ///< of each GPU, before blocks are overridden
};

/// Throws a ToolError (usage) when it cannot be: no such preset, blocks that do not fit.
Setup make_setup(const Options& options);

}  // namespace memprof::simulator_tool
