#include "analysis/trace_events.hpp"

#include "analysis/event_writer.hpp"
#include "analysis/lanes.hpp"
#include "formats/described.hpp"
#include "formats/iso8601.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace memprof::analysis {
namespace {

/// The format calls a group of tracks a process; they are shown in this order.
enum Group : std::int64_t { kRun = 1, kRequests, kServer, kGpus };

struct Span {
  Timestamp begin;
  Timestamp end;
};

/// From its turn, or its first byte, to its end; none: it has no such stretch.
std::optional<Span> span_of(const RequestTraceRow& row) {
  const auto begin = row.scheduled_ts && (!row.start_ts || *row.scheduled_ts <= *row.start_ts)
                         ? row.scheduled_ts
                         : row.start_ts;
  if (!begin || !row.end_ts || *row.end_ts < row.start_ts.value_or(*begin)) return {};
  return Span{*begin, *row.end_ts};
}

/// Nothing in the trace is before it.
Timestamp origin_of(const RunTraces& traces, const Manifest& manifest) {
  std::optional<Timestamp> first;
  const auto see = [&](const std::optional<Timestamp>& time) {
    if (time && (!first || *time < *first)) first = time;
  };
  const auto& timeline = manifest.timeline;
  // The original scripts' manifest has local time without a zone, and no timeline.
  if (timeline.baseline_start) see(manifest.timestamp);
  see(timeline.baseline_start);
  see(timeline.load_start);
  see(timeline.load_end);
  for (const auto& row : traces.requests) {
    if (const auto span = span_of(row)) see(span->begin);
  }
  for (const auto& [engine, series] : traces.engines) {
    if (!series.readings.empty()) see(series.readings.front().timestamp);
  }
  for (const auto& [index, series] : traces.gpus) {
    if (!series.readings.empty()) see(series.readings.front().timestamp);
  }
  return first.value_or(Timestamp{});
}

class TraceWriter {
 public:
  TraceWriter(const RunTraces& traces, const Manifest& manifest,
              const std::function<void(std::string_view)>& on_text)
      : traces_(traces),
        manifest_(manifest),
        origin_(origin_of(traces, manifest)),
        writer_(origin_, on_text) {}

  void write() {
    JsonMembers about;
    about.add("run_id", manifest_.run_id);
    about.add("utc_start", formats::format_timestamp(origin_));
    about.add("simulator", manifest_.server.simulator);
    about.add("model", manifest_.server.model);
    about.add("server_version", manifest_.server.version);
    writer_.raw("{\"displayTimeUnit\":\"ms\",\"otherData\":{" + about.text() +
                "},\n\"traceEvents\":[");
    write_run();
    write_requests();
    write_server();
    write_gpus();
    writer_.raw("\n]}\n");
    writer_.flush();
  }

 private:
  void name_group(Group group, const std::string& name) {
    const bool simulated = manifest_.simulated || manifest_.server.simulator;
    JsonMembers args;
    args.add("name", simulated ? name + " (SIMULATED)" : name);
    writer_.metadata("process_name", {group, 0}, args);
    args.clear();
    args.add("sort_index", static_cast<std::int64_t>(group));
    writer_.metadata("process_sort_index", {group, 0}, args);
  }

  void name_track(Track track, const std::string& name) {
    JsonMembers args;
    args.add("name", name);
    writer_.metadata("thread_name", track, args);
    args.clear();
    args.add("sort_index", track.thread);
    writer_.metadata("thread_sort_index", track, args);
  }

  /// Names `count` lanes of a group. A track's number is its own in the whole trace.
  std::int64_t add_lanes(Group group, std::size_t count, std::string_view name) {
    const auto first = next_track_;
    for (std::size_t lane = 0; lane < count; ++lane) {
      name_track({group, next_track_++}, count == 1 ? std::string(name)
                                                    : fmt::format("{} {}", name, lane + 1));
    }
    return first;
  }

