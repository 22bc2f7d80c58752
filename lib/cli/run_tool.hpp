#pragma once

#include "cli/option_table.hpp"
#include "clock/run_clock.hpp"
#include "files/document.hpp"
#include "records/account.hpp"
#include "records/error.hpp"

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace memprof::cli {

/// A running tool: its voice on stderr and its account.
class Tool {
 public:
  Tool(std::string name, const CommonOptions& common);

  /// `tool: warning: …`, also kept for the account.
  void warn(const std::string& text);
  [[nodiscard]] bool has_warned(std::string_view text) const;
  /// `tool: …`; not when quiet.
  void note(const std::string& text) const;
  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] const clock::RunClock& clock() const { return clock_; }
  [[nodiscard]] bool quiet() const { return quiet_; }
  static std::string_view version();

  /// Own CPU, wall-clock shift and warnings up to now.
  [[nodiscard]] ProcessAccount account(std::int64_t rows) const;
  /// Writes --stats-out when it was given.
  template <class Account>
  void write_account(const Account& account) const {
    if (stats_out_) files::write_json(*stats_out_, account, links_);
  }

 private:
  std::string name_;
  bool quiet_;
  std::optional<std::string> stats_out_;
  files::Links links_;
  clock::RunClock clock_;
  Timestamp started_;
  std::vector<std::string> warnings_;
};

namespace detail {
/// Lets a lack of memory end the process in words, also where no exception can tell of it or nobody
/// catches it (a thread).
void expect_little_memory();
/// Runs `body`; turns what it throws into `tool: error: …` and an exit code; ends the process
/// without waiting for any library's threads.
[[noreturn]] void run_and_end(const std::string& tool, const std::function<int()>& body);
void print_and_flush(std::string_view text);
}  // namespace detail

/// The whole of a main: options, then `run(options, tool)`, which returns an ExitCode or an int
/// (128 + signal). `describe(Options&)` gives the OptionTable bound to the options. `Options`
/// derives from CommonOptions.
template <class Options, class Describe, class Run>
[[noreturn]] void run_tool(int argc, char** argv, Describe describe, Run run) {
  detail::expect_little_memory();
  Options options;
  OptionTable table = describe(options);
  detail::run_and_end(table.tool(), [&] {
    const std::vector<std::string> arguments(argv + (argc > 0 ? 1 : 0), argv + argc);
    if (const auto text = table.parse(arguments)) {
      detail::print_and_flush(*text);
      return 0;
    }
    Tool tool(table.tool(), options);
    return static_cast<int>(run(options, tool));
  });
}

}  // namespace memprof::cli
