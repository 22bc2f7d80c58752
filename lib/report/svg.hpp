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

/// The values of a chart, from 0 up, and where they are drawn.
struct ValueAxis {
  double left = 0;
  double right = 0;
  double top = 0;     ///< y of `most`
  double bottom = 0;  ///< y of 0
  double most = 1;
  double step = 1;  ///< between two lines
  std::string unit;

  /// For values up to `largest`: where round numbers end; without a unit whole ones.
  void fit(double largest, int steps);
  [[nodiscard]] double y(double value) const { return bottom - value / most * (bottom - top); }
  /// Lines across the chart with their values.
  [[nodiscard]] std::string svg() const;
};

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

/// A multiple of a step without the digits that multiplying added: 0.6, 50 k, 2 M.
std::string tick_label(double value);

}  // namespace memprof::report
