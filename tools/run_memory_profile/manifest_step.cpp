#include "manifest_step.hpp"

#include "analysis/read_run.hpp"
#include "analysis/summarize.hpp"
#include "file_checks.hpp"
#include "files/document.hpp"
#include "files/row_file.hpp"
#include "host_info.hpp"
#include "records/server_metrics.hpp"
#include "report/page.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <filesystem>
#include <string>

namespace memprof::profile {
namespace {

/// From the first child's start to the last row.
std::optional<Seconds> duration(const Manifest& manifest, const analysis::RunTraces& traces) {
  if (manifest.children.empty() || !manifest.children.front().started_ts) return {};
  std::optional<Timestamp> last;
  for (const auto& row : traces.requests) {
    if (row.end_ts) last = std::max(last.value_or(*row.end_ts), *row.end_ts);
  }
  for (const auto& [index, series] : traces.gpus) {
    if (series.readings.empty()) continue;
    const auto time = series.readings.back().timestamp;
    last = std::max(last.value_or(time), time);
  }
  if (!last) return {};
  return seconds_between(*manifest.children.front().started_ts, *last);
}

/// A run that was interrupted early has its traces too, header-only.
template <class Row>
void make_missing_trace(const std::string& path) {
  std::error_code error;
  const auto status = std::filesystem::symlink_status(path, error);
  if (status.type() == std::filesystem::file_type::not_found) {
    files::CsvFile<Row> header_only(path, files::Links::replaced);
  }
}

/// The page is made from the other files, and can be made again: one that cannot be written is
/// warned of.
void write_page(RunContext& run, const Summary& summary, const analysis::RunTraces& traces) {
  constexpr auto kName = "report.html";
  auto& manifest = run.manifest;
  try {
    manifest.files.report = kName;
    const auto path = run.folder.file(kName);
    files::write_document(path, report::render_page(manifest, summary, traces),
                          files::Links::replaced);
    manifest.file_checks.emplace(kName, check_file(path, manifest.interrupted));
  } catch (const std::exception& error) {
    manifest.files.report.reset();
    run.tool.warn(std::string("no report page: ") + error.what());
  }
}

}  // namespace

Manifest begin_manifest(const Options& options, const RunFolder& folder, const Server& server,
                        Timestamp start) {
  Manifest manifest;
  manifest.run_id = folder.run_id();
  manifest.timestamp = start;
  manifest.config = {options.target.base_url,  options.target.model,
                     options.grid.input_lens,  options.grid.output_lens,
                     options.grid.concurrencies, options.grid.prefix_modes,
                     options.grid.n_per_condition, options.gpu.interval_ms, options.gpu.indices};
  manifest.simulated = server.info.simulator.has_value();
  manifest.interrupted = true;
  manifest.tag = options.tag;
  Options effective = options;
  manifest.options = option_table(effective).config();
  manifest.host = read_host_info();
  manifest.server = server.info;
  files::write_json(folder.file("manifest.json"), manifest, files::Links::replaced);
  return manifest;
}

Summary finish_files(RunContext& run) {
  Manifest& manifest = run.manifest;
  make_missing_trace<RequestTraceRow>(run.folder.file("request_trace.csv"));
  make_missing_trace<GpuMemRow>(run.folder.file("gpu_mem_trace.csv"));
  if (run.server.has_metrics) {
    make_missing_trace<ServerMetricsRow>(run.folder.file("server_metrics_trace.csv"));
    manifest.files.server_metrics_trace = "server_metrics_trace.csv";
  }
  const auto traces = analysis::read_run(run.folder.path().string());
  std::sort(manifest.children.begin(), manifest.children.end(),
            [](const auto& a, const auto& b) { return a.started_ts < b.started_ts; });
  // A step that failed before the load leaves a part of a run, as a signal does.
  manifest.interrupted = run.interrupted() || !manifest.timeline.load_end;
  manifest.wall_clock_shift_ms = run.tool.clock().wall_clock_shift_ms();
  manifest.suspended_s = run.tool.clock().suspended_s();
  if (*manifest.suspended_s > 0) {
    run.tool.warn(fmt::format("this machine was suspended for {:.1f} s during the run",
                              *manifest.suspended_s));
  }
  manifest.results.duration_s = duration(manifest, traces);
  manifest.results.gpu_samples = traces.gpu_rows;
  manifest.results.total_requests = static_cast<std::int64_t>(traces.requests.size());
  manifest.results.ok_requests =
      std::count_if(traces.requests.begin(), traces.requests.end(),
                    [](const RequestTraceRow& row) { return row.ok(); });
  auto summary = analysis::summarize(traces, manifest);
  files::write_json(run.folder.file("summary.json"), summary, files::Links::replaced);
  manifest.file_checks = check_files(run.folder, manifest.interrupted);
  write_page(run, summary, traces);
  files::write_json(run.folder.file("manifest.json"), manifest, files::Links::replaced);
  return summary;
}

}  // namespace memprof::profile
