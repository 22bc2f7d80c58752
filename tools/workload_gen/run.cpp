#include "run.hpp"

#include "cli/progress.hpp"
#include "cli/stop_signal.hpp"
#include "files/row_file.hpp"
#include "workload/generate.hpp"
#include "workload/grid.hpp"

#include <fmt/format.h>

#include <optional>

using namespace memprof;

namespace {

int stop_code(const std::optional<cli::StopSignal>& stop) {
  return stop && stop->number() != 0 ? 128 + stop->number() : 0;
}

}  // namespace

int run(const Options& options, cli::Tool& tool) {
  const auto& spec = options.spec;
  const std::int64_t total = workload::count_requests(spec).value();
  const auto fit = workload::plain_fit(spec);

  files::LineFile output(options.output);
  // A pipe's reader may never read on: there a signal ends the tool at once, as is usual.
  std::optional<cli::StopSignal> stop;
  if (options.output != "-") stop.emplace();
  cli::ProgressLine progress(tool.quiet() || options.output == "-");
  WorkloadAccount account;
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
