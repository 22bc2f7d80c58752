#include "formats/number.hpp"
#include "report/html.hpp"
#include "report/lanes.hpp"
#include "report/sections.hpp"
#include "report/time_series.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace memprof::report {
namespace {

constexpr std::size_t kValuesPerChart = 16'000;  ///< of all lines together
constexpr std::size_t kMostLanes = 4'000;        ///< requests that are drawn
constexpr std::size_t kMostNameBytes = 200'000;  ///< of all drawn requests
constexpr std::size_t kTableRows = 30;

/// Milliseconds are finer than any screen.
void append_seconds(std::string& out, double seconds) {
  formats::append_number(out, std::round(seconds * 1e3) / 1e3);
}

template <class Range, class Append>
std::string json_list(const Range& range, const Append& append) {
  std::string out = "[";
  for (const auto& each : range) {
    if (out.size() > 1) out += ',';
    append(out, each);
  }
  return out + "]";
}

/// No reading is null, a break in the line is false.
void append_value(std::string& out, const std::optional<double>& value) {
  if (!value) {
    out += "null";
  } else if (std::isnan(*value)) {
    out += "false";
  } else {
    formats::append_number(out, std::round(*value * 100) / 100);
  }
}

std::string chart_json(std::string_view id, std::string_view unit, const std::vector<Series>& all,
                       const Grid& grid) {
  const auto labels = json_list(
      all, [](std::string& out, const Series& series) { out += json_string(series.label, 40); });
  const auto x = json_list(grid.x, append_seconds);
  const auto y = json_list(grid.y, [](std::string& out, const auto& values) {
    out += json_list(values, append_value);
  });
  return fmt::format("{{\"id\":\"{}\",\"unit\":\"{}\",\"labels\":{},\"x\":{},\"y\":{}}}", id, unit,
                     labels, x, y);
}

std::string lanes_json(const RequestLanes& lanes, Timestamp zero) {
  std::size_t name_bytes = 0;
  const auto rows = json_list(lanes.entries, [&](std::string& out, const LaneEntry& entry) {
    const auto* row = entry.row;
    out += fmt::format("[{},", entry.lane);
    append_seconds(out, seconds_between(zero, entry.begin));
    out += ',';
    if (row != nullptr && row->first_token_ts) {
      append_seconds(out, seconds_between(zero, *row->first_token_ts));
    } else {
      out += "null";
    }
    out += ',';
    append_seconds(out, seconds_between(zero, entry.end));
    const bool is_named = row != nullptr && name_bytes < kMostNameBytes;
    const auto name = json_string(is_named ? row->req_id : "", 60);
    name_bytes += name.size();
    out += fmt::format(",{},{},{}]", row == nullptr || row->ok() ? 1 : 0, name,
                       row == nullptr ? 0 : row->concurrency_group);
  });
  return fmt::format("{{\"count\":{},\"rows\":{}}}", lanes.count, rows);
}

/// The largest value of each series in each of kTableRows slices of time.
std::string time_table(const RunSeries& run) {
  std::vector<Column> columns{{"from second", true}, {"to", true}};
  std::vector<const Series*> all;
  for (const auto* group : {&run.kv, &run.requests, &run.gpus}) {
    for (const auto& series : *group) {
      all.push_back(&series);
      const char* unit = group == &run.kv ? ", %" : group == &run.gpus ? ", MiB" : "";
      columns.push_back({series.label + unit, true});
    }
  }
  std::vector<std::vector<std::optional<double>>> peaks(
      kTableRows, std::vector<std::optional<double>>(all.size()));
  const double width = run.span / static_cast<double>(kTableRows);
  for (std::size_t i = 0; i < all.size(); ++i) {
    for (const auto& point : all[i]->points) {
      if (std::isnan(point.y)) continue;
      const auto slice =
          std::min(kTableRows - 1, static_cast<std::size_t>(std::max(0.0, point.x / width)));
      auto& peak = peaks[slice][i];
      peak = std::max(peak.value_or(point.y), point.y);
    }
  }
  Table table("Largest value in each part of the run; – is not measured", columns);
  for (std::size_t slice = 0; slice < kTableRows; ++slice) {
    std::vector<std::string> cells{fmt::format("{:.1f}", width * static_cast<double>(slice)),
                                   fmt::format("{:.1f}", width * static_cast<double>(slice + 1))};
    for (const auto& peak : peaks[slice]) {
      cells.push_back(peak ? formats::format_number(std::round(*peak * 10) / 10)
                           : std::string(kAbsent));
    }
    table.add(cells);
  }
  return folded("These charts as a table", table.html());
}

/// A place for a chart, or words where there is nothing to draw.
class ChartPlaces {
 public:
  explicit ChartPlaces(std::string& html) : html_(html) {}

