#pragma once

#include "cli/option_table.hpp"
#include "records/target.hpp"
#include "records/units.hpp"

#include <cstdint>
#include <optional>
#include <string>

struct Options : memprof::cli::CommonOptions {
  std::string output;
  std::int64_t interval_ms = 200;
  std::optional<memprof::Seconds> duration;  ///< none: until a signal
  std::string metrics_url = "http://127.0.0.1:8000/metrics";
  memprof::Seconds timeout = 5;       ///< one scrape, connecting included
  memprof::TargetSpec target;         ///< how to be let in; base_url and model are not used
  std::optional<std::string> raw;     ///< every answer as it came
  std::optional<std::string> replay;  ///< read such a file in place of a server
};

memprof::cli::OptionTable option_table(Options& options);
