#include "tool_child.hpp"

#include "files/document.hpp"
#include "formats/text.hpp"
#include "process/sibling.hpp"

#include <fmt/format.h>

#include <algorithm>

#include <poll.h>

namespace memprof::profile {
namespace {

constexpr std::size_t kMostLogBytes = 16u << 20;

process::Child start(const std::string& tool, const std::vector<std::string>& arguments,
                     const RunFolder& folder, const clock::RunClock& clock,
                     std::vector<int> inherited, process::Stream output) {
  process::Spec spec;
  spec.executable = process::sibling(tool);
  spec.arguments = arguments;
  spec.environment = {{clock::kAnchorVariable, clock::to_text(clock.anchor())}};
  spec.output = std::move(output);
  spec.errors = process::Stream::file(folder.log(tool));
  spec.inherited = std::move(inherited);
  return process::Child::spawn(spec).value();
}

}  // namespace

ToolChild::ToolChild(const std::string& tool, std::vector<std::string> arguments,
                     const RunFolder& folder, const clock::RunClock& clock,
                     std::vector<int> inherited, process::Stream output)
    : clock_(clock),
      log_(folder.log(tool)),
      record_{},
      child_([&] {
        arguments.push_back("--stats-out=" + folder.stats(tool));
        arguments.push_back("--no-follow");
        record_.name = tool;
        record_.started_ts = clock.now();
        return start(tool, arguments, folder, clock, std::move(inherited), std::move(output));
      }()) {
  record_.argv = std::move(arguments);
  record_.argv.insert(record_.argv.begin(), tool);
  record_.pid = child_.pid();
}

bool ToolChild::ended() {
  if (!status_) note_end(child_.ended());
  return status_.has_value();
}

void ToolChild::stop(const process::StopBounds& bounds) {
  stop_together({this}, bounds);
}

void ToolChild::note_end(std::optional<process::ExitStatus> status) {
  if (!status) return;
  status_ = status;
  record_.ended_ts = clock_.now();
  if (status->signal != 0) {
    record_.signal = status->signal;
  } else {
    record_.exit_code = status->code;
  }
}

bool ToolChild::ended_with(std::initializer_list<int> codes) const {
  return status_ && status_->signal == 0 &&
         std::find(codes.begin(), codes.end(), status_->code) != codes.end();
}

std::string ToolChild::last_words() const {
  std::string words = fmt::format("{}: {}", record_.name,
                                  status_ ? describe(*status_) : "did not end");
  const auto log = files::read_document(log_, files::Source::regular_file, kMostLogBytes);
  if (log.has_error()) return words + "; " + log.error().message;
  const auto text = formats::trim(*log);
  // What it stopped for is its last line; of a killed one the last line says nothing of that.
  const auto last = text.substr(text.rfind('\n') + 1);
  if (status_ && status_->signal != 0) return words;
  if (last.empty()) return fmt::format("{}; {} is empty", words, log_);
  constexpr std::string_view kLead = ": error: ";
  const auto lead = last.find(kLead);
  const auto said = lead == std::string_view::npos ? last : last.substr(lead + kLead.size());
  return words + ": " + formats::one_line(said, 500);
}

void ToolChild::pass_on(const std::vector<std::string>& warnings, cli::Tool& tool) const {
  for (const auto& warning : warnings) {
    // What is true of the server is said by all who ask it.
    if (!tool.has_warned(warning)) tool.warn(fmt::format("{}: {}", record_.name, warning));
  }
}

Error ToolChild::as_error() const {
  return {ended_with({2}) ? ExitCode::usage : ExitCode::environment, last_words()};
}

bool wait_for_any(const std::vector<ToolChild*>& children, const std::vector<int>& fds,
                  const cli::StopSignal& stop, clock::SinceBoot deadline) {
  std::vector<pollfd> waits{{stop.fd(), POLLIN, 0}};
  for (ToolChild* child : children) {
    if (child->seen_ended()) continue;
    if (child->ended()) return stop.number() == 0;  // since the caller's last look
    waits.push_back({child->child().exit_fd(), POLLIN, 0});
  }
  for (const int fd : fds) {
    if (fd >= 0) waits.push_back({fd, POLLIN, 0});
  }
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(
      deadline - clock::RunClock::since_boot());
  if (stop.number() == 0) {
    ::poll(waits.data(), waits.size(),
           static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 3'600'000)));
  }
  return stop.number() == 0;
}

void stop_together(const std::vector<ToolChild*>& children, const process::StopBounds& bounds) {
  std::vector<process::Child*> running;
  for (ToolChild* child : children) {
    if (child->ended()) continue;
    child->told_ = true;
    running.push_back(&child->child_);
  }
  process::stop_all(running, bounds);
  for (ToolChild* child : children) child->ended();
}

clock::SinceBoot from_now(Seconds seconds) {
  return clock::RunClock::since_boot() +
         std::chrono::nanoseconds(static_cast<std::int64_t>(seconds * 1e9));
}

}  // namespace memprof::profile
