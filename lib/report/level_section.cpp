#include "formats/described.hpp"
#include "formats/text.hpp"
#include "report/html.hpp"
#include "report/sections.hpp"
#include "report/svg.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <map>
#include <tuple>

namespace memprof::report {
namespace {

constexpr std::size_t kMostLines = 8;
constexpr std::size_t kMostLevels = 64;
constexpr std::size_t kMostConditions = 200;

std::optional<double> as_double(const std::optional<std::int64_t>& value) {
  if (!value) return {};
  return static_cast<double>(*value);
}

using Levels = std::vector<std::pair<std::int64_t, const LevelSummary*>>;

Levels levels_of(const Summary& summary) {
  Levels levels;
  for (const auto& [asked, level] : summary.by_concurrency) {
    if (levels.size() == kMostLevels) break;
    levels.emplace_back(asked, &level);
  }
  return levels;
}

Chart chart_over(const Levels& levels, std::string title, std::string unit) {
  Chart chart{std::move(title), std::move(unit), "concurrency asked for", {}, {}, {}, {}};
  for (const auto& [asked, level] : levels) chart.categories.push_back(fmt::to_string(asked));
  return chart;
}

template <class Value>
ChartSeries series_of(const Levels& levels, std::string label, const Value& value) {
  ChartSeries series{std::move(label), {}};
  for (const auto& [asked, level] : levels) series.values.push_back(value(*level));
  return series;
}

using KvFigure = std::function<std::optional<double>(const KvWindow&)>;

std::string condition_label(Tokens input_len, const std::optional<PrefixMode>& mode) {
  auto label = fmt::format("input {}", input_len);
  if (mode) label += fmt::format(", prefix {}", formats::enum_name(*mode));
  return label;
}

/// A line per input length and prefix mode where their requests ran alone, and one for all requests
/// of a level; of several output lengths the largest figure.
std::string kv_chart(const Summary& summary, const Levels& levels, std::string title,
                     std::string unit, const KvFigure& figure) {
  auto chart = chart_over(levels, std::move(title), std::move(unit));
  chart.series.push_back(series_of(levels, "all requests of the level",
                                   [&](const LevelSummary& level) { return figure(level.kv); }));
  std::map<std::pair<Tokens, std::optional<PrefixMode>>, ChartSeries> lines;
  for (const auto& condition : summary.conditions) {
    const auto value = figure(condition.kv);
    const auto at = std::find_if(levels.begin(), levels.end(), [&](const auto& level) {
      return level.first == condition.concurrency_group;
    });
    if (!value || at == levels.end()) continue;
    auto& line = lines[{condition.input_len, condition.prefix_mode}];
    line.label = condition_label(condition.input_len, condition.prefix_mode);
    line.values.resize(levels.size());
    auto& most = line.values[static_cast<std::size_t>(at - levels.begin())];
    most = std::max(most.value_or(*value), *value);
  }
  // With one condition per level its line is that of the level.
  if (lines.size() > 1) {
    for (auto& [key, line] : lines) {
      if (chart.series.size() < kMostLines) chart.series.push_back(std::move(line));
    }
  }
  return line_chart(chart);
}

std::string demand_chart(const Summary& summary, const Levels& levels) {
  auto chart = chart_over(levels, "KV demand in tokens: predicted by lengths, and measured", "");
  chart.series.push_back(series_of(levels, "predicted", [](const LevelSummary& level) {
    return as_double(level.kv_demand.predicted_tokens);
  }));
  chart.series.push_back(series_of(levels, "measured", [](const LevelSummary& level) {
    return as_double(level.kv_demand.measured_tokens);
  }));
  if (summary.memory_breakdown && summary.memory_breakdown->kv_tokens_total) {
    chart.limit = as_double(summary.memory_breakdown->kv_tokens_total);
    chart.limit_label = "what the KV cache holds";
  }
  return bar_chart(chart);
}

std::string delivered_chart(const Levels& levels) {
  auto chart = chart_over(levels, "Requests in flight: asked for, and delivered", "");
  ChartSeries asked_for{"asked for", {}};
  for (const auto& [asked, level] : levels) {
    asked_for.values.push_back(static_cast<double>(asked));
  }
  chart.series.push_back(std::move(asked_for));
  chart.series.push_back(series_of(levels, "most at once", [](const LevelSummary& level) {
    return as_double(level.max_in_flight);
  }));
  chart.series.push_back(series_of(
      levels, "on average", [](const LevelSummary& level) { return level.mean_in_flight; }));
  return bar_chart(chart);
}

std::string duration_cell(const std::optional<Seconds>& seconds) {
  return seconds ? formats::format_duration(*seconds) : std::string(kAbsent);
}

/// What a level and a condition share; with_figures() has its columns.
template <class Part>
void append_figures(std::vector<std::string>& cells, const Part& part) {
  for (auto&& text :
       {fmt::to_string(part.n_requests), fmt::to_string(part.n_ok), cell(part.max_in_flight),
        cell(part.mean_in_flight), duration_cell(part.duration_s),
        cell(part.kv.usage_peak_pct, "%"), cell(part.kv.running_peak), cell(part.kv.waiting_peak),
        cell(part.kv.preemptions), cell(part.kv.prefix_hit_pct, "%"),
        cell(part.kv_demand.predicted_tokens), cell(part.kv_demand.measured_tokens)}) {
    cells.push_back(text);
  }
}

std::vector<Column> with_figures(std::vector<Column> columns) {
  for (const auto* title :
       {"requests", "ok", "most in flight", "mean in flight", "time", "peak KV", "most running",
        "most waiting", "preemptions", "prefix hits", "KV predicted, tokens",
        "KV measured, tokens"}) {
    columns.push_back({title, true});
  }
  return columns;
}

std::string level_table(const Levels& levels, std::size_t all) {
  Table table("Each concurrency level; – is not measured",
              with_figures({{"concurrency", true}}));
  for (const auto& [asked, level] : levels) {
    std::vector<std::string> cells{fmt::to_string(asked)};
    append_figures(cells, *level);
    table.add(cells);
  }
  auto html = folded("The levels as a table", table.html());
  if (all > levels.size()) {
    html += paragraph(fmt::format("{} more levels are in summary.json.", all - levels.size()));
  }
  return html;
}

std::string condition_table(const Summary& summary) {
  Table table("Each cell of the grid; – is not measured, or not told apart from requests that ran "
              "at the same time",
              with_figures({{"concurrency", true}, {"input", true}, {"output", true}, {"prefix"}}));
  const auto shown = std::min(kMostConditions, summary.conditions.size());
  for (std::size_t i = 0; i < shown; ++i) {
    const auto& each = summary.conditions[i];
    std::vector<std::string> cells{
        fmt::to_string(each.concurrency_group), fmt::to_string(each.input_len),
        fmt::to_string(each.output_len),
        each.prefix_mode ? std::string(formats::enum_name(*each.prefix_mode))
                         : std::string(kAbsent)};
    append_figures(cells, each);
    table.add(cells);
  }
  auto html = folded("The grid's cells as a table", table.html());
  if (summary.conditions.size() > shown) {
    html += paragraph(fmt::format("{} more cells are in summary.json.",
                                  summary.conditions.size() - shown));
  }
  return html;
}

}  // namespace

std::string level_section(const Summary& summary) {
  const auto levels = levels_of(summary);
  if (levels.empty()) {
    return section("levels", "Against concurrency",
                   paragraph("Not measured: no request was sent.", "absent"));
  }
  std::string charts = "<div class=\"charts\">\n";
  charts += kv_chart(summary, levels, "KV cache at its peak", "%",
                     [](const KvWindow& kv) { return kv.usage_peak_pct; });
  charts += kv_chart(summary, levels, "Most requests waiting", "",
                     [](const KvWindow& kv) { return as_double(kv.waiting_peak); });
  charts += kv_chart(summary, levels, "Preemptions", "",
                     [](const KvWindow& kv) { return as_double(kv.preemptions); });
  charts += demand_chart(summary, levels);
  charts += delivered_chart(levels);
  charts += "</div>\n";
  return section("levels", "Against concurrency",
                 charts + level_table(levels, summary.by_concurrency.size()) +
                     condition_table(summary));
}

}  // namespace memprof::report
