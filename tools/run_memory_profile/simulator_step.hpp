#pragma once

#include "run_context.hpp"
#include "tool_child.hpp"

#include <optional>
#include <string>

namespace memprof::profile {

/// vllm_simulator, started for one run and ended with it.
class SimulatorStep {
 public:
  /// Starts it on a free port and waits until it serves, 30 s at most. Throws a ToolError with its
  /// own words when it ends first: usage when it refuses its options, else environment.
  SimulatorStep(const Options& options, const RunFolder& folder, const clock::RunClock& clock,
                const cli::StopSignal& stop);

  /// As it says; empty when a signal came first.
  [[nodiscard]] const std::string& base_url() const { return base_url_; }
  /// Why it has ended by itself; none: it runs.
  [[nodiscard]] std::optional<Error> death();
  /// Ends it and puts what became of it into the manifest.
  void finish(RunContext& run);

 private:
  void await_url(const cli::StopSignal& stop);

  ToolChild child_;
  std::string base_url_;
};

}  // namespace memprof::profile
