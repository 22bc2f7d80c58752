#include "analysis/read_run.hpp"

#include "files/document.hpp"
#include "formats/csv.hpp"
#include "formats/described.hpp"
#include "records/gpu.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <string_view>
#include <utility>

namespace memprof::analysis {
namespace {

/// Hands on whole lines and keeps back what stands after the last line end: a killed or full-disk
/// writer may have cut it, and half a number would be a wrong number.
class WholeLines {
 public:
  template <class F>
  void feed(std::string_view bytes, F&& on_lines) {
    const auto end = bytes.rfind('\n');
    if (end == std::string_view::npos) {
      rest_ += bytes;
      if (rest_.size() <= formats::kLongestCsvRecord) return;
      on_lines(std::string_view(rest_));  // which refuses it
      rest_.clear();
      return;
    }
    rest_ += bytes.substr(0, end + 1);
    on_lines(std::string_view(rest_));
    rest_ = bytes.substr(end + 1);
  }
  [[nodiscard]] const std::string& rest() const { return rest_; }

 private:
  std::string rest_;
};

/// Beyond these a number is no measurement, and sums over a trace would overflow: an exabyte in MiB,
/// and what a server counts in years (`…_total`; four times as much).
constexpr std::int64_t kMostOfAnything = std::int64_t{1} << 40;
constexpr std::int64_t kMostCounted = std::int64_t{1} << 42;

bool fits(const std::string&, std::int64_t) { return true; }
bool fits(Timestamp, std::int64_t) { return true; }
bool fits(PrefixMode, std::int64_t) { return true; }
bool fits(std::int64_t value, std::int64_t most) { return value >= -most && value <= most; }
/// Not a number does not.
bool fits(double value, std::int64_t most) {
  return std::abs(value) <= static_cast<double>(most);
}
template <class Value>
bool fits(const std::optional<Value>& value, std::int64_t most) {
  return !value || fits(*value, most);
}

template <class Row>
bool is_measurable(const Row& row) {
  bool good = true;
  formats::for_each_member<Row>([&](std::string_view name, auto member) {
    good = good && fits(row.*member, name.ends_with("_total") ? kMostCounted : kMostOfAnything);
  });
  return good;
}

/// `take(row)` is false for a row that lacks `needed`, as those of another kind of file do.
template <class Row, class Take>
void read_csv(const std::string& path, std::string_view needed, std::vector<std::string>& problems,
              Take take) {
  std::int64_t foreign = 0;
  std::int64_t unmeasurable = 0;
  formats::CsvReader<Row> reader(path, [&](Row&& row) {
    if (!is_measurable(row)) {
      ++unmeasurable;
    } else if (!take(std::move(row))) {
      ++foreign;
    }
  });
  WholeLines lines;
  const auto feed = [&](std::string_view whole) { reader.feed(whole); };
  const auto read = files::read_in_pieces(
      path, files::Source::regular_file, [&](std::string_view bytes) { lines.feed(bytes, feed); });
  if (read.has_error()) {
    problems.push_back(read.error().message);
    return;
  }
  const auto rows = reader.finish();
  if (rows.has_error()) {
    problems.push_back(rows.error().message);
    return;
  }
  if (!lines.rest().empty()) {
    problems.push_back(path + ": ends in the middle of a line; that line is left out");
  }
  if (reader.bad_rows() > 0) {
    problems.push_back(fmt::format("{} ({} unreadable in all, left out)", reader.first_problem(),
                                   reader.bad_rows()));
  }
  if (foreign > 0) {
    problems.push_back(fmt::format("{}: {} rows without {}, left out", path, foreign, needed));
  }
  if (unmeasurable > 0) {
    problems.push_back(fmt::format("{}: {} rows with numbers too large to be measured, left out", path,
                                   unmeasurable));
  }
}

void read_requests(const std::string& path, RunTraces& traces) {
  // Growing by doubling would hold the rows twice for a while.
  constexpr std::int64_t kMost = 1'000'000;
  traces.requests.reserve(
      static_cast<std::size_t>(std::min(kMost, traces.workload_requests.value_or(0))));
  read_csv<RequestTraceRow>(path, "req_id or status", traces.problems, [&](RequestTraceRow&& row) {
    if (row.req_id.empty() || row.status.empty()) return false;
    traces.requests.push_back(std::move(row));
    return true;
  });
}

template <class Reading>
void put_in_order(std::vector<Reading>& readings) {
  const auto earlier = [](const Reading& a, const Reading& b) { return a.timestamp < b.timestamp; };
  if (!std::is_sorted(readings.begin(), readings.end(), earlier)) {
    std::stable_sort(readings.begin(), readings.end(), earlier);
  }
}

void read_gpu_trace(const std::string& path, RunTraces& traces) {
  read_csv<GpuMemRow>(path, "timestamp", traces.problems, [&](GpuMemRow&& row) {
    if (row.timestamp == Timestamp{}) return false;
    GpuSeries& series = traces.gpus[row.gpu_idx];
    ++traces.gpu_rows;
    ++series.rows;
    if (row.total_mib) series.total_mib = row.total_mib;
    if (!row.used_mib) return true;
    GpuReading& reading = series.readings.emplace_back();
    reading.timestamp = row.timestamp;
    reading.used_mib = *row.used_mib;
    if (row.util_pct && *row.util_pct >= 0 && *row.util_pct <= 100) {
      reading.util_pct = static_cast<std::int16_t>(*row.util_pct);
    }
    return true;
  });
  for (auto& [index, series] : traces.gpus) put_in_order(series.readings);
}

bool is_there(const std::string& path) {
  std::error_code error;
  return std::filesystem::exists(path, error);
}

void read_server_trace(const std::string& path, RunTraces& traces) {
  if (!is_there(path)) return;  // not every server has metrics
  read_csv<ServerMetricsRow>(
      path, "timestamp or engine", traces.problems, [&](ServerMetricsRow&& row) {
        if (row.timestamp == Timestamp{} || row.engine.empty()) return false;
        EngineSeries& series = traces.engines[row.engine];
        ++traces.engine_rows;
        if (row.kv_tokens_total) series.kv_tokens_total = row.kv_tokens_total;
        EngineReading& reading = series.readings.emplace_back();
        reading.timestamp = row.timestamp;
        reading.asked = row.timestamp - std::chrono::microseconds(static_cast<std::int64_t>(
                                            row.scrape_ms.value_or(0) * 1e3));
        reading.usage_pct = row.kv_cache_usage_pct;
        reading.tokens_used = row.kv_tokens_used;
        reading.running = row.requests_running;
        reading.waiting = row.requests_waiting;
        reading.counters = {row.preemptions_total, row.prefix_cache_queries_total,
                            row.prefix_cache_hits_total, row.prompt_tokens_total,
                            row.generation_tokens_total};
        return true;
      });
  for (auto& [engine, series] : traces.engines) put_in_order(series.readings);
}

/// Counts lines without holding one: prompts are large.
class LineCounter {
 public:
  void feed(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto end = bytes.find('\n');
      begin_with(bytes.substr(0, end));
      if (end == std::string_view::npos) return;
      end_line();
      bytes.remove_prefix(end + 1);
    }
  }
  /// A last line without a line end counts when it is whole.
  void finish() {
    if (last_ == '}') end_line();
  }
  [[nodiscard]] bool in_line() const { return first_ != 0; }
  [[nodiscard]] std::int64_t objects() const { return objects_; }
  [[nodiscard]] std::int64_t others() const { return others_; }

