#include "process/child.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

namespace memprof::process {
namespace {

using std::chrono::seconds;

clock::SinceBoot in(seconds time) { return clock::RunClock::since_boot() + time; }

/// Every script is bounded: `sleep 20` at most.
Spec shell(const std::string& script) {
  Spec spec;
  spec.executable = "/bin/sh";
  spec.arguments = {"-c", script};
  return spec;
}

std::string all_output(Child& child) {
  std::string text;
  const auto deadline = in(seconds(10));
  while (child.output().is_open() && clock::RunClock::since_boot() < deadline) {
    pollfd wait{child.output().fd(), POLLIN, 0};
    ::poll(&wait, 1, 100);
    for (const auto& line : child.output().read()) text += line + "\n";
  }
  return text;
}

std::string output_of(Spec spec) {
  spec.output = Stream::pipe();
  auto child = Child::spawn(spec).value();
  const auto text = all_output(child);
  EXPECT_TRUE(child.wait_until(in(seconds(10))).has_value());
  return text;
}

/// A zombie that nobody has reaped yet is gone.
bool is_gone(int pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string line;
  if (!std::getline(file, line)) return true;
  return line.substr(line.rfind(')') + 2, 1) == "Z";
}

bool goes_soon(int pid) {
  for (int i = 0; i < 300; ++i) {
    if (is_gone(pid)) return true;
    ::usleep(10'000);
  }
  return false;
}

TEST(Child, TellsACodeFromASignal) {
  auto by_code = Child::spawn(shell("exit 9")).value();
  auto status = by_code.wait_until(in(seconds(10)));
  ASSERT_TRUE(status);
  EXPECT_EQ(status->code, 9);
  EXPECT_EQ(status->signal, 0);
  EXPECT_EQ(describe(*status), "exit code 9");

  auto by_signal = Child::spawn(shell("kill -KILL $$")).value();
  status = by_signal.wait_until(in(seconds(10)));
  ASSERT_TRUE(status);
  EXPECT_EQ(status->signal, SIGKILL);
  EXPECT_EQ(describe(*status), "signal 9 (Killed)");
  EXPECT_FALSE(status->ok());
}

TEST(Child, SaysThatItCannotBeRun) {
  Spec spec;
  spec.executable = "/nowhere/tool";
  const auto missing = Child::spawn(spec);
  ASSERT_TRUE(missing.has_error());
  EXPECT_EQ(missing.error().message, "/nowhere/tool: cannot be run: No such file or directory");
  EXPECT_EQ(missing.error().code, ExitCode::environment);

  const auto folder = std::filesystem::temp_directory_path() /
                      ("child_test." + std::to_string(::getpid()));
  std::ofstream(folder) << "neither a program nor a script";
  std::filesystem::permissions(folder, std::filesystem::perms::owner_all);
  spec.executable = folder.string();
  const auto no_program = Child::spawn(spec);
  std::filesystem::remove(folder);
  ASSERT_TRUE(no_program.has_error());
  EXPECT_EQ(no_program.error().message, folder.string() + ": cannot be run: Exec format error");
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1) << "a zombie is left";

  spec = shell("exit 0");
  spec.errors = Stream::file("/nowhere/log");
  const auto no_log = Child::spawn(spec);
  ASSERT_TRUE(no_log.has_error());
  EXPECT_EQ(no_log.error().message, "/nowhere/log: cannot open: No such file or directory");
}

TEST(Child, GetsItsStreamsAndVariables) {
  ::setenv("CHILD_TEST_REPLACED", "old", 1);
  const auto path = std::filesystem::temp_directory_path() /
                    ("child_test_streams." + std::to_string(::getpid()));
  std::ofstream(path) << "from a file\n";
  auto spec = shell("read line; echo \"$line|$CHILD_TEST_REPLACED|$CHILD_TEST_NEW\"");
  spec.input = Stream::file(path.string());
  spec.environment = {{"CHILD_TEST_REPLACED", "new"}, {"CHILD_TEST_NEW", "a=b"}};
  EXPECT_EQ(output_of(spec), "from a file|new|a=b\n");
  // A shell takes the last of two, getenv(3) the first: there must be one.
  spec.executable = "/bin/grep";
  spec.arguments = {"-zc", "^CHILD_TEST_REPLACED=", "/proc/self/environ"};
  EXPECT_EQ(output_of(spec), "1\n");

  spec = shell("echo words >&2");
  spec.errors = Stream::file(path.string());
  auto child = Child::spawn(spec).value();
  ASSERT_TRUE(child.wait_until(in(seconds(10))));
  std::ifstream written(path);
  EXPECT_EQ((std::ostringstream() << written.rdbuf()).str(), "words\n");
  std::filesystem::remove(path);
}

TEST(Child, InheritsOnlyWhatIsMeant) {
  const Descriptor secret(::open("/etc/hostname", O_RDONLY));  // no O_CLOEXEC: a careless library
  Pipe meant = make_pipe();
  auto spec = shell("ls /proc/$$/fd; echo through >&" + std::to_string(meant.write_end.get()));
  spec.inherited = {meant.write_end.get()};
  // dash opens nothing of its own when it runs -c.
  EXPECT_EQ(output_of(spec), "0\n1\n2\n" + std::to_string(meant.write_end.get()) + "\n");
  LineReader reader(std::move(meant.read_end));
  EXPECT_EQ(reader.read(), std::vector<std::string>{"through"});
}

TEST(Child, IgnoresAndBlocksNothing) {
  ::signal(SIGPIPE, SIG_IGN);
  ::signal(SIGUSR1, SIG_IGN);
  sigset_t blocked;
  ::sigemptyset(&blocked);
  ::sigaddset(&blocked, SIGUSR2);
  ::sigprocmask(SIG_BLOCK, &blocked, nullptr);
  // The reader itself, not a shell, which would set its own.
  Spec spec;
  spec.executable = "/bin/grep";
  spec.arguments = {"-E", "^Sig(Blk|Ign):", "/proc/self/status"};
  const auto masks = output_of(spec);
  ::sigprocmask(SIG_UNBLOCK, &blocked, nullptr);
  ::signal(SIGPIPE, SIG_DFL);
  ::signal(SIGUSR1, SIG_DFL);
  EXPECT_EQ(masks, "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
}

TEST(Child, EscalatesToWhatEndsIt) {
  const StopBounds bounds{0.5, 0.5, 2};
  const auto stop = [&](const std::string& script) {
    auto spec = shell(script);
    spec.output = Stream::pipe();
    auto child = Child::spawn(spec).value();
    pollfd ready{child.output().fd(), POLLIN, 0};
    ::poll(&ready, 1, 5000);  // the trap is set
    return child.stop(bounds);
  };
  const std::string wait = "; echo ready; for i in $(seq 200); do sleep 0.1; done";
  EXPECT_EQ(stop("trap 'exit 5' INT" + wait)->code, 5);
  EXPECT_EQ(stop("trap '' INT; trap 'exit 6' TERM" + wait)->code, 6);
  EXPECT_EQ(stop("trap '' INT TERM" + wait)->signal, SIGKILL);
}

TEST(Child, TakesItsGroupWithIt) {
  auto spec = shell("sleep 20 & echo $!; exit 0");
  spec.output = Stream::pipe();
  auto child = Child::spawn(spec).value();
  pollfd ready{child.output().fd(), POLLIN, 0};
  ::poll(&ready, 1, 5000);
  const int grandchild = std::stoi(child.output().read().at(0));
  ASSERT_TRUE(child.wait_until(in(seconds(10))));
  EXPECT_TRUE(goes_soon(grandchild));
}

TEST(Child, EndsWithItsOwner) {
  int pid = 0;
  {
    auto child = Child::spawn(shell("trap '' INT TERM; sleep 20")).value();
    pid = child.pid();
    EXPECT_FALSE(is_gone(pid));
    EXPECT_FALSE(child.ended());
  }
  EXPECT_TRUE(is_gone(pid));
}

TEST(Child, DiesWithAKilledParent) {
  Pipe pipe = make_pipe();
  const pid_t parent = ::fork();
  if (parent == 0) {
    auto spec = shell("exec sleep 20");
    spec.death_signal = SIGKILL;
    auto child = Child::spawn(spec).value();
    const int pid = child.pid();
    [[maybe_unused]] const auto written = ::write(pipe.write_end.get(), &pid, sizeof pid);
    ::raise(SIGKILL);
  }
  ASSERT_GT(parent, 0);
  ::waitpid(parent, nullptr, 0);
  int pid = 0;
  ASSERT_EQ(::read(pipe.read_end.get(), &pid, sizeof pid), static_cast<ssize_t>(sizeof pid));
  EXPECT_TRUE(goes_soon(pid));
}

TEST(Child, StopsSeveralWithinTheBoundsOfOne) {
  std::vector<Child> children;
  std::vector<Child*> all;
  for (int i = 0; i < 4; ++i) {
    children.push_back(Child::spawn(shell("trap '' INT; sleep 20")).value());
  }
  for (auto& child : children) all.push_back(&child);
  ::usleep(200'000);
  const auto begin = clock::RunClock::since_boot();
  stop_all(all, {0.3, 0.3, 2});
  EXPECT_LT(clock::RunClock::since_boot() - begin, seconds(2));
  for (auto& child : children) EXPECT_TRUE(child.ended());
}

}  // namespace
}  // namespace memprof::process
