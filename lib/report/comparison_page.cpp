#include "report/comparison_page.hpp"

#include "formats/text.hpp"
#include "report/assets.hpp"
#include "report/comparison_sections.hpp"
#include "report/html.hpp"
#include "report/sections.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace memprof::report {
namespace {

using analysis::ComparedLine;
using analysis::ComparedRun;
using Runs = std::vector<ComparedRun>;

constexpr std::size_t kMostOptions = 60;
constexpr std::size_t kMostName = 80;  ///< characters

template <class Is>
std::vector<std::string> letters_of(const Runs& runs, const Is& is) {
  std::vector<std::string> letters;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    if (is(runs[i])) letters.push_back(run_letter(i));
  }
  return letters;
}

std::string banners(const Runs& runs) {
  std::string out;
  const auto simulated = letters_of(runs, [](const auto& run) { return run.summary.simulated; });
  if (simulated.size() == runs.size()) {
    out += paragraph("SIMULATED, all runs: no figure here is of a real server or its GPUs",
                     "banner simulated");
  } else if (!simulated.empty()) {
    out += paragraph(fmt::format("SIMULATED: {}. No figure of theirs is of a real server or its "
                                 "GPUs; the other runs are not marked so",
                                 fmt::join(simulated, ", ")),
                     "banner simulated");
  }
  const auto cut = letters_of(runs, [](const auto& run) { return run.manifest.interrupted; });
  if (!cut.empty()) {
    out += paragraph(fmt::format("INTERRUPTED: {} did not come to an end", fmt::join(cut, ", ")),
                     "banner interrupted");
  }
  return out;
}

std::string badges(const ComparedRun& run) {
  std::string out;
  if (run.summary.simulated) out += "<span class=\"badge simulated\">SIMULATED</span>";
  if (run.manifest.interrupted) out += "<span class=\"badge interrupted\">INTERRUPTED</span>";
  return out;
}

std::string heading(const Runs& runs, std::size_t i) {
  return fmt::format("{}<b>{}</b> {}{}", run_key(i), run_letter(i),
                     escape(runs[i].name, kMostName), badges(runs[i]));
}

std::string run_list(const Runs& runs) {
  std::string out = "<ul class=\"runs\">\n";
  for (std::size_t i = 0; i < runs.size(); ++i) out += "<li>" + heading(runs, i) + "</li>\n";
  return out + "</ul>\n";
}

std::string lines_table(const Runs& runs, const std::vector<ComparedLine>& lines,
                        std::string_view caption, std::string_view label,
                        std::string_view absent) {
  Table table(caption, run_columns(runs, label));
  for (const auto& line : lines) {
    std::vector<std::string> cells{line.label};
    for (const auto& each : line.cells) cells.push_back(each.value_or(std::string(absent)));
    table.add(cells);
  }
  return "<div class=\"compared\">" + table.html() + "</div>\n";
}

std::string options_section(const Runs& runs, const std::vector<ComparedLine>& options) {
  std::string html;
  if (options.empty()) {
    html = paragraph("Nothing, as far as the manifests tell: these runs were asked for the same.");
  } else {
    const auto shown = std::min(options.size(), kMostOptions);
    const auto end = options.begin() + static_cast<std::ptrdiff_t>(shown);
    html = lines_table(runs, {options.begin(), end},
                       "What is not the same in all runs; – is not given",
                       "option", kAbsent);
    if (options.size() > shown) {
      html += paragraph(fmt::format("{} more differ; memory_report without --html prints them.",
                                    options.size() - shown));
    }
  }
  return section("options", "What differs", html);
}

/// Figures that no run has: their lines are missing from the table.
std::string not_measured(const Runs& runs) {
  const auto none = [&](const auto& has) { return std::none_of(runs.begin(), runs.end(), has); };
  std::vector<std::string> parts;
  if (none([](const ComparedRun& run) { return run.summary.server_metrics.has_value(); })) {
    parts.emplace_back("KV cache, waiting requests, preemptions and prefix hits (no metrics of the "
                       "servers)");
  }
  if (none([](const ComparedRun& run) {
        const auto& gpus = run.summary.gpus;
        return std::any_of(gpus.begin(), gpus.end(), [](const auto& gpu) { return gpu.peak_mib; });
      })) {
    parts.emplace_back("device memory");
  }
  if (parts.empty()) return "";
  return paragraph(fmt::format("Not measured in any of the runs: {}.", fmt::join(parts, "; ")),
                   "absent");
}

std::string findings_section(const Runs& runs, const std::vector<ComparedLine>& findings) {
  auto html = lines_table(runs, findings, "Of whole runs", "finding", "not measured");
  html += not_measured(runs) + "<div class=\"cards\">\n";
  for (std::size_t i = 0; i < runs.size(); ++i) {
    const auto why = reasons(runs[i].summary);
    html += "<article>\n<h3>" + heading(runs, i) + "</h3>\n" + answer(runs[i].summary) +
            (why.empty() ? "" : folded("Reasons and advice", why)) + "</article>\n";
  }
  return section("findings", "Findings", html + "</div>\n");
}

}  // namespace

std::vector<Column> run_columns(const Runs& runs, std::string_view label) {
  std::vector<Column> columns{{std::string(label)}};
  for (std::size_t i = 0; i < runs.size(); ++i) {
    auto title = run_letter(i) + " " + formats::one_line(runs[i].name, kMostName);
    if (runs[i].summary.simulated) title += " (SIMULATED)";
    if (runs[i].manifest.interrupted) title += " (INTERRUPTED)";
    columns.push_back({std::move(title)});
  }
  return columns;
}

Series usage_since_load(const analysis::RunTraces& traces, const Summary& summary) {
  Series series;
  const auto& start = summary.load.first_start_ts;
  if (!start) return series;
  std::map<Timestamp, double> fullest;
  for (const auto& [name, engine] : traces.engines) {
    for (const auto& reading : engine.readings) {
      if (!reading.usage_pct || reading.timestamp < *start) continue;
      auto& most = fullest[reading.timestamp];
      most = std::max(most, *reading.usage_pct);
    }
  }
  for (const auto& [time, usage] : fullest) {
    series.points.push_back({seconds_between(*start, time), usage});
  }
  break_gaps(series);
  return series;
}

std::string render_comparison(const Runs& runs, const std::vector<Series>& usage) {
  const auto found = analysis::compare_findings(runs);
  const auto title = fmt::format("GPU memory pressure: {} runs compared", runs.size());
  const auto style = std::string(assets::page_style()) + std::string(assets::comparison_style());
  auto page = document_head(title, style, {});
  page += banners(runs) + "<main>\n<h1>" + escape(title) + "</h1>\n" + run_list(runs);
  page += options_section(runs, found.options) + findings_section(runs, found.findings);
  page += level_curves_section(runs, found) + time_curves_section(runs, usage);
  page += repeats_section(runs, found);
  return page + "</main>\n</body>\n</html>\n";
}

}  // namespace memprof::report
