#include "options.hpp"
#include "replay.hpp"
#include "sampling.hpp"

#include <fmt/format.h>

#include <csignal>

using namespace memprof;

namespace {

ExitCode sample(const Options& options, cli::Tool& tool, ServerMetricsAccount& account) {
  cli::StopSignal stop;
  Scraper scraper(options, stop);
  for (const auto& warning : scraper.exposures()) tool.warn(warning);
  files::CsvFile<ServerMetricsRow> trace(options.output, options.links());
  Sampling sampling(options, tool, stop, scraper, trace);
  const auto code = sampling.run();
  sampling.fill(account);
  account.process = tool.account(trace.rows());
  tool.note(fmt::format("{} rows; ticks: {} due, {} taken, {} missed", trace.rows(),
                        account.ticks.due, account.ticks.taken, account.ticks.missed));
  return code;
}

ExitCode run(const Options& options, cli::Tool& tool) {
  ::signal(SIGPIPE, SIG_IGN);  // a closed pipe is an error that is told, not a silent end
  ServerMetricsAccount account;
  const auto code =
      options.replay ? replay(options, tool, account) : sample(options, tool, account);
  tool.write_account(account);
  return code;
}

}  // namespace

int main(int argc, char** argv) {
  cli::run_tool<Options>(argc, argv, option_table, run);
}
