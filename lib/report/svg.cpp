#include "report/svg.hpp"

#include "report/html.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace memprof::report {
namespace {

constexpr double kWidth = 360;
constexpr double kHeight = 210;
constexpr double kLeft = 48;
constexpr double kRight = 10;
constexpr double kTop = 10;
constexpr double kBottom = 40;
constexpr int kTicks = 4;
constexpr std::size_t kColours = 8;  ///< classes c0 to c7 of page.css

struct Frame {
  ValueAxis axis;
  std::size_t categories = 1;

  [[nodiscard]] double y(double value) const { return axis.y(value); }
  [[nodiscard]] double slot() const {
    return (kWidth - kLeft - kRight) / static_cast<double>(categories);
  }
  [[nodiscard]] double x(std::size_t category) const {
    return kLeft + slot() * (static_cast<double>(category) + 0.5);
  }
};

std::optional<double> largest(const Chart& chart) {
  std::optional<double> most;
  for (const auto& series : chart.series) {
    for (const auto& value : series.values) {
      if (value) most = std::max(most.value_or(0), *value);
    }
  }
  if (most && chart.limit) most = std::max(*most, *chart.limit);
  return most;
}

std::string axes(const Chart& chart, const Frame& frame) {
  auto out = frame.axis.svg();
  const auto every = (chart.categories.size() + 11) / 12;
  for (std::size_t i = 0; i < chart.categories.size(); i += every) {
    out += fmt::format("<text class=\"mid\" x=\"{:.1f}\" y=\"{}\">{}</text>\n", frame.x(i),
                       kHeight - kBottom + 16, escape(chart.categories[i], 12));
  }
  out += fmt::format("<text class=\"mid\" x=\"{:.1f}\" y=\"{}\">{}</text>\n",
                     (kLeft + kWidth - kRight) / 2, kHeight - 6, escape(chart.x_title));
  if (chart.limit) {
    out += fmt::format("<line class=\"limit\" x1=\"{}\" x2=\"{}\" y1=\"{:.1f}\" y2=\"{:.1f}\"/>\n",
                       kLeft, kWidth - kRight, frame.y(*chart.limit), frame.y(*chart.limit));
  }
  return out;
}

bool has_absent(const Chart& chart) {
  for (const auto& series : chart.series) {
    for (const auto& value : series.values) {
      if (!value) return true;
    }
  }
  return false;
}

std::string unknown_at(double x, const Frame& frame) {
  return fmt::format("<text class=\"mid\" x=\"{:.1f}\" y=\"{:.1f}\">?</text>\n", x,
                     frame.y(0) - 4);
}

std::string legend(const Chart& chart) {
  std::string out = "<ul class=\"legend\">";
  for (std::size_t i = 0; i < chart.series.size(); ++i) {
    out += fmt::format("<li><i class=\"key c{}\"></i>{}</li>", i % kColours,
                       escape(chart.series[i].label));
  }
  if (chart.limit) out += "<li><i class=\"key dash\"></i>" + escape(chart.limit_label) + "</li>";
  if (has_absent(chart)) out += "<li>? not measured</li>";
  return out + "</ul>";
}

std::string figure(const Chart& chart, const std::string& picture) {
  return fmt::format("<figure>\n<figcaption>{}</figcaption>\n{}</figure>\n", escape(chart.title),
                     picture);
}

/// `draw` gives the series' marks within the frame.
template <class Draw>
std::string drawn(const Chart& chart, const Draw& draw) {
  const auto most = largest(chart);
  if (!most) return figure(chart, paragraph("not measured", "absent"));
  Frame frame{{kLeft, kWidth - kRight, kTop, kHeight - kBottom, 1, 1, chart.unit},
              chart.categories.size()};
  frame.axis.fit(*most, kTicks);
  return figure(chart, fmt::format("<svg viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{}\">\n"
                                   "{}{}</svg>\n{}",
                                   kWidth, kHeight,
                                   escape(chart.title + "; the figures are in the table below"),
                                   axes(chart, frame), draw(frame), legend(chart)));
}

}  // namespace

