#include "analysis/summarize.hpp"

#include "analysis/gpu_windows.hpp"
#include "analysis/in_flight.hpp"
#include "analysis/judge.hpp"
#include "analysis/kv_demand.hpp"
#include "analysis/memory_breakdown.hpp"
#include "analysis/server_signs.hpp"
#include "analysis/server_windows.hpp"
#include "analysis/statistics.hpp"
#include "records/nearest_rank.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>
#include <vector>

namespace memprof::analysis {
namespace {

constexpr std::size_t kMostErrors = 20;
constexpr std::size_t kMostErrorKinds = 10;

using Rows = std::vector<const RequestTraceRow*>;

void count_errors(const std::vector<RequestTraceRow>& rows, Summary& summary) {
  std::map<std::string, ErrorKind> kinds;
  for (const auto& row : rows) {
    if (row.ok()) {
      ++summary.ok_requests;
      continue;
    }
    ++summary.error_requests;
    if (summary.errors.size() < kMostErrors) summary.errors.push_back({row.req_id, row.status});
    ErrorKind& kind = kinds[row.status];
    kind.status = row.status;
    ++kind.n_requests;
    if (kind.error_detail.empty()) kind.error_detail = row.error_detail;
  }
  for (auto& [status, kind] : kinds) summary.error_kinds.push_back(std::move(kind));
  std::stable_sort(
      summary.error_kinds.begin(), summary.error_kinds.end(),
      [](const ErrorKind& a, const ErrorKind& b) { return a.n_requests > b.n_requests; });
  if (summary.error_kinds.size() > kMostErrorKinds) summary.error_kinds.resize(kMostErrorKinds);
}

/// The device memory of a whole run, and of any part of it.
class GpuFindings {
 public:
  GpuFindings(const RunTraces& traces, const Manifest& manifest, std::optional<Timestamp> load) {
    for (const auto& info : manifest.gpus) summaries_[info.gpu_idx].name = info.name;
    for (const auto& info : manifest.gpus) summaries_[info.gpu_idx].total_mib = info.total_mib;
    for (const auto& [index, series] : traces.gpus) {
      describe(series, summaries_[index]);
      summaries_[index].baseline_mib =
          baseline_mib(series, manifest.timeline.baseline_start, load);
      windows_.emplace(index, series);
    }
    for (auto& [index, gpu] : summaries_) {
      gpu.gpu_idx = index;
      gpu.delta_mib = above_baseline(index, gpu.peak_mib);
      if (gpu.peak_mib && gpu.total_mib && *gpu.total_mib > 0) {
        gpu.peak_pct =
            100 * static_cast<double>(*gpu.peak_mib) / static_cast<double>(*gpu.total_mib);
      }
    }
  }

  [[nodiscard]] std::vector<GpuSummary> all() const {
    std::vector<GpuSummary> list;
    list.reserve(summaries_.size());
    for (const auto& [index, gpu] : summaries_) list.push_back(gpu);
    return list;
  }

  [[nodiscard]] std::vector<GpuWindow> during(const InFlight& part) const {
    std::vector<GpuWindow> list;
    for (const auto& [index, windows] : windows_) {
      GpuWindow window;
      if (part.first_start) window = windows.between(*part.first_start, *part.last_end);
      window.gpu_idx = index;
      window.delta_mib = above_baseline(index, window.peak_mib);
      list.push_back(window);
    }
    return list;
  }

 private:
  static void describe(const GpuSeries& series, GpuSummary& gpu) {
    if (series.total_mib) gpu.total_mib = series.total_mib;
    std::vector<std::int64_t> values;
    values.reserve(series.readings.size());
    Mean mean;
    for (const auto& reading : series.readings) {
      values.push_back(reading.used_mib);
      mean.add(static_cast<double>(reading.used_mib));
      gpu.peak_mib = std::max(gpu.peak_mib.value_or(reading.used_mib), reading.used_mib);
    }
    gpu.samples = mean.count();
    gpu.mean_mib = mean.value();
    gpu.p95_mib = nearest_rank(std::move(values), 95);
  }

