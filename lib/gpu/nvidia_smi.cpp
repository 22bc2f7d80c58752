#include "gpu/nvidia_smi.hpp"

#include "formats/text.hpp"
#include "gpu/smi_csv.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <iterator>

#include <poll.h>
#include <unistd.h>

namespace memprof::gpu {
namespace {

using clock::RunClock;

int poll_time(clock::SinceBoot deadline) {
  const auto left =
      std::chrono::ceil<std::chrono::milliseconds>(deadline - RunClock::since_boot());
  return static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 1'000'000'000));
}

/// Appends what has come on both streams.
void collect(process::Child& child, std::vector<std::string>& lines) {
  for (auto* stream : {&child.output(), &child.errors()}) {
    while (stream->is_open()) {
      auto more = stream->read();
      if (more.empty()) break;
      std::move(more.begin(), more.end(), std::back_inserter(lines));
    }
  }
}

}  // namespace

Result<void> NvidiaSmi::find() {
  const char* path = std::getenv("PATH");
  for (const auto folder : formats::split(path != nullptr ? path : "", ':')) {
    std::string candidate = fmt::format("{}/nvidia-smi", folder.empty() ? "." : folder);
    if (::access(candidate.c_str(), X_OK) == 0) {
      path_ = std::move(candidate);
      return {};
    }
  }
  return Error{ExitCode::environment, "nvidia-smi is not in PATH"};
}

Result<process::Child> NvidiaSmi::start(std::vector<std::string> arguments) {
  process::Spec spec;
  spec.executable = path_;
  spec.arguments = std::move(arguments);
  spec.output = process::Stream::pipe();
  spec.errors = process::Stream::pipe();
  spec.death_signal = SIGKILL;
  if (!guard_) guard_.emplace();
  auto child = process::Child::spawn(spec);
  if (child.has_value()) guard_->watch(child->pid());
  return child;
}

void NvidiaSmi::end(process::Child& child) {
  child.stop({0, 0, 1});
  guard_->watch(0);
}

bool NvidiaSmi::wait(process::Child& child, clock::SinceBoot deadline) const {
  std::array<pollfd, 4> waits{{{interrupt_fd_, POLLIN, 0},
                               {child.output().fd(), POLLIN, 0},
                               {child.errors().fd(), POLLIN, 0},
                               {child.exit_fd(), POLLIN, 0}}};
  ::poll(waits.data(), waits.size(), poll_time(deadline));
  return waits[0].revents == 0;
}

bool NvidiaSmi::sleep_until(clock::SinceBoot deadline) const {
  pollfd wait{interrupt_fd_, POLLIN, 0};
  return ::poll(&wait, 1, poll_time(deadline)) == 0;
}

NvidiaSmi::Answer NvidiaSmi::ask(std::vector<std::string> arguments,
                                 std::chrono::nanoseconds most) {
  Answer answer;
  auto child = start(std::move(arguments));
  if (child.has_error()) {
    answer.problem = child.error().message;
    return answer;
  }
  const auto deadline = RunClock::since_boot() + most;
  std::optional<process::ExitStatus> status;
  while (!status && !answer.interrupted && RunClock::since_boot() < deadline) {
    answer.interrupted = !wait(*child, deadline);
    status = child->ended();
    collect(*child, answer.lines);
  }
  end(*child);
  if (!status) {
    answer.problem = fmt::format("no answer within {}", formats::format_duration(
                                     std::chrono::duration<double>(most).count()));
  } else if (!status->ok()) {
    answer.exit_code = status->code;
    answer.problem =
        describe_end(*status, answer.lines.empty() ? std::string() : answer.lines.front());
  }
  return answer;
}

Result<std::vector<GpuInfo>> NvidiaSmi::list_gpus(std::chrono::nanoseconds most) {
  Answer answer = ask(smi_query(kInfoColumnsWithReserved, {}), most);
  if (answer.exit_code == 2) answer = ask(smi_query(kInfoColumns, {}), most);
  if (!answer.problem.empty()) {
    return Error{ExitCode::environment, fmt::format("{}: {}", path_, answer.problem)};
  }
  std::vector<GpuInfo> infos;
  bool figure = false;
  for (const auto& line : answer.lines) {
    auto info = parse_info(line);
    if (!info) continue;
    figure |= info->total_mib.has_value();
    infos.push_back(std::move(*info));
  }
  if (infos.empty() || !figure) {
    const auto words =
        answer.lines.empty() ? "nothing" : formats::one_line(answer.lines.front(), 200);
    return Error{ExitCode::environment,
                 fmt::format("{}: no GPU with a memory figure; it said: {}", path_, words)};
  }
  return infos;
}

std::string NvidiaSmi::describe_end(process::ExitStatus status, std::string_view words) {
  std::string text = process::describe(status);
  const auto meaning = status.signal == 0 ? exit_meaning(status.code) : "";
  if (!meaning.empty()) text += fmt::format(" ({})", meaning);
  if (!words.empty()) text += ": " + formats::one_line(words, 200);
  return text;
}

std::vector<std::string> smi_query(std::string_view columns,
                                   const std::optional<std::vector<std::int64_t>>& gpus) {
  std::vector<std::string> arguments{fmt::format("--query-gpu={}", columns),
                                     "--format=csv,noheader,nounits"};
  if (gpus) {
    arguments.emplace_back("-i");
    arguments.push_back(fmt::format("{}", fmt::join(*gpus, ",")));
  }
  return arguments;
}

}  // namespace memprof::gpu
