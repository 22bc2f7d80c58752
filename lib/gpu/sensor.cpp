#include "gpu/sensor.hpp"

#include "process/descriptor.hpp"

#include <fmt/format.h>

#include <condition_variable>
#include <csignal>
#include <exception>
#include <mutex>
#include <new>
#include <system_error>
#include <thread>
#include <utility>

#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

namespace memprof::gpu {
namespace {

using clock::RunClock;
using namespace std::chrono_literals;

process::Descriptor make_event() {
  process::Descriptor event(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!event.is_open()) {
    throw ToolError(ExitCode::environment, "too few file descriptors: raise `ulimit -n`");
  }
  return event;
}

void raise_event(const process::Descriptor& event) {
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(event.get(), &one, sizeof one);
}

void clear_event(const process::Descriptor& event) {
  std::uint64_t count = 0;
  [[maybe_unused]] const auto got = ::read(event.get(), &count, sizeof count);
}

void read(GpuSource& source, Answer& answer, bool& threw) {
  answer.begun = RunClock::since_boot();
  try {
    answer.came = source.read(answer.rows);
  } catch (const std::exception& error) {
    answer.came = false;
    if (!std::exchange(threw, true)) answer.warnings.emplace_back(error.what());
  }
  answer.ended = RunClock::since_boot();
  answer.lost = source.lost();
  for (auto& warning : source.take_warnings()) answer.warnings.push_back(std::move(warning));
}

/// Signals are the main thread's.
class SignalsBlocked {
 public:
  SignalsBlocked() {
    sigset_t all;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~SignalsBlocked() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;

 private:
  sigset_t before_{};
};

}  // namespace

/// Held by the sensor and its thread: whoever is last frees it.
struct Sensor::State {
  process::Descriptor news = make_event();
  process::Descriptor interrupt = make_event();
  std::mutex mutex;
  std::condition_variable changed;
  bool asked = false;
  bool stop = false;
  bool over = false;
  bool answered = false;
  std::optional<Result<std::vector<GpuInfo>>> probed;
  Answer answer;

  template <class Change>
  void publish(Change change) {
    const std::scoped_lock lock(mutex);
    change();
    raise_event(news);
  }
  /// False: the end.
  bool wait_for_question() {
    std::unique_lock lock(mutex);
    changed.wait(lock, [this] { return asked || stop; });
    asked = false;
    return !stop;
  }
};

Sensor::Sensor(MakeSource make_source) : state_(std::make_shared<State>()) {
  const SignalsBlocked blocked;
  try {
    std::thread([state = state_, make = std::move(make_source)] { run(state, make); }).detach();
  } catch (const std::system_error& error) {
    throw ToolError(ExitCode::environment,
                    fmt::format("cannot start a thread: {}; raise `ulimit -v` (memory) or "
                                "`ulimit -u` (threads)",
                                error.code().message()));
  }
}

Sensor::~Sensor() {
  std::unique_lock lock(state_->mutex);
  state_->stop = true;
  raise_event(state_->interrupt);
  state_->changed.notify_all();
  // Against the system clock on purpose: the thread sanitizer of g++ 12 knows no other timed wait.
  state_->changed.wait_until(lock, std::chrono::system_clock::now() + kLongestEnd,
                             [this] { return state_->over; });
}

int Sensor::fd() const { return state_->news.get(); }

std::optional<Result<std::vector<GpuInfo>>> Sensor::probed() {
  const std::scoped_lock lock(state_->mutex);
  clear_event(state_->news);
  return std::exchange(state_->probed, std::nullopt);
}

void Sensor::ask() {
  {
    const std::scoped_lock lock(state_->mutex);
    state_->asked = true;
  }
  state_->changed.notify_all();
}

bool Sensor::take(Answer& answer) {
  const std::scoped_lock lock(state_->mutex);
  clear_event(state_->news);
  if (!state_->answered) return false;
  state_->answered = false;
  std::swap(answer, state_->answer);
  return true;
}

void Sensor::run(const std::shared_ptr<State>& state, const MakeSource& make_source) {
  std::unique_ptr<GpuSource> source;
  const auto probe = [&]() -> Result<std::vector<GpuInfo>> {
    try {
      source = make_source(state->interrupt.get());
      return source->probe();
    } catch (const std::bad_alloc&) {
      return Error{ExitCode::environment, "out of memory"};
    } catch (const std::exception& error) {
      return Error{ExitCode::environment, error.what()};
    }
  };
  auto found = probe();
  state->publish([&] { state->probed.emplace(std::move(found)); });

  Answer answer;
  bool threw = false;
  auto next_processes = clock::SinceBoot{0};
  while (state->wait_for_question()) {
    read(*source, answer, threw);
    const auto ended = answer.ended;
    state->publish([&] {
      state->answered = true;
      std::swap(state->answer, answer);
    });
    answer.warnings.clear();
    answer.processes.clear();
    if (ended >= next_processes) {  // after the answer: its time belongs to no tick
      answer.processes = source->processes();
      next_processes = ended + 1s;
    }
  }
  source.reset();
  state->publish([&] { state->over = true; });
  state->changed.notify_all();
}

}  // namespace memprof::gpu