 private:
  void begin_with(std::string_view piece) {
    const auto first = piece.find_first_not_of(" \t\r");
    if (first == std::string_view::npos) return;
    if (first_ == 0) first_ = piece[first];
    last_ = piece[piece.find_last_not_of(" \t\r")];
  }
  void end_line() {
    if (first_ == '{' && last_ == '}') {
      ++objects_;
    } else if (first_ != 0) {
      ++others_;
    }
    first_ = last_ = 0;
  }

  char first_ = 0;
  char last_ = 0;
  std::int64_t objects_ = 0;
  std::int64_t others_ = 0;
};

void read_workload(const std::string& path, RunTraces& traces) {
  LineCounter lines;
  const auto read = files::read_in_pieces(
      path, files::Source::regular_file, [&](std::string_view bytes) { lines.feed(bytes); });
  if (read.has_error()) {
    traces.problems.push_back(read.error().message);
    return;
  }
  lines.finish();
  if (lines.in_line()) {
    traces.problems.push_back(path + ": ends in the middle of a line; that line is left out");
  }
  if (lines.others() > 0) {
    traces.problems.push_back(
        fmt::format("{}: {} lines that are not requests", path, lines.others()));
  }
  if (lines.others() == 0 || lines.objects() > 0) traces.workload_requests = lines.objects();
}

/// None, without a word, where there is none: as in the original scripts' folders.
template <class Account>
std::optional<Account> read_account(const std::string& path, RunTraces& traces) {
  if (!is_there(path)) return {};
  auto account = files::read_json<Account>(path);
  if (account.has_value()) return std::move(*account);
  traces.problems.push_back(account.error().message);
  return {};
}

}  // namespace

RunTraces read_run(const std::string& dir) {
  const std::filesystem::path folder(dir);
  RunTraces traces;
  read_workload((folder / "workload.jsonl").string(), traces);
  read_requests((folder / "request_trace.csv").string(), traces);
  read_gpu_trace((folder / "gpu_mem_trace.csv").string(), traces);
  read_server_trace((folder / "server_metrics_trace.csv").string(), traces);
  const auto logs = folder / "logs";
  traces.runner =
      read_account<RunnerAccount>((logs / "request_runner.stats.json").string(), traces);
  traces.server_sampler = read_account<ServerMetricsAccount>(
      (logs / "server_metrics_sampler.stats.json").string(), traces);
  return traces;
}

}  // namespace memprof::analysis
