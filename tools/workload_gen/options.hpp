#pragma once

#include "cli/option_table.hpp"
#include "records/target.hpp"
#include "records/workload.hpp"

#include <optional>
#include <string>

struct Options : memprof::cli::CommonOptions {
  std::string output;
  memprof::WorkloadSpec spec;
  std::optional<std::string> calibrate;  ///< base URL of the server to ask
  memprof::TargetSpec target;            ///< how to ask it; base_url is not used
};

memprof::cli::OptionTable option_table(Options& options);
