#pragma once

#include "clock/run_clock.hpp"
#include "process/line_reader.hpp"
#include "records/error.hpp"
#include "records/units.hpp"

#include <csignal>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

/// Child processes that leave nothing behind. What a child gets: the three streams, the descriptors
/// and variables named in its Spec, default signal dispositions, nothing blocked, a process group
/// of its own. When the starting thread ends, SIGKILL included, the child gets its death signal.
namespace memprof::process {

/// What a child's stdin, stdout or stderr is.
struct Stream {
  enum class Kind { null, inherit, pipe, file };
  Kind kind = Kind::null;
  std::string path;

  static Stream null() { return {}; }
  static Stream inherit() { return {Kind::inherit, {}}; }
  /// stdout and stderr only: read with Child::output(), Child::errors().
  static Stream pipe() { return {Kind::pipe, {}}; }
  /// stdin reads it; stdout and stderr replace it, and a link in its place.
  static Stream file(std::string path) { return {Kind::file, std::move(path)}; }
};

struct Spec {
  std::string executable;              ///< a path; PATH is not searched
  std::vector<std::string> arguments;  ///< without the executable's own name
  std::vector<std::pair<std::string, std::string>> environment;  ///< added to ours, or replacing
  Stream input;
  Stream output;
  Stream errors;
  std::vector<int> inherited;  ///< descriptors (> 2) that the child gets under the same numbers
  int death_signal = SIGTERM;
};

/// How a process ended: by itself with a code, or by a signal (then its number, else 0).
struct ExitStatus {
  int code = 0;
  int signal = 0;

  [[nodiscard]] bool ok() const { return code == 0 && signal == 0; }
};

/// `exit code 3`, `signal 9 (Killed)`
std::string describe(ExitStatus status);

/// How long to wait after each step: SIGINT, then SIGTERM, then SIGKILL.
struct StopBounds {
  Seconds after_interrupt = 5;
  Seconds after_terminate = 2;
  Seconds after_kill = 1;  ///< a process that the kernel holds is given up then
};

/// A started process, and all of its group: killed when this is destroyed. One thread only.
class Child {
 public:
  /// The process runs when this returns. Fails (environment) when the executable cannot be run or a
  /// file not be opened, in words.
  static Result<Child> spawn(const Spec& spec);
  ~Child();
  Child(Child&&) noexcept;
  Child& operator=(Child&&) noexcept;

  [[nodiscard]] int pid() const;
  /// Becomes readable when the process has ended; for poll(2). Do not read from it.
  [[nodiscard]] int exit_fd() const;
  /// Looks whether it has ended; then what is left of its group is killed and it is reaped.
  std::optional<ExitStatus> ended();
  /// Sleeps until it has ended, at most until `deadline` (time since boot).
  std::optional<ExitStatus> wait_until(clock::SinceBoot deadline);
  /// Sends a signal to its whole group.
  void signal(int number);
  /// Ends it. None: it cannot be killed (the kernel holds it) and is left to itself.
  std::optional<ExitStatus> stop(const StopBounds& bounds);

  /// For Stream::pipe().
  LineReader& output();
  LineReader& errors();

 private:
  friend void stop_all(std::span<Child* const> children, const StopBounds& bounds);
  struct State;
  void give_up();
  explicit Child(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// Stops several at once, within the bounds of one.
void stop_all(std::span<Child* const> children, const StopBounds& bounds);

}  // namespace memprof::process
