#include "report/time_series.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>

namespace memprof::report {
namespace {

constexpr std::size_t kMostMarks = 400;

class Moments {
 public:
  void see(Timestamp time) {
    first_ = std::min(first_.value_or(time), time);
    last_ = std::max(last_.value_or(time), time);
  }
  [[nodiscard]] Timestamp first() const { return first_.value_or(Timestamp{}); }
  [[nodiscard]] double span() const { return first_ ? seconds_between(*first_, *last_) : 0; }

 private:
  std::optional<Timestamp> first_;
  std::optional<Timestamp> last_;
};

Moments moments_of(const analysis::RunTraces& traces) {
  Moments moments;
  for (const auto& row : traces.requests) {
    if (row.start_ts) moments.see(*row.start_ts);
    if (row.end_ts) moments.see(*row.end_ts);
  }
  for (const auto& [index, gpu] : traces.gpus) {
    if (gpu.readings.empty()) continue;
    moments.see(gpu.readings.front().timestamp);
    moments.see(gpu.readings.back().timestamp);
  }
  for (const auto& [name, engine] : traces.engines) {
    if (engine.readings.empty()) continue;
    moments.see(engine.readings.front().timestamp);
    moments.see(engine.readings.back().timestamp);
  }
  return moments;
}

void read_gpus(const analysis::RunTraces& traces, RunSeries& out) {
  for (const auto& [index, gpu] : traces.gpus) {
    if (gpu.readings.empty()) continue;
    if (out.gpus.size() == kMostLines) {
      ++out.gpus_left_out;
      continue;
    }
    auto& series = out.gpus.emplace_back(Series{fmt::format("GPU {}", index), {}});
    series.points.reserve(gpu.readings.size());
    for (const auto& reading : gpu.readings) {
      series.points.push_back({seconds_between(out.zero, reading.timestamp),
                               static_cast<double>(reading.used_mib)});
    }
    break_gaps(series);
  }
}

void read_usage(const analysis::RunTraces& traces, RunSeries& out) {
  for (const auto& [name, engine] : traces.engines) {
    Series series{traces.engines.size() == 1 ? "KV cache in use" : "engine " + name, {}};
    for (const auto& reading : engine.readings) {
      if (!reading.usage_pct) continue;
      series.points.push_back({seconds_between(out.zero, reading.timestamp), *reading.usage_pct});
    }
    if (series.points.empty()) continue;
    if (out.kv.size() == kMostLines) {
      ++out.engines_left_out;
      continue;
    }
    break_gaps(series);
    out.kv.push_back(std::move(series));
  }
}

/// Sums over the engines of a scrape; where one of them has no figure there is no sum.
void read_queue(const analysis::RunTraces& traces, RunSeries& out) {
  struct Sum {
    std::int64_t running = 0;
    std::int64_t waiting = 0;
    std::size_t with_running = 0;
    std::size_t with_waiting = 0;
  };
  std::map<Timestamp, Sum> scrapes;
  for (const auto& [name, engine] : traces.engines) {
    for (const auto& reading : engine.readings) {
      auto& sum = scrapes[reading.timestamp];
      sum.running += reading.running.value_or(0);
      sum.waiting += reading.waiting.value_or(0);
      sum.with_running += reading.running.has_value() ? 1 : 0;
      sum.with_waiting += reading.waiting.has_value() ? 1 : 0;
    }
  }
  Series running{"running", {}};
  Series waiting{"waiting", {}};
  for (const auto& [time, sum] : scrapes) {
    const double x = seconds_between(out.zero, time);
    if (sum.with_running == traces.engines.size()) {
      running.points.push_back({x, static_cast<double>(sum.running)});
    }
    if (sum.with_waiting == traces.engines.size()) {
      waiting.points.push_back({x, static_cast<double>(sum.waiting)});
    }
  }
  for (auto* series : {&running, &waiting}) {
    if (series->points.empty()) continue;
    break_gaps(*series);
    out.requests.push_back(std::move(*series));
  }
}

void read_marks(const analysis::RunTraces& traces, RunSeries& out) {
  const double width = out.span / static_cast<double>(kMostMarks);
  std::map<std::int64_t, PreemptionMark> slices;
  for (const auto& [name, engine] : traces.engines) {
    std::optional<std::int64_t> before;
    for (const auto& reading : engine.readings) {
      const auto& total = reading.counters.preemptions_total;
      if (!total) continue;
      if (before && *total > *before) {
        const double x = seconds_between(out.zero, reading.timestamp);
        auto& mark = slices[width > 0 ? static_cast<std::int64_t>(x / width) : 0];
        mark.x = x;
        mark.count += *total - *before;
      }
      before = total;
    }
  }
  for (const auto& [slice, mark] : slices) out.marks.push_back(mark);
}

void read_bands(const analysis::RunTraces& traces, RunSeries& out) {
  std::map<std::int64_t, Moments> levels;
  for (const auto& row : traces.requests) {
    if (!row.start_ts) continue;
    auto& moments = levels[row.concurrency_group];
    moments.see(*row.start_ts);
    if (row.end_ts) moments.see(*row.end_ts);
  }
  if (levels.size() > kMostBands) return;
  for (const auto& [level, moments] : levels) {
    const double from = seconds_between(out.zero, moments.first());
    out.bands.push_back({level, from, from + moments.span()});
  }
}

}  // namespace

RunSeries read_series(const analysis::RunTraces& traces) {
  RunSeries out;
  const auto moments = moments_of(traces);
  out.zero = moments.first();
  out.span = moments.span();
  read_gpus(traces, out);
  read_usage(traces, out);
  read_queue(traces, out);
  read_marks(traces, out);
  read_bands(traces, out);
  return out;
}

}  // namespace memprof::report