  [[nodiscard]] std::optional<double> above_baseline(std::int64_t index,
                                                     std::optional<MiB> peak) const {
    const auto& baseline = summaries_.at(index).baseline_mib;
    if (!peak || !baseline) return std::nullopt;
    return static_cast<double>(*peak) - *baseline;
  }

  std::map<std::int64_t, GpuSummary> summaries_;
  std::map<std::int64_t, GpuWindows> windows_;
};

void add_to(std::optional<Tokens>& sum, const std::optional<Tokens>& value) {
  if (value) sum = sum.value_or(0) + *value;
}

/// What a level and a condition both have; without the server's metrics.
template <class Part>
InFlight describe_part(const Rows& rows, const GpuFindings& gpus, Part& part) {
  Mean completion;
  Mean prompt;
  for (const auto* row : rows) {
    ++part.n_requests;
    add_to(part.prompt_tokens, row->prompt_tokens);
    add_to(part.completion_tokens, row->completion_tokens);
    add_to(part.cached_tokens, row->cached_tokens);
    if (!row->ok()) continue;
    ++part.n_ok;
    if (row->completion_tokens) completion.add(static_cast<double>(*row->completion_tokens));
    if (row->prompt_tokens && row->input_len > 0) {
      prompt.add(static_cast<double>(*row->prompt_tokens) / static_cast<double>(row->input_len));
    }
  }
  part.avg_completion_tokens = completion.value();
  part.prompt_tokens_per_input_len = prompt.value();
  const auto flight = in_flight(rows);
  part.max_in_flight = flight.max;
  part.mean_in_flight = flight.mean;
  if (flight.first_start) part.duration_s = seconds_between(*flight.first_start, *flight.last_end);
  part.gpus = gpus.during(flight);
  return flight;
}

/// Parts of a load (levels, or conditions) with the server's metrics of each.
template <class Part>
class ServerParts {
 public:
  void add(const Rows& rows, const InFlight& flight, Part& part) {
    if (!flight.first_start) return;
    times_.push_back({*flight.first_start, *flight.last_end});
    parts_.push_back({&rows, &part});
  }
  void fill(const ServerWindows& windows, const KvCapacity& capacity, double share) const {
    const auto found = windows.attribute(times_);
    for (std::size_t i = 0; i < parts_.size(); ++i) {
      auto& [rows, part] = parts_[i];
      part->kv = found[i];
      part->kv_demand =
          kv_demand(*rows, part->max_in_flight.value_or(0), capacity, share, part->kv);
    }
  }

