#pragma once

#include "cli/option_table.hpp"
#include "records/target.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace memprof {

struct Options : cli::CommonOptions {
  std::string workload;  ///< `-`: stdin
  std::string output;    ///< `-`: stdout
  TargetSpec target;
  ReplaySpec replay;
  std::optional<std::int64_t> progress_fd;  ///< ReplayProgress as JSON lines go there
};

cli::OptionTable option_table(Options& options);

}  // namespace memprof
