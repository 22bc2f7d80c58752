#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace memprof::report {

/// A line or a set of bars: a value per category, none: not measured, not drawn.
struct ChartSeries {
  std::string label;
  std::vector<std::optional<double>> values;
};

/// A small chart over categories (concurrency levels), drawn without a script.
struct Chart {
  std::string title;
  std::string unit;  ///< `%`, or empty
  std::string x_title;
  std::vector<std::string> categories;
  std::vector<ChartSeries> series;
  std::optional<double> limit;  ///< a dashed line
  std::string limit_label;
};

/// A figure with heading, picture and legend; words instead of the picture when no value is there.
std::string line_chart(const Chart& chart);
std::string bar_chart(const Chart& chart);

/// A part of a stacked bar: `css_class` gives its colour.
struct BarPart {
  std::string label;
  std::string css_class;
  double value = 0;
};

/// A bar across the page, parts beside each other; `what` is read out.
std::string stacked_bar(const std::vector<BarPart>& parts, std::string_view what);

/// 1, 2 or 5 times a power of ten, at least `value` / `steps`.
double nice_step(double value, int steps);

}  // namespace memprof::report
