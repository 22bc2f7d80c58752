#include "run.hpp"

#include "cli/progress.hpp"
#include "cli/stop_signal.hpp"
#include "files/row_file.hpp"
#include "server_tokenizer.hpp"
#include "workload/calibrate.hpp"
#include "workload/generate.hpp"
#include "workload/grid.hpp"

#include <fmt/format.h>

#include <optional>
#include <utility>

using namespace memprof;

namespace {

int stop_code(const std::optional<cli::StopSignal>& stop) {
  return stop && stop->number() != 0 ? 128 + stop->number() : 0;
}

void tell(const workload::Calibration& calibration, const cli::Tool& tool) {
  tool.note(fmt::format("calibrated: {:.3f} tokens a word, and {} tokens of the server's own in "
                        "every prompt",
                        calibration.tokens_per_word, calibration.overhead));
  for (const auto& check : calibration.checks) {
    if (check.counted == check.input_len) continue;
    tool.note(fmt::format("calibrated: {} prompts of {} tokens have {}",
                          formats::enum_name(check.prefix_mode), check.input_len, check.counted));
  }
}

/// What prompts are made of; asks the server when that is wanted.
workload::TextFit fit_text(const Options& options, cli::Tool& tool,
                           WorkloadAccount& account) {
  if (!options.calibrate) return workload::plain_fit(options.spec);
  const auto tokenize = server_tokenizer(*options.calibrate, options.target, tool).value();
  if (options.spec.prompt_format == PromptFormat::token_ids) {
    tool.note("prompts of token ids are exact; nothing to calibrate");
    return workload::plain_fit(options.spec);
  }
  auto calibration = workload::calibrate(options.spec, tokenize).value();
  tell(calibration, tool);
  account.calibrated_deviation = calibration.deviation();
  return std::move(calibration.fit);
}

}  // namespace

int run(const Options& options, cli::Tool& tool) {
  const auto& spec = options.spec;
  const std::int64_t total = workload::count_requests(spec).value();
  files::LineFile output(options.output, options.links());
  WorkloadAccount account;
  const auto fit = fit_text(options, tool, account);
  // A pipe's reader may never read on: there a signal ends the tool at once, as is usual.
  std::optional<cli::StopSignal> stop;
  if (options.output != "-") stop.emplace();
  cli::ProgressLine progress(tool.quiet() || options.output == "-");
  std::int64_t rows = 0;
  workload::generate(spec, fit, [&](std::string_view lines, std::int64_t requests) {
    output.write(lines);
    rows += requests;
    account.bytes += static_cast<std::int64_t>(lines.size());
    progress.update(fmt::format("{}/{} requests, {} MB", rows, total, account.bytes / 1'000'000));
    return stop_code(stop) == 0;
  });
  progress.clear();
  account.process = tool.account(rows);
  tool.write_account(account);
  return stop_code(stop);
}
