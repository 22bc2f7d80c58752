#pragma once

#include "clock/run_clock.hpp"
#include "engine_loop.hpp"
#include "setup.hpp"

namespace memprof::simulator_tool {

/// Lines on stderr, worded as vLLM 0.32 words them on a GPU, so that what reads a server's log reads
/// this one.
class ServerLog {
 public:
  ServerLog(const Setup& setup, const clock::RunClock& clock) : setup_(setup), clock_(clock) {}

  /// What vLLM says of its memory when it starts.
  void start_up(const Options& options) const;
  void shutting_down() const;
  /// `--enable-logging-iteration-details`: a line for a step, its elapsed time simulated.
  void iteration(const StepReport& report, double kv_cache_usage);

 private:
  void line(const char* who, const std::string& text) const;

  const Setup& setup_;
  const clock::RunClock& clock_;
  std::int64_t iterations_ = 0;
};

}  // namespace memprof::simulator_tool
