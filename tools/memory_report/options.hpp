#pragma once

#include "cli/option_table.hpp"

#include <optional>
#include <string>
#include <vector>

struct Options : memprof::cli::CommonOptions {
  std::vector<std::string> run_dirs;
  std::optional<std::string> output_dir;  ///< none: the run's folder
  std::optional<std::string> html;
  std::optional<std::string> joined;
  std::optional<std::string> trace_out;
};

memprof::cli::OptionTable option_table(Options& options);
