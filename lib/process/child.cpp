#include "process/child.hpp"

#include "process/launch.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <poll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace memprof::process {
namespace {

clock::SinceBoot from_now(Seconds seconds) {
  return clock::RunClock::since_boot() +
         std::chrono::nanoseconds(static_cast<std::int64_t>(seconds * 1e9));
}

/// Milliseconds for poll(2), rounded up so that it does not return early.
int poll_time(clock::SinceBoot deadline) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(
      deadline - clock::RunClock::since_boot());
  return static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 1'000'000'000));
}

ExitStatus to_status(int wait_status) {
  if (WIFSIGNALED(wait_status)) return {128 + WTERMSIG(wait_status), WTERMSIG(wait_status)};
  return {WEXITSTATUS(wait_status), 0};
}

/// A link is replaced, never written through.
int open_output(const char* path) {
  constexpr int kFlags = O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC;
  const int fd = ::open(path, kFlags, 0644);
  if (fd >= 0 || errno != ELOOP || ::unlink(path) != 0) return fd;
  return ::open(path, kFlags | O_EXCL, 0644);
}

struct OpenedStream {
  Descriptor owned;
  int fd = -1;
  LineReader reader;
};

Result<OpenedStream> open_stream(const Stream& stream, int target) {
  OpenedStream opened;
  if (stream.kind == Stream::Kind::inherit && ::fcntl(target, F_GETFD) >= 0) {
    opened.fd = target;
    return opened;
  }
  if (stream.kind == Stream::Kind::pipe) {
    Pipe pipe = make_pipe();
    opened.reader = LineReader(std::move(pipe.read_end));
    opened.owned = std::move(pipe.write_end);
  } else {
    const bool file = stream.kind == Stream::Kind::file;
    const std::string path = file ? stream.path : "/dev/null";
    opened.owned = above_streams(target == STDIN_FILENO ? ::open(path.c_str(), O_RDONLY | O_CLOEXEC)
                                                        : open_output(path.c_str()));
    if (!opened.owned.is_open()) {
      return Error{ExitCode::environment,
                   fmt::format("{}: cannot open: {}", path, std::strerror(errno))};
    }
  }
  opened.fd = opened.owned.get();
  return opened;
}

}  // namespace

struct Child::State {
  std::unique_ptr<detail::Launched> launched;
  int pid = -1;
  Descriptor exit_fd;
  std::optional<ExitStatus> status;
  bool given_up = false;
  LineReader output;
  LineReader errors;

  [[nodiscard]] bool over() const { return status.has_value() || given_up; }
  void signal_group(int number) const {
    // The leader is not reaped yet, so its number still means its group.
    if (!over()) ::kill(-pid, number);
  }
};

std::string describe(ExitStatus status) {
  if (status.signal != 0) {
    return fmt::format("signal {} ({})", status.signal, ::strsignal(status.signal));
  }
  return fmt::format("exit code {}", status.code);
}

Child::Child(std::unique_ptr<State> state) : state_(std::move(state)) {}
Child::Child(Child&&) noexcept = default;

Child& Child::operator=(Child&& other) noexcept {
  const Child old(std::move(*this));  // its process ends with it
  state_ = std::move(other.state_);
  return *this;
}

Child::~Child() {
  if (state_) stop({0, 0, 1});
}

Result<Child> Child::spawn(const Spec& spec) {
  auto input = open_stream(spec.input, STDIN_FILENO);
  if (input.has_error()) return input.error();
  auto output = open_stream(spec.output, STDOUT_FILENO);
  if (output.has_error()) return output.error();
  auto errors = open_stream(spec.errors, STDERR_FILENO);
  if (errors.has_error()) return errors.error();

  auto launched = detail::launch(spec, {input->fd, output->fd, errors->fd});
  if (launched.has_error()) return launched.error();
  auto state = std::make_unique<State>();
  state->launched = std::move(*launched);
  state->pid = state->launched->pid();
  state->exit_fd = Descriptor(static_cast<int>(::syscall(SYS_pidfd_open, state->pid, 0)));
  if (!state->exit_fd.is_open()) {  // its end would not be noticed
    const int reason = errno;
    ::kill(-state->pid, SIGKILL);
    state->launched->reap();
    return Error{ExitCode::environment,
                 fmt::format("{}: cannot be watched: {}", spec.executable, std::strerror(reason))};
  }
  state->output = std::move(output->reader);
  state->errors = std::move(errors->reader);
  return Child(std::move(state));
}

int Child::pid() const { return state_->pid; }
int Child::exit_fd() const { return state_->exit_fd.get(); }
LineReader& Child::output() { return state_->output; }
LineReader& Child::errors() { return state_->errors; }
void Child::signal(int number) { state_->signal_group(number); }

std::optional<ExitStatus> Child::ended() {
  if (state_->over()) return state_->status;
  siginfo_t info{};
  const auto id = static_cast<id_t>(pid());
  if (::waitid(P_PID, id, &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid == 0) return {};
  state_->signal_group(SIGKILL);
  state_->status = to_status(state_->launched->reap());
  return state_->status;
}

std::optional<ExitStatus> Child::wait_until(clock::SinceBoot deadline) {
  for (;;) {
    if (const auto status = ended(); status || state_->given_up) return status;
    const int time = poll_time(deadline);
    pollfd wait{exit_fd(), POLLIN, 0};
    if (::poll(&wait, 1, time) == 0) return ended();
  }
}

/// The kernel holds it (a driver's call): waiting for it would hang us too.
void Child::give_up() {
  if (state_->over()) return;
  state_->given_up = true;
  state_->launched->let_go();
}

std::optional<ExitStatus> Child::stop(const StopBounds& bounds) {
  Child* const self = this;
  stop_all({&self, 1}, bounds);
  return state_->status;
}

void stop_all(std::span<Child* const> children, const StopBounds& bounds) {
  const auto step = [&](int number, Seconds bound) {
    for (Child* child : children) {
      if (!child->ended()) child->signal(number);
    }
    const auto deadline = from_now(bound);
    bool all_ended = true;
    for (Child* child : children) all_ended &= child->wait_until(deadline).has_value();
    return all_ended;
  };
  if (bounds.after_interrupt > 0 && step(SIGINT, bounds.after_interrupt)) return;
  if (bounds.after_terminate > 0 && step(SIGTERM, bounds.after_terminate)) return;
  if (step(SIGKILL, bounds.after_kill)) return;
  for (Child* child : children) child->give_up();
}

}  // namespace memprof::process
