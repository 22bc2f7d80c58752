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
  /// Whether there is a next step: no signal has come and nothing has failed.
  [[nodiscard]] bool goes_on() const { return !interrupted() && !failure; }
  /// Without its folder a run has nothing to go on for. True when it is gone; then it has failed.
  bool lost_folder() {
    if (folder.is_there()) return false;
    fail(folder.gone());
    return true;
  }
};

}  // namespace memprof::profile
