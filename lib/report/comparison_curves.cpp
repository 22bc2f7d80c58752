#include "formats/number.hpp"
#include "report/comparison_chart.hpp"
#include "report/comparison_sections.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <set>

namespace memprof::report {
namespace {

using analysis::ComparedRun;
using analysis::Comparison;
using Runs = std::vector<ComparedRun>;

constexpr std::size_t kMostLevels = 64;
constexpr std::size_t kMostCells = 40;  ///< of one level, drawn
constexpr std::size_t kFiguresPerLevel = 4;
constexpr std::size_t kTableRows = 20;

template <class T>
std::optional<double> as_double(const std::optional<T>& value) {
  if (!value) return {};
  return static_cast<double>(*value);
}

/// A figure of a level and of a cell of the grid, from what both have.
struct Figure {
  std::string title;
  std::string unit;
  std::function<std::optional<double>(const KvWindow&)> of;
};

const std::vector<Figure>& figures() {
  static const std::vector<Figure> all{
      {"KV cache at its peak", "%", [](const KvWindow& kv) { return kv.usage_peak_pct; }},
      {"Most requests waiting", "",
       [](const KvWindow& kv) { return as_double(kv.waiting_peak); }},
      {"Preemptions", "", [](const KvWindow& kv) { return as_double(kv.preemptions); }}};
  return all;
}

std::vector<std::int64_t> levels_of(const Runs& runs) {
  std::set<std::int64_t> levels;
  for (const auto& run : runs) {
    for (const auto& [level, part] : run.summary.by_concurrency) levels.insert(level);
  }
  return {levels.begin(), levels.end()};
}

std::vector<double> cells_of(const Summary& summary, std::int64_t level, const Figure& figure) {
  std::vector<double> cells;
  for (const auto& condition : summary.conditions) {
    if (condition.concurrency_group != level || cells.size() == kMostCells) continue;
    if (const auto value = figure.of(condition.kv)) cells.push_back(*value);
  }
  // The only one is the level itself.
  if (cells.size() == 1) cells.clear();
  return cells;
}

LevelCurves curves_of(const Runs& runs, const std::vector<std::int64_t>& levels,
                      const Figure& figure) {
  LevelCurves curves{figure.title, figure.unit, levels, {}};
  for (const auto& run : runs) {
    auto& line = curves.runs.emplace_back();
    for (const auto level : levels) {
      auto& at = line.emplace_back();
      const auto part = run.summary.by_concurrency.find(level);
      at.is_asked = part != run.summary.by_concurrency.end();
      if (!at.is_asked) continue;
      at.value = figure.of(part->second.kv);
      at.cells = cells_of(run.summary, level, figure);
    }
  }
  return curves;
}

LevelCurves delivered(const Runs& runs, const std::vector<std::int64_t>& levels) {
  LevelCurves curves{"Delivered: requests in flight, on average", "", levels, {}};
  for (const auto& run : runs) {
    auto& line = curves.runs.emplace_back();
    for (const auto level : levels) {
      const auto part = run.summary.by_concurrency.find(level);
      const bool is_asked = part != run.summary.by_concurrency.end();
      line.push_back({is_asked, is_asked ? part->second.mean_in_flight : std::nullopt, {}});
    }
  }
  return curves;
}

std::string keys(const Runs& runs) {
  std::string out = "<ul class=\"legend\">";
  for (std::size_t i = 0; i < runs.size(); ++i) {
    out += "<li>" + run_key(i) + run_letter(i) + "</li>";
  }
  return out + "</ul>\n";
}

/// Runs with the same in every option that differs between others, groups of two or more.
std::vector<std::vector<std::size_t>> repeats_of(const Runs& runs, const Comparison& found) {
  std::map<std::vector<std::optional<std::string>>, std::vector<std::size_t>> groups;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    std::vector<std::optional<std::string>> options;
    options.reserve(found.options.size());
    for (const auto& line : found.options) options.push_back(line.cells.at(i));
    groups[options].push_back(i);
  }
  std::vector<std::vector<std::size_t>> repeats;
  for (auto& [options, group] : groups) {
    if (group.size() > 1) repeats.push_back(std::move(group));
  }
  std::sort(repeats.begin(), repeats.end());
  return repeats;
}

/// `12.0 % to 15.0 %`, and of how many runs where not all have the figure.
std::string range_cell(const Runs& runs, const std::vector<std::size_t>& group, std::int64_t level,
                       const Figure& figure) {
  std::vector<double> values;
  for (const auto i : group) {
    const auto part = runs[i].summary.by_concurrency.find(level);
    if (part == runs[i].summary.by_concurrency.end()) continue;
    if (const auto value = figure.of(part->second.kv)) values.push_back(*value);
  }
  if (values.empty()) return "not measured";
  const auto [least, most] = std::minmax_element(values.begin(), values.end());
  const auto shown = [&](double value) {
    return figure.unit.empty() ? fmt::format("{:.0f}", value) : fmt::format("{:.1f} %", value);
  };
  auto text = shown(*least);
  if (*most > *least) text += " to " + shown(*most);
  if (values.size() < group.size()) text += fmt::format(" ({} of them)", values.size());
  return text;
}

}  // namespace

