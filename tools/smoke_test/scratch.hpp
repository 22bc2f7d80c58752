#pragma once

#include "cli/stop_signal.hpp"
#include "process/child.hpp"

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace memprof::smoke {

/// How a tool's run came out.
struct Outcome {
  process::ExitStatus status;
  std::string errors;  ///< its stderr
};

/// A temporary folder, removed at the end, in which tools are run.
class Scratch {
 public:
  /// Throws a ToolError (environment) when no folder can be made.
  explicit Scratch(const cli::StopSignal& stop);
  ~Scratch();
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  [[nodiscard]] std::string file(std::string_view name) const { return (folder_ / name).string(); }
  /// Runs the tool of that name that lies beside this one, 30 s at most. Throws a ToolError when it
  /// cannot be run or does not end, and when a signal came.
  Outcome run(std::string_view tool, std::vector<std::string> arguments) const;

 private:
  const cli::StopSignal& stop_;
  std::filesystem::path folder_;
};

/// A port of this machine that refuses connections for as long as this lives.
class RefusedPort {
 public:
  RefusedPort();
  [[nodiscard]] std::uint16_t number() const { return number_; }

 private:
  process::Descriptor socket_;  // bound, and nobody listens
  std::uint16_t number_ = 0;
};

}  // namespace memprof::smoke