double nice_step(double value, int steps) {
  if (value <= 0) return 1;
  const double raw = value / steps;
  const double power = std::pow(10, std::floor(std::log10(raw)));
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (raw <= factor * power * 1.0001) return factor * power;
  }
  return 10 * power;
}

std::string tick_label(double value) {
  if (std::abs(value) >= 1e6) return fmt::format("{:.9g} M", value / 1e6);
  if (std::abs(value) >= 1e4) return fmt::format("{:.9g} k", value / 1e3);
  return fmt::format("{:.9g}", value);
}

void ValueAxis::fit(double largest, int steps) {
  step = nice_step(largest, steps);
  if (unit.empty()) step = std::max(step, 1.0);
  most = std::max(step, std::ceil(largest / step) * step);
}

std::string ValueAxis::svg() const {
  std::string out;
  for (int i = 0; i * step <= most * 1.0001; ++i) {
    const double value = i * step;
    out += fmt::format("<line class=\"grid\" x1=\"{}\" x2=\"{}\" y1=\"{:.1f}\" y2=\"{:.1f}\"/>"
                       "<text class=\"end\" x=\"{}\" y=\"{:.1f}\">{}</text>\n",
                       left, right, y(value), y(value), left - 6, y(value) + 4,
                       tick_label(value) + unit);
  }
  return out;
}

std::string line_chart(const Chart& chart) {
  return drawn(chart, [&](const Frame& frame) {
    std::string out;
    for (std::size_t i = 0; i < chart.series.size(); ++i) {
      std::string line;
      std::string dots;
      bool pen_down = false;
      for (std::size_t at = 0; at < chart.series[i].values.size(); ++at) {
        const auto& value = chart.series[i].values[at];
        if (!value) {
          pen_down = false;
          if (i == 0) out += unknown_at(frame.x(at), frame);
          continue;
        }
        line += fmt::format("{}{:.1f} {:.1f}", pen_down ? "L" : "M", frame.x(at), frame.y(*value));
        dots += fmt::format("<circle class=\"c{}\" cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"3.5\"/>",
                            i % kColours, frame.x(at), frame.y(*value));
        pen_down = true;
      }
      out += fmt::format("<path class=\"line c{}\" d=\"{}\"/>{}\n", i % kColours, line, dots);
    }
    return out;
  });
}

std::string bar_chart(const Chart& chart) {
  return drawn(chart, [&](const Frame& frame) {
    std::string out;
    const double width =
        std::min(26.0, frame.slot() * 0.8 / static_cast<double>(chart.series.size()));
    const double all = width * static_cast<double>(chart.series.size());
    for (std::size_t i = 0; i < chart.series.size(); ++i) {
      for (std::size_t at = 0; at < chart.series[i].values.size(); ++at) {
        const double x = frame.x(at) - all / 2 + width * static_cast<double>(i);
        const auto& value = chart.series[i].values[at];
        if (!value) {
          out += unknown_at(x + width / 2, frame);
          continue;
        }
        out += fmt::format("<rect class=\"c{}\" x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" "
                           "height=\"{:.1f}\"/>\n",
                           i % kColours, x, frame.y(*value), width * 0.92,
                           frame.y(0) - frame.y(*value));
      }
    }
    return out;
  });
}

std::string stacked_bar(const std::vector<BarPart>& parts, std::string_view what) {
  double total = 0;
  for (const auto& part : parts) total += std::max(0.0, part.value);
  if (total <= 0) return "";
  std::string out = fmt::format("<svg class=\"stack\" viewBox=\"0 0 1000 40\" "
                                "preserveAspectRatio=\"none\" role=\"img\" aria-label=\"{}\">\n",
                                escape(what));
  double x = 0;
  for (const auto& part : parts) {
    if (part.value <= 0) continue;
    const double width = part.value / total * 1000;
    out += fmt::format("<rect class=\"{}\" x=\"{:.2f}\" y=\"0\" width=\"{:.2f}\" height=\"40\">"
                       "<title>{}</title></rect>\n",
                       part.css_class, x, width, escape(part.label));
    x += width;
  }
  return out + "</svg>\n";
}

}  // namespace memprof::report
