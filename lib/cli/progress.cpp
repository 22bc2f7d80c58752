#include "cli/progress.hpp"

#include "cli/words.hpp"
#include "formats/text.hpp"

#include <fmt/format.h>

#include <unistd.h>

namespace memprof::cli {

std::string describe_progress(const ReplayProgress& progress, Seconds elapsed) {
  std::string text = fmt::format("{}/{} requests, {} in flight of {}, {} failed, {}",
                                 progress.done, progress.total, progress.in_flight,
                                 progress.concurrency, progress.failed,
                                 formats::format_duration(elapsed));
  if (progress.done > 0 && elapsed > 0) {
    const double rate = static_cast<double>(progress.done) / elapsed;
    const auto left = static_cast<double>(progress.total - progress.done);
    text += fmt::format(", {:.1f}/s, about {} left", rate, formats::format_duration(left / rate));
  }
  return text;
}

ProgressLine::ProgressLine(bool quiet)
    : quiet_(quiet),
      terminal_(::isatty(STDERR_FILENO) == 1),
      next_(clock::RunClock::since_boot() +
            (terminal_ ? std::chrono::seconds(0) : std::chrono::seconds(5))) {}

ProgressLine::~ProgressLine() { clear(); }

void ProgressLine::update(std::string_view text) {
  const auto now = clock::RunClock::since_boot();
  if (quiet_ || now < next_) return;
  if (terminal_) {
    say(fmt::format("\r\033[2K{}", text));
    next_ = now + std::chrono::milliseconds(100);
  } else {
    say(fmt::format("{}\n", text));
    next_ = now + std::chrono::seconds(5);
  }
  shown_ = true;
}

void ProgressLine::clear() {
  if (!shown_ || !terminal_) return;
  say("\r\033[2K");
  shown_ = false;
}

}  // namespace memprof::cli