  void write_run() {
    name_group(kRun, "Run " + manifest_.run_id);
    JsonMembers labels;
    labels.add("labels", "from " + formats::format_timestamp(origin_));
    writer_.metadata("process_labels", {kRun, 0}, labels);
    const auto phases = add_lanes(kRun, 1, "phases");
    const auto& timeline = manifest_.timeline;
    write_phase(phases, "baseline", timeline.baseline_start, timeline.load_start);
    write_phase(phases, "load", timeline.load_start, timeline.load_end);
    write_phase(phases, "tail", timeline.load_end, timeline.tail_end);
    write_groups();
  }

  void write_phase(std::int64_t track, std::string_view name, const std::optional<Timestamp>& begin,
                   const std::optional<Timestamp>& end) {
    if (begin && end && *begin <= *end) writer_.slice({kRun, track}, name, "phase", *begin, *end);
  }

  /// A slice for each concurrency level, from its first start to its last end.
  void write_groups() {
    std::map<std::int64_t, Span> spans;
    for (const auto& row : traces_.requests) {
      if (!row.start_ts || !row.end_ts || *row.end_ts < *row.start_ts) continue;
      auto& span = spans.try_emplace(row.concurrency_group, Span{*row.start_ts, *row.end_ts})
                       .first->second;
      span = {std::min(span.begin, *row.start_ts), std::max(span.end, *row.end_ts)};
    }
    std::vector<std::pair<std::int64_t, Span>> groups(spans.begin(), spans.end());
    std::stable_sort(groups.begin(), groups.end(), [](const auto& a, const auto& b) {
      return a.second.begin < b.second.begin;
    });
    Lanes lanes;
    std::vector<std::size_t> lane_of;
    lane_of.reserve(groups.size());
    for (const auto& [level, span] : groups) lane_of.push_back(lanes.take(span.begin, span.end));
    const auto first = add_lanes(kRun, lanes.count(), "concurrency");
    for (std::size_t i = 0; i < groups.size(); ++i) {
      const auto& [level, span] = groups[i];
      writer_.slice({kRun, first + static_cast<std::int64_t>(lane_of[i])},
                    fmt::format("concurrency {}", level), "group", span.begin, span.end);
    }
  }

  void write_requests() {
    struct Placed {
      const RequestTraceRow* row;
      Span span;
    };
    std::vector<Placed> placed;
    placed.reserve(traces_.requests.size());
    for (const auto& row : traces_.requests) {
      if (const auto span = span_of(row)) placed.push_back({&row, *span});
    }
    if (placed.empty()) return;
    std::stable_sort(placed.begin(), placed.end(), [](const Placed& a, const Placed& b) {
      return a.span.begin < b.span.begin;
    });
    Lanes lanes;
    std::vector<std::size_t> lane_of;
    lane_of.reserve(placed.size());
    for (const auto& each : placed) lane_of.push_back(lanes.take(each.span.begin, each.span.end));
    name_group(kRequests, "Requests");
    const auto first = add_lanes(kRequests, lanes.count(), "lane");
    for (std::size_t i = 0; i < placed.size(); ++i) {
      write_request({kRequests, first + static_cast<std::int64_t>(lane_of[i])}, *placed[i].row,
                    placed[i].span);
    }
  }

  void write_request(Track track, const RequestTraceRow& row, Span span) {
    args_.clear();
    formats::for_each_member<RequestTraceRow>([&](std::string_view key, auto pointer) {
      const auto& value = row.*pointer;
      using Value = std::decay_t<decltype(value)>;
      if constexpr (std::is_same_v<Value, std::optional<PrefixMode>>) {
        if (value) args_.add(key, formats::enum_name(*value));
      } else if constexpr (std::is_same_v<Value, std::string>) {
        if (!value.empty()) args_.add(key, value);
      } else if constexpr (!std::is_same_v<Value, std::optional<Timestamp>>) {
        args_.add(key, value);
      }
    });
    // Perfetto colours by name, Chrome by `cname`.
    writer_.slice(track, row.ok() ? row.req_id : row.status + " " + row.req_id, row.status,
                  span.begin, span.end, args_, row.ok() ? "good" : "bad");
    const JsonMembers none;
    const auto sent = row.start_ts.value_or(span.end);
    if (span.begin < sent) writer_.slice(track, "wait", row.status, span.begin, sent, none);
    const auto token = row.first_token_ts;
    if (!row.start_ts || !token || *token < sent || *token > span.end) return;
    writer_.slice(track, "prefill", row.status, sent, *token, none);
    writer_.slice(track, "decode", row.status, *token, span.end, none);
  }

