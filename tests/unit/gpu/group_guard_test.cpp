#include "gpu/group_guard.hpp"

#include <gtest/gtest.h>

#include <csignal>

#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

namespace memprof::gpu {
namespace {

/// A process that sleeps in a group of its own.
int start_sleeper() {
  const int pid = ::fork();
  if (pid == 0) {
    ::setpgid(0, 0);
    ::alarm(30);
    for (;;) ::pause();
  }
  ::setpgid(pid, pid);
  return pid;
}

bool is_there(int pid) { return ::waitpid(pid, nullptr, WNOHANG) == 0; }

TEST(GroupGuard, KillsTheGroupWhenItsOwnerIsKilled) {
  const int sleeper = start_sleeper();
  const int owner = ::fork();
  if (owner == 0) {
    GroupGuard guard;
    guard.watch(12);  // replaced by the next
    guard.watch(sleeper);
    ::raise(SIGKILL);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(owner, &status, 0), owner);
  EXPECT_EQ(WTERMSIG(status), SIGKILL);
  ASSERT_EQ(::waitpid(sleeper, &status, 0), sleeper);
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);  // not its own alarm
}

TEST(GroupGuard, AnOrderlyEndKillsNothing) {
  const int sleeper = start_sleeper();
  {
    GroupGuard guard;
    guard.watch(sleeper);
  }
  EXPECT_TRUE(is_there(sleeper));
  ::kill(sleeper, SIGKILL);
  ::waitpid(sleeper, nullptr, 0);
}

TEST(GroupGuard, HoldsNothingOfItsOwnerOpen) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  GroupGuard guard;
  ::close(ends[1]);
  pollfd wait{ends[0], POLLIN, 0};
  EXPECT_EQ(::poll(&wait, 1, 5000), 1);
  EXPECT_TRUE((wait.revents & POLLHUP) != 0);
  ::close(ends[0]);
}

}  // namespace
}  // namespace memprof::gpu
