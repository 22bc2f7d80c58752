#include "cli/run_tool.hpp"

#include "cli/words.hpp"
#include "formats/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <new>

#include <unistd.h>

namespace memprof::cli {

Tool::Tool(std::string name, const CommonOptions& common)
    : name_(std::move(name)),
      quiet_(common.quiet),
      stats_out_(common.stats_out),
      links_(common.links()),
      clock_(clock::RunClock::from_environment()),
      started_(clock_.now()) {}

void Tool::warn(const std::string& text) {
  say(fmt::format("{}: warning: {}\n", name_, text));
  warnings_.push_back(text);
}

bool Tool::has_warned(std::string_view text) const {
  return std::find(warnings_.begin(), warnings_.end(), text) != warnings_.end();
}

void Tool::note(const std::string& text) const {
  if (!quiet_) say(fmt::format("{}: {}\n", name_, text));
}

std::string_view Tool::version() { return MEMPROF_VERSION; }

ProcessAccount Tool::account(std::int64_t rows) const {
  ProcessAccount account;
  account.tool = name_;
  account.version = version();
  account.started_ts = started_;
  account.ended_ts = clock_.now();
  account.rows = rows;
  account.cpu_s = clock::process_cpu_seconds();
  account.wall_clock_shift_ms = clock_.wall_clock_shift_ms();
  account.warnings = warnings_;
  return account;
}

namespace detail {

void print_and_flush(std::string_view text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0) {
    throw ToolError(ExitCode::environment, "stdout: cannot write");
  }
}

[[noreturn]] void run_and_end(const std::string& tool, const std::function<int()>& body) {
  // A file at its size limit is an error that is told, as a full disk is.
  std::signal(SIGXFSZ, SIG_IGN);
  int code = static_cast<int>(ExitCode::environment);
  std::string problem;
  try {
    code = body();
  } catch (const ToolError& error) {
    code = static_cast<int>(error.code());
    problem = error.what();
  } catch (const std::bad_alloc&) {
    problem = "out of memory";
  } catch (const std::exception& error) {
    problem = fmt::format("unexpected: {}", error.what());
  }
  if (!problem.empty()) {
    say(fmt::format("{}: error: {}\n", tool, formats::one_line(problem, 2000)));
  }
  std::fflush(nullptr);
#ifdef MEMPROF_SANITIZED
  std::exit(code);  // so that leaks are looked for
#else
  // A library's thread (a resolver, a driver) must not hold up the end.
  ::_exit(code);
#endif
}

}  // namespace detail
}  // namespace memprof::cli
