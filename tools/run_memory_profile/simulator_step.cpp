#include "simulator_step.hpp"

#include "files/document.hpp"
#include "records/account.hpp"

#include <fmt/format.h>

namespace memprof::profile {
namespace {

constexpr Seconds kLongestStart = 30;

}  // namespace

SimulatorStep::SimulatorStep(const Options& options, const RunFolder& folder,
                             const clock::RunClock& clock, const cli::StopSignal& stop)
    : child_("vllm_simulator", options.simulator_options, folder, clock, {},
             process::Stream::pipe()) {
  await_url(stop);
}

void SimulatorStep::await_url(const cli::StopSignal& stop) {
  const auto deadline = from_now(kLongestStart);
  auto& output = child_.child().output();
  for (;;) {
    const bool ended = child_.ended();  // before the look at its words: these may be its last
    for (const auto& line : output.read()) {
      if (base_url_.empty() && line.starts_with("http")) base_url_ = line;
    }
    if (!base_url_.empty()) return;
    if (ended && child_.ended_with({0})) {
      throw ToolError(ExitCode::usage, "vllm_simulator ended at once: its options, after --, must "
                                       "let it serve");
    }
    if (ended) throw ToolError(child_.as_error());
    if (clock::RunClock::since_boot() >= deadline) {
      throw ToolError(ExitCode::environment,
                      fmt::format("vllm_simulator does not serve after {} s", kLongestStart));
    }
    if (!wait_for_any({&child_}, {output.fd()}, stop, deadline)) return;
  }
}

std::optional<Error> SimulatorStep::death() {
  if (!child_.ended()) return {};
  return child_.as_error();
}

void SimulatorStep::finish(RunContext& run) {
  const bool died = child_.ended();
  if (died) run.tool.warn(child_.last_words() + "; there was no server from then on");
  child_.stop(run.interrupted() ? kQuickEnd : kOrdinaryEnd);
  child_.set_ended_as_told(!died && child_.ended_with({0, 130, 143}));
  const auto account = files::read_json<SimulatorAccount>(run.folder.stats("vllm_simulator"));
  if (account.has_value()) {
    child_.pass_on(account->process.warnings, run.tool);
    child_.set_rows(account->process.rows);
  }
  run.manifest.children.push_back(child_.record());
}

}  // namespace memprof::profile
