#include "process/launch.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/process/v2/process.hpp>
#include <boost/system/system_error.hpp>
#include <fmt/format.h>

#include <cerrno>
#include <csignal>
#include <cstring>

#include <fcntl.h>
#include <linux/close_range.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace memprof::process::detail {
namespace {

namespace bp = boost::process::v2;

/// Makes the child what Child's contract says, between fork and exec.
struct ExecSetup {
  const Spec& spec;
  const std::array<int, 3>& streams;
  const std::vector<char*>& environment;
  pid_t parent;

  template <class Launcher, class Executable, class Arguments>
  bp::error_code on_setup(Launcher& launcher, const Executable&, const Arguments&) const {
    launcher.env = environment.data();
    // The launcher closes what lies above the last of these.
    launcher.fd_whitelist.insert(launcher.fd_whitelist.end(), spec.inherited.begin(),
                                 spec.inherited.end());
    return {};
  }

  template <class Launcher, class Executable, class Arguments>
  bp::error_code on_exec_setup(Launcher&, const Executable&, const Arguments&) const {
    ::setpgid(0, 0);
    ::prctl(PR_SET_PDEATHSIG, spec.death_signal);
    if (::getppid() != parent) ::_exit(128 + spec.death_signal);  // it died before the line above
    // An ignored signal would stay ignored through exec.
    for (int number = 1; number < NSIG; ++number) ::signal(number, SIG_DFL);
    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    for (int target = 0; target < 3; ++target) {
      if (streams[target] != target && ::dup2(streams[target], target) < 0) return failure();
    }
    ::syscall(SYS_close_range, 3, ~0U, CLOSE_RANGE_CLOEXEC);
    for (const int fd : spec.inherited) {
      if (::fcntl(fd, F_SETFD, 0) < 0) return failure();
    }
    return {};
  }

  /// The launcher would go on to exit(), which runs the parent's exit handlers and writes what the
  /// parent has buffered a second time.
  template <class... Arguments>
  void on_exec_error(Arguments&&...) const {
    ::_exit(127);
  }

  static bp::error_code failure() { return {errno, boost::system::system_category()}; }
};

class BoostProcess final : public Launched {
 public:
  BoostProcess(std::unique_ptr<boost::asio::io_context> context, bp::process process)
      : context_(std::move(context)), process_(std::move(process)) {}

  [[nodiscard]] int pid() const override { return process_.id(); }
  int reap() override {
    bp::error_code error;
    while (process_.running(error) && !error) ::usleep(100);
    const int status = process_.native_exit_code();
    let_go();
    return status;
  }
  void let_go() override {
    // A handle does nothing at its end; a process would wait for a pid that is not ours any more.
    const auto handle = process_.detach();
  }

 private:
  std::unique_ptr<boost::asio::io_context> context_;  // never run: no other thread, no handlers
  bp::process process_;
};

std::vector<std::string> effective_environment(const Spec& spec) {
  std::vector<std::string> variables;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    const std::string_view text(*variable);
    const auto name = text.substr(0, text.find('='));
    const bool replaced = std::any_of(spec.environment.begin(), spec.environment.end(),
                                      [&](const auto& added) { return added.first == name; });
    if (!replaced) variables.emplace_back(text);
  }
  for (const auto& [name, value] : spec.environment) {
    variables.push_back(fmt::format("{}={}", name, value));
  }
  return variables;
}

Error cannot_run(const Spec& spec, int reason) {
  return {ExitCode::environment,
          fmt::format("{}: cannot be run: {}", spec.executable, std::strerror(reason))};
}

/// `launcher` knows the pid even when this throws.
Result<std::unique_ptr<Launched>> start(bp::posix::default_launcher& launcher, const Spec& spec,
                                        const std::array<int, 3>& streams) {
  std::vector<std::string> variables = effective_environment(spec);
  std::vector<char*> environment;
  environment.reserve(variables.size() + 1);
  for (auto& variable : variables) environment.push_back(variable.data());
  environment.push_back(nullptr);

  auto context = std::make_unique<boost::asio::io_context>(1);
  bp::error_code error;
  bp::process process = launcher(boost::asio::any_io_executor(context->get_executor()), error,
                                 bp::filesystem::path(spec.executable), spec.arguments,
                                 ExecSetup{spec, streams, environment, ::getpid()});
  if (error) {
    // The launcher leaves a zombie when exec has failed.
    if (launcher.pid > 0) ::waitpid(launcher.pid, nullptr, 0);
    return cannot_run(spec, error.value());
  }
  return std::unique_ptr<Launched>(
      std::make_unique<BoostProcess>(std::move(context), std::move(process)));
}

}  // namespace

Result<std::unique_ptr<Launched>> launch(const Spec& spec, const std::array<int, 3>& streams) {
  if (::access(spec.executable.c_str(), X_OK) != 0) return cannot_run(spec, errno);
  bp::posix::default_launcher launcher;
  try {
    return start(launcher, spec, streams);
  } catch (const boost::system::system_error& error) {  // no descriptors for it, or to watch it
    if (launcher.pid > 0) {
      ::kill(launcher.pid, SIGKILL);
      ::waitpid(launcher.pid, nullptr, 0);
    }
    return cannot_run(spec, error.code().value());
  }
}

}  // namespace memprof::process::detail