  void write_server() {
    if (traces_.engines.empty()) return;
    name_group(kServer, "Server");
    for (const auto& [engine, series] : traces_.engines) {
      write_counter(series.readings, kServer, fmt::format("engine {} KV cache usage", engine), "%",
                    [](const EngineReading& reading) { return reading.usage_pct; });
      write_counter(series.readings, kServer, fmt::format("engine {} running", engine), "requests",
                    [](const EngineReading& reading) { return reading.running; });
      write_counter(series.readings, kServer, fmt::format("engine {} waiting", engine), "requests",
                    [](const EngineReading& reading) { return reading.waiting; });
      write_preemptions(engine, series);
    }
  }

  /// From 0 at the first reading on: what the server counted before is not this run's.
  void write_preemptions(const std::string& engine, const EngineSeries& series) {
    std::optional<std::int64_t> last;
    std::int64_t grown = 0;
    write_counter(series.readings, kServer, fmt::format("engine {} preemptions", engine), "total",
                  [&](const EngineReading& reading) -> std::optional<std::int64_t> {
                    const auto now = reading.counters.preemptions_total;
                    if (!now) return {};
                    if (last) grown += *now < *last ? *now : *now - *last;
                    last = now;
                    return grown;
                  });
  }

  void write_gpus() {
    if (traces_.gpus.empty()) return;
    name_group(kGpus, "GPUs");
    for (const auto& [index, series] : traces_.gpus) {
      write_counter(series.readings, kGpus, fmt::format("GPU {} memory used", index), "MiB",
                    [](const GpuReading& reading) { return std::optional(reading.used_mib); });
      write_counter(series.readings, kGpus, fmt::format("GPU {} utilisation", index), "%",
                    [](const GpuReading& reading) -> std::optional<std::int64_t> {
                      return reading.util_pct;
                    });
    }
  }

  /// A reading between two equal ones is left out: the curve is the same, and a flat one is short.
  /// `value_of` is asked once for each reading, in the order of time.
  template <class Reading, class ValueOf>
  void write_counter(const std::vector<Reading>& readings, Group group, const std::string& name,
                     std::string_view unit, ValueOf value_of) {
    using Value = typename std::invoke_result_t<ValueOf, const Reading&>::value_type;
    std::optional<std::pair<Timestamp, Value>> last;
    bool written = false;
    const auto put = [&] {
      args_.clear();
      args_.add(unit, last->second);
      writer_.counter(group, name, last->first, args_);
    };
    for (const auto& reading : readings) {
      const std::optional<Value> value = value_of(reading);
      if (!value) continue;
      const bool same = last && last->second == *value;
      if (last && !same && !written) put();
      last.emplace(reading.timestamp, *value);
      written = !same;
      if (written) put();
    }
    if (last && !written) put();
  }

  const RunTraces& traces_;
  const Manifest& manifest_;
  Timestamp origin_;
  EventWriter writer_;
  JsonMembers args_;  ///< of the event at hand; kept for its memory
  /// Perfetto finds a thread by its number alone, and gives counters the number of their process.
  std::int64_t next_track_ = kGpus + 1;
};

}  // namespace

void write_trace_events(const RunTraces& traces, const Manifest& manifest,
                        const std::function<void(std::string_view)>& on_text) {
  TraceWriter(traces, manifest, on_text).write();
}

}  // namespace memprof::analysis
