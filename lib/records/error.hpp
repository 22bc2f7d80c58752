#pragma once

#include <boost/system/result.hpp>

#include <stdexcept>
#include <string>

namespace memprof {

/// What every tool ends with; part of the contract with shell pipelines. A tool that a signal ends
/// returns 128 + its number.
enum class ExitCode : int {
  ok = 0,           ///< done, and everything that was asked for succeeded
  failed = 1,       ///< ran, but something failed; files are complete all the same
  usage = 2,        ///< flags, or a workload line that cannot be used
  environment = 3,  ///< no server, no such GPU, file missing, output not writable, disk full
};

/// Why something outside cannot be used, in words that say what to do; no secret in it.
struct Error {
  ExitCode code = ExitCode::environment;
  std::string message;
};

/// The tool cannot go on. Caught in cli::run_tool alone, which prints `tool: error: message`.
class ToolError : public std::runtime_error {
 public:
  ToolError(ExitCode code, const std::string& message) : std::runtime_error(message), code_(code) {}
  explicit ToolError(const Error& error) : ToolError(error.code, error.message) {}
  [[nodiscard]] ExitCode code() const noexcept { return code_; }

 private:
  ExitCode code_;
};

/// A value, or why there is none. `value()` throws the Error as a ToolError.
template <class T>
using Result = boost::system::result<T, Error>;

[[noreturn]] void throw_exception_from_error(const Error& error,
                                             const boost::source_location& where);

}  // namespace memprof
