#include "gpu/group_guard.hpp"

#include "records/error.hpp"

#include <cerrno>
#include <csignal>

#include <fcntl.h>
#include <linux/close_range.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace memprof::gpu {
namespace {

/// The guard's whole life. A copy of a process with threads: only what is safe in a signal handler.
[[noreturn]] void guard(int life) {
  ::setpgid(0, 0);  // what ends the tool's group must not end its guard
  ::prctl(PR_SET_NAME, "group_guard");
  sigset_t all;
  ::sigfillset(&all);
  ::sigprocmask(SIG_SETMASK, &all, nullptr);
  ::dup2(life, 0);
  ::syscall(SYS_close_range, 1, ~0U, 0);
  int group = 0;
  for (;;) {
    int next = 0;
    const auto got = ::read(0, &next, sizeof next);
    if (got == sizeof next) {
      group = next;
    } else if (got >= 0 || errno != EINTR) {
      break;
    }
  }
  if (group > 1) ::kill(-group, SIGKILL);
  ::_exit(0);
}

}  // namespace

GroupGuard::GroupGuard() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) {
    throw ToolError(ExitCode::environment, "too few file descriptors: raise `ulimit -n`");
  }
  const process::Descriptor watched(ends[0]);
  life_ = process::Descriptor(ends[1]);
  pid_ = ::fork();
  if (pid_ < 0) throw ToolError(ExitCode::environment, "too many processes: cannot start one more");
  if (pid_ == 0) {
    ::close(ends[1]);
    guard(ends[0]);
  }
}

GroupGuard::~GroupGuard() {
  watch(0);
  life_.reset();
  while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

void GroupGuard::watch(int group) {
  [[maybe_unused]] const auto written = ::write(life_.get(), &group, sizeof group);
}

}  // namespace memprof::gpu
