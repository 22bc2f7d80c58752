#pragma once

#include "cli/run_tool.hpp"
#include "clock/ticks.hpp"
#include "files/row_file.hpp"
#include "options.hpp"
#include "records/server_metrics.hpp"
#include "scraper.hpp"
#include "server_metrics/history.hpp"

#include <map>
#include <optional>
#include <set>
#include <string>

/// Scrapes the server at every tick and writes what it answers.
class Sampling {
 public:
  /// Throws a ToolError when --raw cannot be written.
  Sampling(const Options& options, memprof::cli::Tool& tool, memprof::cli::StopSignal& stop,
           Scraper& scraper, memprof::files::CsvFile<memprof::ServerMetricsRow>& trace);

  /// Until the duration is over or a signal has come. `failed`: there is no known server.
  memprof::ExitCode run();
  void fill(memprof::ServerMetricsAccount& account) const;

 private:
  bool begin();
  memprof::clock::SinceBoot within_run(memprof::clock::SinceBoot time) const;
  void tick();
  void last_scrape();
  Answer ask(const std::string& target);
  Answer ask_as_proven();
  void prove_filter(const memprof::server_metrics::Scrape& full);
  void write_rows(const Answer& answer);
  void note_failure(const Answer& answer);
  void keep_raw(const Answer& answer);
  void say_start() const;

  const Options& options_;
  memprof::cli::Tool& tool_;
  memprof::cli::StopSignal& stop_;
  memprof::files::CsvFile<memprof::ServerMetricsRow>& trace_;
  std::optional<memprof::files::LineFile> raw_;
  Scraper& scraper_;
  std::string url_;
  memprof::server_metrics::ScrapeReader reader_;
  const memprof::server_metrics::Scrape* scrape_ = nullptr;  // the reader's latest
  memprof::server_metrics::History history_;

  memprof::clock::Ticks ticks_;
  std::string filter_;                      // path and query; empty: full scrapes
  memprof::server_metrics::Scrape proven_;  // the full scrape that the filter was held against

  std::map<std::string, std::int64_t> failures_;
  std::set<std::string> said_;  // warnings that are given once
};
