#include "replay.hpp"

#include "files/row_file.hpp"
#include "raw_log.hpp"
#include "server_metrics/history.hpp"

#include <fmt/format.h>

using namespace memprof;

namespace {

class Replay {
 public:
  Replay(const Options& options, files::CsvFile<ServerMetricsRow>& trace,
         ServerMetricsAccount& account)
      : options_(options), trace_(trace), account_(account) {}

  void feed(std::string_view bytes) {
    for (;;) {
      const auto end = bytes.find('\n');
      line_ += bytes.substr(0, end);
      if (end == std::string_view::npos) return;
      bytes.remove_prefix(end + 1);
      finish_line();
    }
  }

  void finish_line() {
    ++line_number_;
    if (!line_.empty()) take(parse_raw_line(line_));
    line_.clear();
  }

  std::int64_t bad_lines = 0;
  std::string first_problem;
  server_metrics::History history;

 private:
  void take(const Result<RawScrape>& scrape) {
    if (scrape.has_error()) {
      if (++bad_lines == 1) {
        first_problem = fmt::format("{}:{}: {}", *options_.replay, line_number_,
                                    scrape.error().message);
      }
      return;
    }
    if (scrape->error || scrape->status != 200) {
      ++account_.failed_scrapes[scrape->error.value_or(fmt::format("http_{}", scrape->status))];
      return;
    }
    reader_.reset();
    reader_.feed(scrape->body);
    const auto& read = reader_.finish();
    if (read.empty()) {
      ++account_.failed_scrapes["no_metrics"];
    } else {
      trace_.write(history.take(read, scrape->timestamp, scrape->scrape_ms));
    }
  }

  const Options& options_;
  files::CsvFile<ServerMetricsRow>& trace_;
  ServerMetricsAccount& account_;
  server_metrics::ScrapeReader reader_;
  std::string line_;
  std::int64_t line_number_ = 0;
};

}  // namespace

ExitCode replay(const Options& options, cli::Tool& tool, ServerMetricsAccount& account) {
  files::CsvFile<ServerMetricsRow> trace(options.output, options.links());
  Replay run(options, trace, account);
  files::read_in_pieces(*options.replay, files::Source::any, [&](std::string_view bytes) {
    run.feed(bytes);
  }).value();
  run.finish_line();
  run.history.fill(account);
  if (run.bad_lines > 0) {
    tool.warn(fmt::format("{} ({} lines passed over)", run.first_problem, run.bad_lines));
  }
  if (trace.rows() == 0) {
    tool.warn(fmt::format("{}: no scrape with a known server's series, so there are no rows",
                          *options.replay));
  }
  account.process = tool.account(trace.rows());
  return trace.rows() > 0 ? ExitCode::ok : ExitCode::failed;
}