 private:
  std::vector<PartTime> times_;
  std::vector<std::pair<const Rows*, Part*>> parts_;
};

/// What describing needs of the server.
struct ServerView {
  const ServerWindows& windows;
  const KvCapacity& capacity;
  double share;
};

void describe_conditions(const RunTraces& traces, const GpuFindings& gpus,
                         const ServerView& server, Summary& summary) {
  using Key = std::tuple<std::int64_t, Tokens, Tokens, std::optional<PrefixMode>>;
  std::map<Key, Rows> cells;
  for (const auto& row : traces.requests) {
    cells[{row.concurrency_group, row.input_len, row.output_len, row.prefix_mode}].push_back(&row);
  }
  if (cells.size() > kMostConditions) {
    summary.problems.push_back(fmt::format(
        "{} different conditions, more than {}: not listed one by one", cells.size(),
        kMostConditions));
    return;
  }
  ServerParts<ConditionSummary> parts;
  summary.conditions.reserve(cells.size());  // parts keeps their addresses
  for (const auto& [key, rows] : cells) {
    ConditionSummary& condition = summary.conditions.emplace_back();
    std::tie(condition.concurrency_group, condition.input_len, condition.output_len,
             condition.prefix_mode) = key;
    parts.add(rows, describe_part(rows, gpus, condition), condition);
  }
  parts.fill(server.windows, server.capacity, server.share);
}

/// Over the whole load.
void describe_server(const RunTraces& traces, const ServerView& server, const InFlight& flight,
                     Summary& summary) {
  const auto& scrapes = server.windows.scrapes();
  if (scrapes.empty()) return;
  ServerMetricsSummary& metrics = summary.server_metrics.emplace();
  metrics.rows = traces.engine_rows;
  metrics.engines = static_cast<std::int64_t>(traces.engines.size());
  metrics.resets = server.windows.resets();
  metrics.kv_tokens_total = server.capacity.tokens_total;
  metrics.block_size = server.capacity.block_size;
  if (traces.server_sampler) {
    metrics.resets = std::max(metrics.resets, traces.server_sampler->restarts);
    for (const auto& engine : traces.server_sampler->engines) {
      if (engine.prefix_caching) metrics.prefix_caching = engine.prefix_caching;
      if (!summary.server.cache_config && !engine.cache_config.empty()) {
        summary.server.cache_config = engine.cache_config;
      }
    }
  }
  if (!flight.first_start) return;
  metrics.kv = server.windows.gauges({*flight.first_start, *flight.last_end});
  const auto* begin = server.windows.last_by(*flight.first_start);
  if (begin == nullptr || scrapes.back().asked < *flight.last_end) return;
  const auto growth = server.windows.growth(*begin, scrapes.back());
  set_counters(growth, metrics.kv);
  metrics.prompt_tokens = growth.prompt_tokens_total;
  metrics.generation_tokens = growth.generation_tokens_total;
}

void describe_load(const RunTraces& traces, const InFlight& flight, LoadSummary& load) {
  load.first_start_ts = flight.first_start;
  load.last_end_ts = flight.last_end;
  if (flight.first_start) load.duration_s = seconds_between(*flight.first_start, *flight.last_end);
  load.max_in_flight = flight.max;
  load.mean_in_flight = flight.mean;
  for (const auto& row : traces.requests) {
    add_to(load.prompt_tokens, row.prompt_tokens);
    add_to(load.completion_tokens, row.completion_tokens);
  }
  if (!traces.runner) return;
  const RunnerAccount& runner = *traces.runner;
  load.start_lag_p50_ms = runner.start_lag_p50_ms;
  load.start_lag_p99_ms = runner.start_lag_p99_ms;
  load.start_lag_count = runner.start_lag_count;
  load.connections_opened = runner.connections_opened;
  load.repeats = runner.repeats;
  load.client_cpu_s = runner.process.cpu_s;
  load.client_busy_cpu_s = runner.busy_cpu_s;
  load.client_busy_s = runner.busy_s;
}

}  // namespace

Summary summarize(const RunTraces& traces, const Manifest& manifest) {
  Summary summary;
  summary.simulated = manifest.simulated;
  summary.server = manifest.server;
  summary.problems = traces.problems;
  summary.total_requests = static_cast<std::int64_t>(traces.requests.size());
  summary.gpu_samples = traces.gpu_rows;
  if (traces.workload_requests) {
    summary.requests_without_row =
        std::max<std::int64_t>(0, *traces.workload_requests - summary.total_requests);
  }
  count_errors(traces.requests, summary);

  Rows all;
  std::map<std::int64_t, Rows> levels;
  for (const auto& row : traces.requests) {
    all.push_back(&row);
    levels[row.concurrency_group].push_back(&row);
  }
  const auto flight = in_flight(all);
  const auto load = flight.first_start ? flight.first_start : manifest.timeline.load_start;
  const GpuFindings gpus(traces, manifest, load);
  summary.gpus = gpus.all();
  const ServerWindows windows(traces);
  const auto capacity = kv_capacity(traces, manifest);
  const ServerView server{windows, capacity, prefix_share(manifest)};
  ServerParts<LevelSummary> parts;
  for (const auto& [level, rows] : levels) {
    LevelSummary& part = summary.by_concurrency[level];
    parts.add(rows, describe_part(rows, gpus, part), part);
  }
  parts.fill(windows, capacity, server.share);
  describe_conditions(traces, gpus, server, summary);
  describe_load(traces, flight, summary.load);
  describe_server(traces, server, flight, summary);
  summary.memory_breakdown = break_down(traces, manifest, capacity, summary);
  const auto signs = find_signs(traces, manifest, windows, capacity, summary);
  summary.symptoms = signs.symptoms;
  summary.verdict = judge(traces, manifest, summary, signs);
  return summary;
}

}  // namespace memprof::analysis
