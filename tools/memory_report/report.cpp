#include "report.hpp"

#include "analysis/compare.hpp"
#include "analysis/ending.hpp"
#include "analysis/joined.hpp"
#include "analysis/trace_events.hpp"
#include "cli/words.hpp"
#include "files/document.hpp"
#include "files/row_file.hpp"
#include "report/comparison_page.hpp"
#include "report/page.hpp"
#include "run_folder.hpp"

#include <fmt/format.h>

#include <filesystem>

using namespace memprof;

namespace {

constexpr std::size_t kRowsPerWrite = 1000;

/// `memory_report --stats-out`.
struct ReportAccount {
  ProcessAccount process;  ///< rows: requests of all runs
  std::int64_t runs = 0;
};
BOOST_DESCRIBE_STRUCT(ReportAccount, (), (process, runs))

void write_joined(const std::string& path, files::Links links, const analysis::RunTraces& traces) {
  files::CsvFile<analysis::JoinedRow> file(path, links);
  std::vector<analysis::JoinedRow> rows;
  analysis::join(traces, [&](const analysis::JoinedRow& row) {
    rows.push_back(row);
    if (rows.size() < kRowsPerWrite) return;
    file.write(rows);
    rows.clear();
  });
  file.write(rows);
}

void write_trace(const std::string& path, files::Links links, const ReadRun& run) {
  files::DocumentFile file(path, links);
  analysis::write_trace_events(run.traces, run.manifest,
                               [&](std::string_view text) { file.write(text); });
  file.finish();
}

ExitCode end(bool complete, std::int64_t rows, std::int64_t runs, const cli::Tool& tool) {
  tool.write_account(ReportAccount{tool.account(rows), runs});
  return complete ? ExitCode::ok : ExitCode::failed;
}

ExitCode report_run(const Options& options, cli::Tool& tool) {
  const auto& dir = options.run_dirs.front();
  const auto target = options.output_dir.value_or(dir);
  const auto path = (std::filesystem::path(target) / "summary.json").string();
  check_replaceable(path);
  const auto run = read_run_folder(dir, tool);
  if (options.output_dir) {
    std::error_code error;
    std::filesystem::create_directories(target, error);
    if (error) {
      throw ToolError(ExitCode::environment,
                      fmt::format("--output-dir: {}: {}", target, error.message()));
    }
  }
  // Its name is ours, and the folder may be another's.
  files::write_json(path, run.summary, files::Links::replaced);
  if (options.html) {
    files::write_document(*options.html,
                          report::render_page(run.manifest, run.summary, run.traces),
                          options.links());
  }
  if (options.joined) write_joined(*options.joined, options.links(), run.traces);
  if (options.trace_out) write_trace(*options.trace_out, options.links(), run);
  if (!tool.quiet()) {
    const auto text = analysis::describe_ending(run.summary, run.manifest, dir);
    if (options.html == "-" || options.joined == "-" || options.trace_out == "-") {
      cli::say(text);
    } else {
      cli::detail::print_and_flush(text);
    }
  }
  return end(run.traces.problems.empty(), run.summary.total_requests, 1, tool);
}

ExitCode compare(const Options& options, cli::Tool& tool) {
  if (options.html && options.run_dirs.size() > report::kMostCompared) {
    throw ToolError(ExitCode::usage,
                    fmt::format("--html: {} runs, but a page holds at most {}",
                                options.run_dirs.size(), report::kMostCompared));
  }
  std::vector<analysis::ComparedRun> runs;
  std::vector<report::Series> usage;
  bool complete = true;
  std::int64_t requests = 0;
  for (const auto& dir : options.run_dirs) {
    auto run = read_run_folder(dir, tool);
    for (const auto& problem : run.traces.problems) tool.warn(problem);
    complete = complete && run.traces.problems.empty();
    requests += run.summary.total_requests;
    if (options.html) usage.push_back(report::usage_since_load(run.traces, run.summary));
    auto name = run.manifest.run_id;
    runs.push_back({std::move(name), std::move(run.summary), std::move(run.manifest)});
  }
  if (options.html) {
    files::write_document(*options.html, report::render_comparison(runs, usage),
                          options.links());
  }
  if (options.html == "-") {
    if (!tool.quiet()) cli::say(analysis::compare(runs));
  } else {
    cli::detail::print_and_flush(analysis::compare(runs));
  }
  return end(complete, requests, static_cast<std::int64_t>(runs.size()), tool);
}

}  // namespace

ExitCode run(const Options& options, cli::Tool& tool) {
  const int to_stdout = (options.html == "-" ? 1 : 0) + (options.joined == "-" ? 1 : 0) +
                        (options.trace_out == "-" ? 1 : 0);
  if (to_stdout > 1) {
    throw ToolError(ExitCode::usage,
                    "--html, --joined, --trace-out: only one of them can go to stdout");
  }
  if (options.run_dirs.size() == 1) return report_run(options, tool);
  for (const auto& [name, value] :
       {std::pair("--output-dir", options.output_dir), std::pair("--joined", options.joined),
        std::pair("--trace-out", options.trace_out)}) {
    if (value) {
      throw ToolError(ExitCode::usage, fmt::format("{}: only with one RUN_DIR (see --help)", name));
    }
  }
  return compare(options, tool);
}
