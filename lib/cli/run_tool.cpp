#include "cli/run_tool.hpp"

#include "cli/words.hpp"
#include "formats/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
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

namespace {

constexpr std::size_t kLeastMemory = 256u << 10;
constexpr const char* kOutOfMemory = "out of memory; free some, or raise `ulimit -v`";

[[noreturn]] void end_without_memory() {
  std::fprintf(stderr, "%s: error: %s\n", ::program_invocation_short_name, kOutOfMemory);
  ::_exit(static_cast<int>(ExitCode::environment));
}

/// Any call that opens something may fail so: what to do is added here, for all of them.
std::string with_advice(std::string problem) {
  if (problem.find(std::strerror(EMFILE)) == std::string::npos ||
      problem.find("ulimit") != std::string::npos) {
    return problem;
  }
  return problem + "; raise `ulimit -n`";
}

}  // namespace

namespace detail {

void expect_little_memory() {
  // The library's reserve for exceptions is smaller: with this there was room for that.
  void* volatile const memory = std::malloc(kLeastMemory);  // volatile: must not be left out
  if (memory == nullptr) end_without_memory();
  std::free(memory);
  static std::terminate_handler otherwise = nullptr;
  otherwise = std::set_terminate([] {
    try {
      if (const auto error = std::current_exception()) std::rethrow_exception(error);
    } catch (const std::bad_alloc&) {
      end_without_memory();
    } catch (...) {  // a bug: as without this handler
    }
    otherwise();
  });
}

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
    problem = kOutOfMemory;
  } catch (const std::exception& error) {
    problem = fmt::format("unexpected: {}", error.what());
  }
  if (!problem.empty()) {
    problem = with_advice(std::move(problem));
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
