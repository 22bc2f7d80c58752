#include "cli/stop_signal.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <thread>

#include <poll.h>
#include <unistd.h>

// The signal's state belongs to the whole process, so each test runs in one of its own.
namespace memprof::cli {
namespace {

using std::chrono::milliseconds;

bool readable(int fd) {
  pollfd wait{fd, POLLIN, 0};
  return ::poll(&wait, 1, 0) == 1;
}

void check(bool fine, int code) {
  if (!fine) ::_exit(code);
}

TEST(StopSignal, NotesTheFirst) {
  const auto body = [] {
    StopSignal stop;
    check(stop.number() == 0 && !readable(stop.fd()), 1);
    ::raise(SIGTERM);
    check(stop.number() == SIGTERM && readable(stop.fd()), 2);
    check(!stop.sleep_until(clock::RunClock::since_boot() + milliseconds(10'000)), 3);
    ::_exit(7);
  };
  EXPECT_EXIT(body(), testing::ExitedWithCode(7), "");
}

TEST(StopSignal, TheSecondEndsTheProcess) {
  const auto body = [] {
    StopSignal stop;
    ::raise(SIGTERM);
    ::raise(SIGINT);
    ::_exit(7);
  };
  EXPECT_EXIT(body(), testing::ExitedWithCode(128 + SIGINT), "");
}

TEST(StopSignal, WakesASleeper) {
  const auto body = [] {
    StopSignal stop;
    const auto start = clock::RunClock::since_boot();
    std::thread([] {
      std::this_thread::sleep_for(milliseconds(30));
      ::kill(::getpid(), SIGINT);
    }).detach();
    check(!stop.sleep_until(start + milliseconds(20'000)), 1);
    check(clock::RunClock::since_boot() - start < milliseconds(10'000), 2);
    ::_exit(stop.number() == SIGINT ? 7 : 3);
  };
  EXPECT_EXIT(body(), testing::ExitedWithCode(7), "");
}

TEST(StopSignal, SleepsUntilTheDeadline) {
  const auto body = [] {
    StopSignal stop;
    const auto deadline = clock::RunClock::since_boot() + milliseconds(30);
    check(stop.sleep_until(deadline), 1);
    check(clock::RunClock::since_boot() >= deadline, 2);
    check(stop.sleep_until(deadline - milliseconds(1000)), 3);  // has passed: at once
    ::_exit(7);
  };
  EXPECT_EXIT(body(), testing::ExitedWithCode(7), "");
}

}  // namespace
}  // namespace memprof::cli
