#include "cli/stop_signal.hpp"

#include "records/error.hpp"

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdint>

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

namespace memprof::cli {
namespace {

std::atomic<int> first_signal{0};
std::atomic<int> signal_event{-1};

void on_signal(int number) {
  int none = 0;
  if (!first_signal.compare_exchange_strong(none, number)) ::_exit(128 + number);
  const int saved_errno = errno;
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(signal_event, &one, sizeof one);
  errno = saved_errno;
}

}  // namespace

StopSignal::StopSignal() {
  signal_event = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  timer_ = ::timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC);
  if (signal_event < 0 || timer_ < 0) {
    throw ToolError(ExitCode::environment, "too few file descriptors: raise `ulimit -n`");
  }
  struct sigaction action {};
  action.sa_handler = on_signal;
  ::sigemptyset(&action.sa_mask);
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
}

StopSignal::~StopSignal() {
  // The handlers stay: a signal during the end must not undo it. Writing to -1 does nothing.
  ::close(signal_event.exchange(-1));
  ::close(timer_);
}

int StopSignal::fd() const { return signal_event; }
int StopSignal::number() const { return first_signal; }

bool StopSignal::sleep_until(clock::SinceBoot deadline) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(deadline);
  itimerspec when{};
  when.it_value = {seconds.count(), (deadline - seconds).count()};
  if (deadline.count() <= 0) when.it_value.tv_nsec = 1;  // zero would disarm
  ::timerfd_settime(timer_, TFD_TIMER_ABSTIME, &when, nullptr);
  for (;;) {
    std::array<pollfd, 2> waits{{{timer_, POLLIN, 0}, {signal_event, POLLIN, 0}}};
    ::poll(waits.data(), waits.size(), -1);
    if (number() != 0) return false;
    if (waits[0].revents != 0) return true;
  }
}

}  // namespace memprof::cli
