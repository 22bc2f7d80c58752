#include "run.hpp"

#include "backend_choice.hpp"
#include "gpu/candidates.hpp"
#include "sampling.hpp"

#include <fmt/format.h>

#include <csignal>

using namespace memprof;

namespace {

ExitCode list_gpus(const Options& options, cli::Tool& tool, const cli::StopSignal& stop) {
  const Chosen chosen = choose_backend(options, tool, stop);
  std::string text = formats::csv_header<GpuInfo>();
  for (const auto& info : chosen_gpus(options, chosen)) formats::append_csv_row(text, info);
  cli::detail::print_and_flush(text);
  return ExitCode::ok;
}

}  // namespace

ExitCode run(const Options& options, cli::Tool& tool) {
  ::signal(SIGPIPE, SIG_IGN);  // a closed pipe is an error that is told, not a silent end
  simulator_of(options);  // before a file is made
  cli::StopSignal stop;
  if (options.list_gpus) return list_gpus(options, tool, stop);
  if (!options.output) throw ToolError(ExitCode::usage, "--output FILE is missing (see --help)");
  files::CsvFile<GpuMemRow> trace(*options.output, options.links());

  Chosen chosen = choose_backend(options, tool, stop);
  GpuSamplerAccount account;
  account.backend = formats::enum_name(chosen.backend);
  account.simulated = chosen.backend == gpu::Backend::simulated;
  account.gpus = chosen_gpus(options, chosen);
  Sampling sampling(options, tool, stop, trace);
  if (chosen.sensor) {
    tool.note(fmt::format("{}: {} GPU{}, every {} ms", account.backend, account.gpus.size(),
                          account.gpus.size() == 1 ? "" : "s", options.interval_ms));
    sampling.run(*chosen.sensor, gpu::paces_itself(chosen.backend));
  }
  sampling.fill(account, account.gpus);
  chosen.sensor.reset();  // what it has started is gone before the account says that all is over
  account.process = tool.account(trace.rows());
  tool.note(fmt::format("{} rows; ticks: {} due, {} taken, {} missed", account.process.rows,
                        account.ticks.due, account.ticks.taken, account.ticks.missed));
  tool.write_account(account);
  return ExitCode::ok;
}
