#pragma once

#include "cli/run_tool.hpp"
#include "cli/stop_signal.hpp"
#include "options.hpp"
#include "records/manifest.hpp"
#include "run_folder.hpp"
#include "server_probe.hpp"

#include <optional>
#include <utility>

namespace memprof::profile {

/// What every step of a run works with.
struct RunContext {
  const Options& options;
  cli::Tool& tool;
  const cli::StopSignal& stop;
  const RunFolder& folder;
  const Server& server;
  Manifest& manifest;  ///< each step adds what it found
  std::optional<Error> failure = {};  ///< what ended the run early

  void fail(Error error) {
    if (!failure) failure = std::move(error);
  }
  [[nodiscard]] bool interrupted() const { return stop.number() != 0; }
};

}  // namespace memprof::profile