  void add(std::string_view id, std::string_view title, std::string_view unit,
           const std::vector<Series>& series, std::string_view absent) {
    html_ += fmt::format("<h3>{}</h3>\n", escape(title));
    if (series.empty()) {
      html_ += paragraph(absent, "absent");
      return;
    }
    const auto grid = align(series, kValuesPerChart);
    thinned_ = thinned_ || grid.thinned;
    html_ += fmt::format("<div class=\"readout\" id=\"{0}-readout\" aria-hidden=\"true\"></div>\n"
                         "<div class=\"time\" id=\"{0}\" role=\"img\" aria-label=\"{1}\"></div>\n",
                         id, escape(std::string(title) + " over time; the table below has it"));
    data_ += (data_.empty() ? "" : ",\n") + chart_json(id, unit, series, grid);
  }
  [[nodiscard]] const std::string& data() const { return data_; }
  [[nodiscard]] bool thinned() const { return thinned_; }

 private:
  std::string& html_;
  std::string data_;
  bool thinned_ = false;
};

std::string lane_words(const RequestLanes& lanes, std::size_t requests) {
  if (lanes.entries.empty()) return paragraph("Not measured: no request was sent.", "absent");
  std::string words = fmt::format("{} request{}", lanes.started, lanes.started == 1 ? "" : "s");
  if (lanes.started < requests) {
    words += fmt::format(" ({} more were never sent)", requests - lanes.started);
  }
  const bool streamed = std::any_of(lanes.entries.begin(), lanes.entries.end(), [](const auto& e) {
    return e.row != nullptr && e.row->first_token_ts.has_value();
  });
  if (lanes.merged) {
    words += ", too many to draw each: those of a lane are drawn as one";
    if (lanes.longest_pause_s > 0) {
      words += fmt::format(", with pauses of up to {:.3g} s between them", lanes.longest_pause_s);
    }
    words += "; failed ones stay by themselves";
  } else if (!streamed) {
    words += ". Not measured: when the first token came (no streaming)";
  }
  words += '.';
  return paragraph(words) +
         "<ul class=\"legend\"><li><i class=\"key c3\"></i>until the first token</li>"
         "<li><i class=\"key c2\"></i>decoding</li><li><i class=\"key c7\"></i>not told apart</li>"
         "<li><i class=\"key bad\"></i>failed</li></ul>\n"
         "<div class=\"readout\" id=\"lanes-readout\" aria-hidden=\"true\"></div>\n"
         "<canvas id=\"lanes\" role=\"img\" aria-label=\"Requests over time; the table of requests "
         "has them\"></canvas>\n";
}

}  // namespace

std::string time_section(const analysis::RunTraces& traces) {
  const auto run = read_series(traces);
  const auto lanes = assign_lanes(traces.requests, kMostLanes);
  std::string html;
  if (!run.bands.empty()) {
    html += paragraph("Shaded: the requests of a concurrency level, its number above. Drag across "
                      "a chart to zoom all of them, double-click to see all again.",
                      "hint");
  }
  ChartPlaces places(html);
  places.add("kv", "KV cache in use", "%", run.kv,
             "Not measured: KV cache usage (no metrics of the server).");
  if (!run.marks.empty()) {
    html += "<ul class=\"legend\"><li><i class=\"key bad\"></i>preemptions</li></ul>\n";
  }
  places.add("queue", "Requests running and waiting", "", run.requests,
             "Not measured: running and waiting requests (no metrics of the server).");
  places.add("gpu", "Device memory in use, MiB", "MiB", run.gpus, "Not measured: device memory.");
  for (const auto left_out : {run.engines_left_out, run.gpus_left_out}) {
    if (left_out > 0) html += paragraph(fmt::format("{} more are not drawn.", left_out));
  }
  if (places.thinned()) {
    html += paragraph("Readings are thinned: the smallest and the largest of each slice of time "
                      "are drawn, so no peak is lost.", "hint");
  }
  html += "<h3>Requests</h3>\n" + lane_words(lanes, traces.requests.size());
  if (run.span > 0) html += time_table(run);
  const auto marks = json_list(run.marks, [](std::string& out, const PreemptionMark& mark) {
    out += '[';
    append_seconds(out, mark.x);
    out += fmt::format(",{}]", mark.count);
  });
  const auto bands = json_list(run.bands, [](std::string& out, const LevelBand& band) {
    out += fmt::format("[{},", band.level);
    append_seconds(out, band.from);
    out += ',';
    append_seconds(out, band.to);
    out += ']';
  });
  std::string span;
  append_seconds(span, run.span);
  html += fmt::format("<script type=\"application/json\" id=\"data\">\n"
                      "{{\"span\":{},\"charts\":[{}],\n\"marks\":{},\n\"bands\":{},\n"
                      "\"lanes\":{}}}\n</script>\n",
                      span, places.data(), marks, bands, lanes_json(lanes, run.zero));
  return section("time", "Over time", html);
}

}  // namespace memprof::report
