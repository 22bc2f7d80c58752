#pragma once

#include "cli/option_table.hpp"
#include "gpu/source.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

struct Options : memprof::cli::CommonOptions {
  std::optional<std::string> output;  ///< required unless list_gpus
  std::int64_t interval_ms = 200;
  std::optional<std::vector<std::int64_t>> gpus;  ///< none: all
  std::optional<memprof::Seconds> duration;       ///< none: until a signal
  std::optional<memprof::gpu::Backend> backend;   ///< none: the first that works
  bool list_gpus = false;
  std::string sysfs_root = "/sys";
  std::optional<std::string> simulator_url;  ///< with Backend::simulated, and only then
};

memprof::cli::OptionTable option_table(Options& options);
