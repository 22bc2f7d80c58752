#include "report/comparison_chart.hpp"

#include "report/html.hpp"
#include "report/svg.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace memprof::report {
namespace {

constexpr std::size_t kShapes = 5;
constexpr std::size_t kColours = 8;  ///< classes c0 to c7 of page.css
constexpr std::size_t kValuesPerRun = 1200;
constexpr std::size_t kMarkersPerLine = 6;
constexpr int kTicks = 4;

struct Size {
  double width;
  double height;
};
constexpr Size kLevelSize{360, 220};
constexpr Size kTimeSize{900, 280};
constexpr double kLeft = 48;
constexpr double kRight = 14;
constexpr double kTop = 10;
constexpr double kBottom = 40;

/// Runs beyond the fifth are hollow, so that no two look the same without colour.
std::string classes(std::size_t run) {
  return fmt::format("c{} d{}{}", run % kColours, run % kShapes,
                     run < kShapes ? "" : " hollow");
}

std::string marker(std::size_t run, double x, double y) {
  constexpr std::array<std::string_view, kShapes> kPaths{
      "m-4 0a4 4 0 1 0 8 0a4 4 0 1 0 -8 0z", "m-3.5 -3.5h7v7h-7z", "m0 -4.5l4.5 8h-9z",
      "m0 -5l5 5l-5 5l-5 -5z", "m0 4.5l4.5 -8h-9z"};
  return fmt::format("<path class=\"mark {}\" d=\"M{:.1f} {:.1f}{}\"/>", classes(run), x, y,
                     kPaths.at(run % kShapes));
}

ValueAxis axis_of(const Size& size, const std::string& unit, double largest) {
  ValueAxis axis{kLeft, size.width - kRight, kTop, size.height - kBottom, 1, 1, unit};
  axis.fit(largest, kTicks);
  return axis;
}

std::string label(double x, double y, std::string_view text) {
  return fmt::format("<text class=\"mid\" x=\"{:.1f}\" y=\"{:.1f}\">{}</text>\n", x, y,
                     escape(text, 60));
}

std::string figure(const std::string& title, const std::string& html) {
  return fmt::format("<figure>\n<figcaption>{}</figcaption>\n{}</figure>\n", escape(title), html);
}

std::string picture(const std::string& title, const Size& size, const std::string& marks,
                    std::string_view css_class) {
  return fmt::format("<svg class=\"{}\" viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{}\">\n"
                     "{}</svg>\n",
                     css_class, size.width, size.height,
                     escape(title + "; the figures are in the table below"), marks);
}

std::optional<double> largest_of(const LevelCurves& curves) {
  std::optional<double> most;
  for (const auto& run : curves.runs) {
    for (const auto& figure : run) {
      if (figure.value) most = std::max(most.value_or(0), *figure.value);
      for (const auto cell : figure.cells) most = std::max(most.value_or(0), cell);
    }
  }
  return most;
}

/// One run over the levels. A level that it was not asked for is passed over, one that was not
/// measured breaks the line.
std::string level_line(const std::vector<LevelFigure>& figures, std::size_t run,
                       const ValueAxis& axis, const std::vector<double>& x) {
  std::string line;
  std::string marks;
  bool pen_down = false;
  for (std::size_t i = 0; i < figures.size(); ++i) {
    const auto& each = figures[i];
    if (!each.is_asked) continue;
    for (const auto cell : each.cells) {
      marks += fmt::format("<circle class=\"cell c{}\" cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"1.8\"/>",
                           run % kColours, x[i], axis.y(cell));
    }
    if (!each.value) {
      pen_down = false;
      marks += label(x[i], axis.y(0) - 4, run_letter(run) + "?");
      continue;
    }
    line += fmt::format("{}{:.1f} {:.1f}", pen_down ? "L" : "M", x[i], axis.y(*each.value));
    marks += marker(run, x[i], axis.y(*each.value));
    pen_down = true;
  }
  return fmt::format("<path class=\"line {}\" d=\"{}\"/>{}\n", classes(run), line, marks);
}

std::string level_legend(const LevelCurves& curves) {
  bool cells = false;
  bool absent = false;
  for (const auto& run : curves.runs) {
    for (const auto& figure : run) {
      cells = cells || !figure.cells.empty();
      absent = absent || (figure.is_asked && !figure.value);
    }
  }
  std::string out;
  if (cells) out += "<li>small dots: the grid's cells, each by itself</li>";
  if (absent) out += "<li>with ?: not measured</li>";
  return out.empty() ? "" : "<ul class=\"legend\">" + out + "</ul>\n";
}

std::string time_line(const Series& series, std::size_t run, std::size_t runs,
                      const ValueAxis& axis, double scale) {
  const auto grid = align({series}, kValuesPerRun);
  std::string line;
  bool pen_down = false;
  std::vector<std::pair<double, double>> drawn;
  for (std::size_t i = 0; i < grid.x.size(); ++i) {
    const auto& value = grid.y.front()[i];
    if (!value) continue;
    if (std::isnan(*value)) {
      pen_down = false;
      continue;
    }
    drawn.emplace_back(kLeft + grid.x[i] * scale, axis.y(*value));
    line += fmt::format("{}{:.1f} {:.1f}", pen_down ? "L" : "M", drawn.back().first,
                        drawn.back().second);
    pen_down = true;
  }
  std::string marks;
  if (!drawn.empty()) {
    // Each run's markers stand elsewhere, so that lines on top of each other can be told apart.
    const double shift = (static_cast<double>(run) + 0.5) / static_cast<double>(runs);
    for (std::size_t i = 0; i < kMarkersPerLine; ++i) {
      const double part = (static_cast<double>(i) + shift) / kMarkersPerLine;
      const auto at = static_cast<std::size_t>(part * static_cast<double>(drawn.size()));
      marks += marker(run, drawn[at].first, drawn[at].second);
    }
  }
  return fmt::format("<path class=\"line thin {}\" d=\"{}\"/>{}\n", classes(run), line, marks);
}

}  // namespace

