#pragma once

#include "run_context.hpp"
#include "tool_child.hpp"

#include <string>
#include <vector>

namespace memprof::profile {

/// A sampler over a run. The run goes on without it when it dies, and says so.
class SamplerStep {
 public:
  virtual ~SamplerStep() = default;
  SamplerStep(const SamplerStep&) = delete;
  SamplerStep& operator=(const SamplerStep&) = delete;

  /// Whether there is anything to read and it is being read.
  [[nodiscard]] bool sampling() { return !child_.ended(); }
  /// It has died, and nothing was said of that yet.
  [[nodiscard]] bool has_news();
  /// Says so, once.
  void tell_news();
  [[nodiscard]] ToolChild& child() { return child_; }
  /// Ends it, when that has not been done yet, and puts what it said of itself into the manifest.
  void finish();

 protected:
  /// `readings`: what the run then lacks, for `the run goes on without …`.
  SamplerStep(RunContext& run, const std::string& tool, std::vector<std::string> arguments,
              std::string readings);
  /// It has died before the load, which is not begun without it.
  void refuse();
  /// It ended in good order because there is nothing to read.
  void set_nothing_to_read() { nothing_to_read_ = true; }
  [[nodiscard]] bool nothing_to_read() const { return nothing_to_read_; }
  /// Reads its account into the manifest.
  virtual void take_account() = 0;

  RunContext& run_;
  ToolChild child_;

 private:
  std::string readings_;
  bool nothing_to_read_ = false;
  bool said_ = false;
};

using Samplers = std::vector<SamplerStep*>;

/// Lets the readings go on for so long, or until a signal comes. Returns at once when no sampler
/// reads anything.
void sample_for(RunContext& run, const Samplers& samplers, Seconds seconds);

}  // namespace memprof::profile