std::string level_curves_section(const Runs& runs, const Comparison& found) {
  auto levels = levels_of(runs);
  if (levels.empty()) {
    return section("levels", "Against concurrency",
                   paragraph("Not measured: no request was sent.", "absent"));
  }
  const auto all = levels.size();
  levels.resize(std::min(all, kMostLevels));
  auto html = keys(runs) + "<div class=\"charts\">\n";
  for (const auto& figure : figures()) html += level_curves(curves_of(runs, levels, figure));
  html += level_curves(delivered(runs, levels)) + "</div>\n";
  Table table("Each concurrency level; – is not measured, or not asked for",
              run_columns(runs, "figure"));
  const auto shown = std::min(found.levels.size(), kMostLevels * kFiguresPerLevel);
  for (std::size_t i = 0; i < shown; ++i) {
    std::vector<std::string> cells{found.levels[i].label};
    for (const auto& each : found.levels[i].cells) {
      cells.push_back(each.value_or(std::string(kAbsent)));
    }
    table.add(cells);
  }
  html += "<div class=\"compared\">" + folded("These charts as a table", table.html()) + "</div>\n";
  if (all > levels.size()) {
    html += paragraph(fmt::format("{} more levels are not drawn.", all - levels.size()));
  }
  return section("levels", "Against concurrency", html);
}

std::string time_curves_section(const Runs& runs, const std::vector<Series>& usage) {
  auto html = keys(runs) + time_curves("KV cache in use, the fullest engine", usage);
  double span = 0;
  for (std::size_t i = 0; i < usage.size(); ++i) {
    if (usage[i].points.empty()) {
      html += paragraph("Not measured: KV cache usage of " + run_letter(i) + ".", "absent");
    } else {
      span = std::max(span, usage[i].points.back().x);
    }
  }
  if (span <= 0) return section("time", "Over time", html);
  const double width = span / static_cast<double>(kTableRows);
  Table table("Largest usage in each part of the time; – is not measured, or the run was over",
              run_columns(runs, "from second"));
  std::vector<std::vector<std::optional<double>>> peaks(
      kTableRows, std::vector<std::optional<double>>(usage.size()));
  for (std::size_t i = 0; i < usage.size(); ++i) {
    for (const auto& point : usage[i].points) {
      if (std::isnan(point.y)) continue;
      auto& peak = peaks[std::min(kTableRows - 1, static_cast<std::size_t>(point.x / width))][i];
      peak = std::max(peak.value_or(point.y), point.y);
    }
  }
  for (std::size_t row = 0; row < kTableRows; ++row) {
    std::vector<std::string> cells{fmt::format("{:.1f}", width * static_cast<double>(row))};
    for (const auto& peak : peaks[row]) cells.push_back(cell(peak, "%"));
    table.add(cells);
  }
  html += "<div class=\"compared\">" + folded("This chart as a table", table.html()) + "</div>\n";
  return section("time", "Over time", html);
}

std::string repeats_section(const Runs& runs, const Comparison& found) {
  const auto repeats = repeats_of(runs, found);
  if (repeats.empty()) {
    return section("repeats", "How much runs differ by chance",
                   paragraph("Not known: no two of these runs were asked for the same. A small "
                             "difference between runs may be chance; repeat a run to see."));
  }
  auto levels = levels_of(runs);
  levels.resize(std::min(levels.size(), kMostLevels));
  std::vector<Column> columns{{"runs"}, {"concurrency", true}};
  for (const auto& figure : figures()) columns.push_back({figure.title, true});
  Table table("Least and largest figure among runs that were asked for the same, as far as their "
              "manifests tell", columns);
  for (const auto& group : repeats) {
    std::vector<std::string> letters;
    letters.reserve(group.size());
    for (const auto i : group) letters.push_back(run_letter(i));
    for (const auto level : levels) {
      const bool is_asked = std::any_of(group.begin(), group.end(), [&](std::size_t i) {
        return runs[i].summary.by_concurrency.count(level) > 0;
      });
      if (!is_asked) continue;
      std::vector<std::string> cells{fmt::format("{}", fmt::join(letters, ", ")),
                                     fmt::to_string(level)};
      for (const auto& figure : figures()) cells.push_back(range_cell(runs, group, level, figure));
      table.add(cells);
    }
  }
  return section("repeats", "How much runs differ by chance",
                 paragraph("These ranges are all that so few repeats can say. A difference to "
                           "another run that is within such a range says nothing.") +
                     table.html());
}

}  // namespace memprof::report