std::string run_letter(std::size_t run) { return {static_cast<char>('A' + run)}; }

std::string run_key(std::size_t run) {
  return fmt::format("<svg class=\"run-key\" viewBox=\"0 0 40 14\" aria-hidden=\"true\">"
                     "<path class=\"line {}\" d=\"M0 7L40 7\"/>{}</svg>",
                     classes(run), marker(run, 20, 7));
}

std::string level_curves(const LevelCurves& curves) {
  const auto most = largest_of(curves);
  if (!most) return figure(curves.title, paragraph("not measured", "absent"));
  const auto axis = axis_of(kLevelSize, curves.unit, *most);
  auto out = axis.svg();
  const double slot = (axis.right - axis.left) / static_cast<double>(curves.levels.size());
  // Beside each other as far as the slot allows, so that equal figures do not hide each other.
  const double beside = std::min(7.0, slot * 0.7 / static_cast<double>(curves.runs.size()));
  const auto x_of = [&](std::size_t level) {
    return axis.left + slot * (static_cast<double>(level) + 0.5);
  };
  const auto every = (curves.levels.size() + 11) / 12;
  for (std::size_t i = 0; i < curves.levels.size(); i += every) {
    out += label(x_of(i), axis.bottom + 16, fmt::to_string(curves.levels[i]));
  }
  out += label((axis.left + axis.right) / 2, kLevelSize.height - 6, "concurrency asked for");
  for (std::size_t run = 0; run < curves.runs.size(); ++run) {
    const double shift =
        (static_cast<double>(run) - static_cast<double>(curves.runs.size() - 1) / 2) * beside;
    std::vector<double> x;
    for (std::size_t i = 0; i < curves.levels.size(); ++i) x.push_back(x_of(i) + shift);
    out += level_line(curves.runs[run], run, axis, x);
  }
  return figure(curves.title, picture(curves.title, kLevelSize, out, "curves") +
                                  level_legend(curves));
}

std::string time_curves(const std::string& title, const std::vector<Series>& runs) {
  double span = 0;
  double most = 1;
  bool measured = false;
  for (const auto& run : runs) {
    if (run.points.empty()) continue;
    measured = true;
    span = std::max(span, run.points.back().x);
    for (const auto& point : run.points) {
      if (!std::isnan(point.y)) most = std::max(most, point.y);
    }
  }
  if (!measured) return figure(title, paragraph("not measured", "absent"));
  const auto axis = axis_of(kTimeSize, "%", most);
  const double scale = (axis.right - axis.left) / std::max(span, 1e-6);
  auto out = axis.svg();
  const double step = nice_step(span, 8);
  for (int i = 0; i * step <= span * 1.0001; ++i) {
    out += label(kLeft + i * step * scale, axis.bottom + 16, tick_label(i * step));
  }
  out += label((axis.left + axis.right) / 2, kTimeSize.height - 6,
               "seconds since the first request of each run");
  for (std::size_t i = 0; i < runs.size(); ++i) {
    out += time_line(runs[i], i, runs.size(), axis, scale);
  }
  return figure(title, "<div class=\"scroll\" tabindex=\"0\">" +
                           picture(title, kTimeSize, out, "curves wide") + "</div>\n");
}

}  // namespace memprof::report
