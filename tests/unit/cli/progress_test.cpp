#include "cli/progress.hpp"

#include <gtest/gtest.h>

#include <string>

#include <fcntl.h>
#include <pty.h>
#include <unistd.h>

namespace memprof::cli {
namespace {

TEST(DescribeProgress, SaysWhatIsKnown) {
  EXPECT_EQ(describe_progress({.total = 48, .done = 0, .failed = 0, .in_flight = 8,
                               .concurrency = 8}, 3.21),
            "0/48 requests, 8 in flight of 8, 0 failed, 3.2 s");
  EXPECT_EQ(describe_progress({.total = 48, .done = 12, .failed = 2, .in_flight = 7,
                               .concurrency = 8}, 24),
            "12/48 requests, 7 in flight of 8, 2 failed, 24.0 s, 0.5/s, about 1 min 12 s left");
  EXPECT_EQ(describe_progress({.total = 2, .done = 2, .failed = 0, .in_flight = 0,
                               .concurrency = 1}, 4),
            "2/2 requests, 0 in flight of 1, 0 failed, 4.0 s, 0.5/s, about 0.0 s left");
}

/// Everything that a test writes to stderr, with a terminal or a pipe in its place.
class Stderr {
 public:
  explicit Stderr(bool terminal) : saved_(::dup(STDERR_FILENO)) {
    int ends[2] = {-1, -1};
    if ((terminal ? ::openpty(&ends[0], &ends[1], nullptr, nullptr, nullptr) : ::pipe(ends)) != 0) {
      throw std::runtime_error("no terminal");
    }
    reader_ = ends[0];
    ::dup2(ends[1], STDERR_FILENO);
    ::close(ends[1]);
    ::fcntl(reader_, F_SETFL, O_NONBLOCK);
  }
  ~Stderr() {
    ::dup2(saved_, STDERR_FILENO);
    ::close(saved_);
    ::close(reader_);
  }
  Stderr(const Stderr&) = delete;
  Stderr& operator=(const Stderr&) = delete;
  std::string take() {
    char buffer[1000];
    const auto got = ::read(reader_, buffer, sizeof buffer);
    return {buffer, static_cast<std::size_t>(got > 0 ? got : 0)};
  }

 private:
  int saved_;
  int reader_ = -1;
};

TEST(ProgressLine, RewritesItsLineOnATerminal) {
  Stderr terminal(true);
  {
    ProgressLine line(false);
    line.update("one");
    EXPECT_EQ(terminal.take(), "\r\033[2Kone");
    line.update("too soon");
    EXPECT_EQ(terminal.take(), "");
    line.clear();
    EXPECT_EQ(terminal.take(), "\r\033[2K");
    line.clear();
    EXPECT_EQ(terminal.take(), "");
  }
  EXPECT_EQ(terminal.take(), "");
  {
    ProgressLine line(false);
    line.update("two");
    terminal.take();
  }
  EXPECT_EQ(terminal.take(), "\r\033[2K") << "the end clears it";
}

TEST(ProgressLine, IsSilentAtFirstWithoutATerminal) {
  Stderr pipe(false);
  {
    ProgressLine line(false);
    line.update("short work");
  }
  EXPECT_EQ(pipe.take(), "");
}

TEST(ProgressLine, IsSilentWhenQuiet) {
  Stderr terminal(true);
  ProgressLine line(true);
  line.update("one");
  line.clear();
  EXPECT_EQ(terminal.take(), "");
}

}  // namespace
}  // namespace memprof::cli
