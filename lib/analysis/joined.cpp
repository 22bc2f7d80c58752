#include "analysis/joined.hpp"

#include "analysis/gpu_windows.hpp"
#include "analysis/range_peaks.hpp"
#include "analysis/server_windows.hpp"

#include <algorithm>
#include <map>

namespace memprof::analysis {
namespace {

constexpr auto kOldest = std::chrono::seconds(10);

JoinedRow copy_of(const RequestTraceRow& row) {
  JoinedRow joined;
  joined.req_id = row.req_id;
  joined.input_len = row.input_len;
  joined.output_len = row.output_len;
  joined.concurrency_group = row.concurrency_group;
  joined.prefix_mode = row.prefix_mode;
  joined.rep = row.rep;
  joined.status = row.status;
  joined.start_ts = row.start_ts;
  joined.first_token_ts = row.first_token_ts;
  joined.end_ts = row.end_ts;
  joined.prompt_tokens = row.prompt_tokens;
  joined.completion_tokens = row.completion_tokens;
  joined.cached_tokens = row.cached_tokens;
  joined.in_flight_at_start = row.in_flight_at_start;
  return joined;
}

/// The server's metrics at and between any two times.
class ServerJoin {
 public:
  explicit ServerJoin(const RunTraces& traces)
      : windows_(traces),
        usage_(windows_.scrapes().size(), [&](std::size_t i) { return usage(i); }),
        waiting_(windows_.scrapes().size(), [&](std::size_t i) { return waiting(i); }) {}

  void fill(Timestamp start, Timestamp end, JoinedRow& row) const {
    row.kv_usage_start_pct = usage_by(start);
    row.kv_usage_end_pct = usage_by(end);
    const auto* begin = windows_.last_by(start);
    const auto* after = windows_.first_from(end);
    if (begin != nullptr && after != nullptr) {
      row.preemptions = windows_.growth(*begin, *after).preemptions_total;
    }
    const auto* first = windows_.first_from(start);
    const auto* last = windows_.last_by(end);
    if (first == nullptr || last == nullptr || last < first) return;
    const auto from = static_cast<std::size_t>(first - windows_.scrapes().data());
    const auto to = static_cast<std::size_t>(last - windows_.scrapes().data()) + 1;
    row.kv_usage_peak_pct = usage_.peak(from, to, [&](std::size_t i) { return usage(i); });
    row.requests_waiting_peak = waiting_.peak(from, to, [&](std::size_t i) { return waiting(i); });
  }

 private:
  [[nodiscard]] std::optional<Percent> usage(std::size_t i) const {
    return windows_.scrapes()[i].usage_peak_pct;
  }
  [[nodiscard]] std::optional<std::int64_t> waiting(std::size_t i) const {
    return windows_.scrapes()[i].waiting;
  }
  [[nodiscard]] std::optional<Percent> usage_by(Timestamp time) const {
    const auto* scrape = windows_.last_by(time);
    if (scrape == nullptr || time - scrape->timestamp > kOldest) return {};
    return scrape->usage_peak_pct;
  }

  ServerWindows windows_;
  // None is less than any value.
  RangePeaks<std::optional<Percent>> usage_;
  RangePeaks<std::optional<std::int64_t>> waiting_;
};

}  // namespace

void join(const RunTraces& traces, const std::function<void(const JoinedRow&)>& on_row) {
  const ServerJoin server(traces);
  std::map<std::int64_t, GpuWindows> gpus;
  for (const auto& [index, series] : traces.gpus) gpus.emplace(index, series);
  for (const auto& request : traces.requests) {
    JoinedRow row = copy_of(request);
    if (row.start_ts && row.end_ts && *row.start_ts <= *row.end_ts) {
      server.fill(*row.start_ts, *row.end_ts, row);
      for (const auto& [index, windows] : gpus) {
        row.gpu_peak_mib =
            std::max(row.gpu_peak_mib, windows.between(*row.start_ts, *row.end_ts).peak_mib);
      }
    }
    on_row(row);
  }
}

}  // namespace memprof::analysis
