#include "analysis/server_signs.hpp"

#include "analysis/in_flight.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <queue>
#include <set>
#include <tuple>

namespace memprof::analysis {
namespace {

constexpr double kEnoughHits = 0.9;
constexpr Percent kNearlyFull = 90;
constexpr auto kOursLately = std::chrono::seconds(1);

/// The smallest and the largest KV need of the requests in flight, as time goes on.
class NeedsInFlight {
 public:
  NeedsInFlight(const std::vector<RequestTraceRow>& rows, std::int64_t block, double share)
      : block_(block), share_(share) {
    for (const auto& row : rows) {
      if (row.start_ts && row.end_ts) by_start_.push_back(&row);
    }
    std::sort(by_start_.begin(), by_start_.end(),
              [](const auto* a, const auto* b) { return *a->start_ts < *b->start_ts; });
  }

  /// `time` must not go back.
  void move_to(Timestamp time) {
    for (; next_ < by_start_.size() && *by_start_[next_]->start_ts <= time; ++next_) {
      const auto& row = *by_start_[next_];
      const auto shared = shared_tokens(row, share_) / block_ * block_;
      smallest_.push({-(in_blocks(prompt_tokens(row)) - shared), *row.end_ts});
      largest_.push({in_blocks(held_tokens(row)), *row.end_ts});
    }
    for (auto* heap : {&smallest_, &largest_}) {
      while (!heap->empty() && heap->top().second < time) heap->pop();
    }
  }
  [[nodiscard]] bool any() const { return !smallest_.empty(); }
  [[nodiscard]] Tokens smallest() const { return -smallest_.top().first; }
  [[nodiscard]] Tokens largest() const { return largest_.top().first; }

 private:
  using Heap = std::priority_queue<std::pair<Tokens, Timestamp>>;

  [[nodiscard]] Tokens in_blocks(Tokens tokens) const {
    return (tokens + block_ - 1) / block_ * block_;
  }

  std::int64_t block_;
  double share_;
  std::vector<const RequestTraceRow*> by_start_;
  std::size_t next_ = 0;
  Heap smallest_;  ///< needs negated
  Heap largest_;
};

/// The level whose requests were in flight at a time.
class LevelAt {
 public:
  explicit LevelAt(const std::vector<RequestTraceRow>& rows) {
    for (const auto& row : rows) {
      if (!row.start_ts || !row.end_ts) continue;
      const auto [at, is_new] =
          times_.try_emplace(row.concurrency_group, PartTime{*row.start_ts, *row.end_ts});
      at->second.first_start = std::min(at->second.first_start, *row.start_ts);
      at->second.last_end = std::max(at->second.last_end, *row.end_ts);
    }
  }
  [[nodiscard]] std::optional<std::int64_t> operator()(Timestamp time) const {
    for (const auto& [level, part] : times_) {
      if (part.first_start <= time && time <= part.last_end) return level;
    }
    return {};
  }

 private:
  std::map<std::int64_t, PartTime> times_;
};

struct Waiting {
  std::int64_t without_room = 0;  ///< scrapes
  std::int64_t with_room = 0;
  std::optional<std::int64_t> first_level;
  bool unjudged = false;  ///< requests waited, but how full the cache was is not known
};

/// Two scrapes nearer than this are one look: after a slow scrape the next tick follows at once.
std::chrono::microseconds shortest_gap(const RunTraces& traces) {
  if (!traces.server_sampler) return {};
  return std::chrono::microseconds(
      std::llround(traces.server_sampler->ticks.interval_ms * 1e3 / 2));
}

/// Two scrapes in a row: a single one may have caught requests on their way.
void watch_engine(const EngineSeries& series, std::int64_t block, NeedsInFlight needs,
                  const LevelAt& level_at, std::chrono::microseconds gap, Waiting& found) {
  bool before_without = false;
  bool before_with = false;
  bool before_unknown = false;
  const bool told = std::any_of(series.readings.begin(), series.readings.end(),
                                [](const auto& reading) { return reading.waiting.has_value(); });
  found.unjudged = found.unjudged || !told;
  std::optional<Timestamp> looked;
  for (const auto& reading : series.readings) {
    if (looked && reading.timestamp - *looked < gap) continue;
    looked = reading.timestamp;
    needs.move_to(reading.timestamp);
    bool without = false;
    bool with = false;
    bool unknown = false;
    if (reading.waiting.value_or(0) > 0 && needs.any()) {
      unknown = !series.kv_tokens_total || !reading.tokens_used;
      if (!unknown) {
        const auto free = *series.kv_tokens_total - block - *reading.tokens_used;
        without = free < needs.smallest();
        with = free >= needs.largest();
      }
    }
    if (without && before_without) {
      ++found.without_room;
      const auto level = level_at(reading.timestamp);
      if (level) found.first_level = std::min(found.first_level.value_or(*level), *level);
    }
    if (with && before_with) ++found.with_room;
    found.unjudged = found.unjudged || (unknown && before_unknown);
    before_without = without;
    before_with = with;
    before_unknown = unknown;
  }
}

Waiting watch_waiting(const RunTraces& traces, const KvCapacity& capacity, double share) {
  Waiting found;
  const auto block = std::max<std::int64_t>(1, capacity.block_size.value_or(1));
  const NeedsInFlight needs(traces.requests, block, share);
  const LevelAt level_at(traces.requests);
  for (const auto& [engine, series] : traces.engines) {
    watch_engine(series, capacity.block_size.value_or(0), needs, level_at, shortest_gap(traces),
                 found);
  }
  return found;
}

std::int64_t requests_of_others(const RunTraces& traces, const ServerWindows& windows) {
  const InFlightSteps ours(traces.requests);
  std::int64_t most = 0;
  std::int64_t before = 0;
  const auto gap = shortest_gap(traces);
  std::optional<Timestamp> looked;
  for (const auto& scrape : windows.scrapes()) {
    if (looked && scrape.timestamp - *looked < gap) continue;
    looked = scrape.timestamp;
    const auto seen = scrape.running.value_or(0) + scrape.waiting.value_or(0);
    std::int64_t beyond = 0;
    if (seen > 0) beyond = seen - ours.peak(scrape.timestamp - kOursLately, scrape.timestamp);
    most = std::max(most, std::min(before, beyond));
    before = std::max<std::int64_t>(0, beyond);
  }
  return most;
}

std::optional<bool> is_caching(const RunTraces& traces, const Summary& findings) {
  if (traces.server_sampler) {
    for (const auto& engine : traces.server_sampler->engines) {
      if (engine.prefix_caching) return engine.prefix_caching;
    }
  }
  // Every prompt is looked up where there is a cache to look in.
  const auto& metrics = findings.server_metrics;
  if (!metrics || !metrics->kv.prefix_queries) return {};
  if (*metrics->kv.prefix_queries > 0) return true;
  if (metrics->prompt_tokens.value_or(0) > 0) return false;
  return {};
}

/// Hits that a workload's shared prefixes should give, and those that there were.
struct Hits {
  Tokens expected = 0;
  Tokens found = 0;
  bool all_told = true;  ///< every request says what it found
};

std::map<std::int64_t, Hits> expected_hits(const RunTraces& traces, const Manifest& manifest,
                                           std::int64_t block) {
  std::map<std::int64_t, Hits> levels;
  const auto* workload = manifest.options.if_contains("workload");
  if (workload != nullptr && workload->is_string()) return levels;  // shares what its author chose
  const auto* salt = manifest.options.if_contains("cache_salt");
  const bool by_group = salt != nullptr && salt->is_string() && salt->get_string() == "per-group";
  const auto* schedule = manifest.options.if_contains("schedule");
  const bool by_condition =
      schedule != nullptr && schedule->is_string() && schedule->get_string() == "condition";
  const double share = prefix_share(manifest);

  // Length, and what a salt sets apart.
  using Key = std::tuple<Tokens, std::int64_t, Tokens>;
  const auto key_of = [&](const RequestTraceRow& row) {
    return Key{row.input_len, by_group ? row.concurrency_group : 0,
               by_group && by_condition ? row.output_len : 0};
  };
  std::map<Key, Timestamp> ready;  // a sharer's prefix is in the cache from then on
  for (const auto& row : traces.requests) {
    const auto time = row.first_token_ts ? row.first_token_ts : row.end_ts;
    if (!row.ok() || row.prefix_mode != PrefixMode::high || !time) continue;
    const auto [at, is_new] = ready.try_emplace(key_of(row), *time);
    at->second = std::min(at->second, *time);
  }
  for (const auto& row : traces.requests) {
    if (!row.ok() || row.prefix_mode != PrefixMode::high || !row.start_ts) continue;
    const auto at = ready.find(key_of(row));
    if (at == ready.end() || *row.start_ts <= at->second) continue;
    Hits& hits = levels[row.concurrency_group];
    // One token of a prompt is always computed.
    hits.expected +=
        std::min(shared_tokens(row, share), prompt_tokens(row) - 1) / block * block;
    hits.found += row.cached_tokens.value_or(0);
    hits.all_told = hits.all_told && row.cached_tokens.has_value();
  }
  return levels;
}

/// Hits by the server's counter, in tokens; vLLM 0.8 counts blocks.
std::optional<Tokens> counted_hits(const RunTraces& traces, const KvWindow& window,
                                   std::int64_t block) {
  const bool in_blocks = traces.server_sampler && !traces.server_sampler->engines.empty() &&
                         traces.server_sampler->engines.front().prefix_cache_unit == "blocks";
  if (!window.prefix_hits) return {};
  return *window.prefix_hits * (in_blocks ? block : 1);
}

std::optional<Symptom> find_eviction(const RunTraces& traces, const Manifest& manifest,
                                     const KvCapacity& capacity, const Summary& findings) {
  // Which engine a sharer went to is not known.
  if (!capacity.block_size || capacity.engines != 1 || !findings.server_metrics) return {};
  const auto block = *capacity.block_size;
  const auto levels = expected_hits(traces, manifest, block);
  Hits all;
  for (const auto& [level, hits] : levels) {
    all.expected += hits.expected;
    all.found += hits.found;
    all.all_told = all.all_told && hits.all_told;
  }
  const auto falls_short = [&](const Hits& hits, const KvWindow& window) -> std::optional<double> {
    const auto found = hits.all_told ? hits.found : counted_hits(traces, window, block);
    if (hits.expected == 0 || !found || window.usage_peak_pct.value_or(0) < kNearlyFull) return {};
    const auto share = static_cast<double>(*found) / static_cast<double>(hits.expected);
    return share < kEnoughHits ? std::optional(share) : std::nullopt;
  };
  const auto share = falls_short(all, findings.server_metrics->kv);
  if (!share) return {};
  Symptom symptom{"cache_eviction", {}, *share};
  for (const auto& [level, hits] : levels) {
    if (!falls_short(hits, findings.by_concurrency.at(level).kv)) continue;
    symptom.first_concurrency = level;
    break;
  }
  return symptom;
}

std::optional<Symptom> find_preemption(const ServerWindows& windows, const Summary& findings) {
  const auto& flight = findings.load;
  const auto* begin =
      flight.first_start_ts ? windows.last_by(*flight.first_start_ts) : nullptr;
  if (begin == nullptr) begin = &windows.scrapes().front();
  const auto grown = windows.growth(*begin, windows.scrapes().back()).preemptions_total;
  if (grown.value_or(0) == 0) return {};
  Symptom symptom{"preemption", {}, static_cast<double>(*grown)};
  for (const auto& [level, part] : findings.by_concurrency) {
    if (part.kv.preemptions.value_or(0) == 0) continue;
    symptom.first_concurrency = level;
    break;
  }
  return symptom;
}

}  // namespace

ServerSigns find_signs(const RunTraces& traces, const Manifest& manifest,
                       const ServerWindows& windows, const KvCapacity& capacity,
                       const Summary& findings) {
  ServerSigns signs;
  if (windows.scrapes().empty()) return signs;
  signs.prefix_caching = is_caching(traces, findings);
  signs.requests_of_others = requests_of_others(traces, windows);
  if (auto found = find_preemption(windows, findings)) signs.symptoms.push_back(*found);
  const auto waiting = watch_waiting(traces, capacity, prefix_share(manifest));
  signs.waiting_with_room = waiting.with_room;
  if (waiting.without_room > 0) {
    signs.symptoms.push_back(
        {"queueing", waiting.first_level, static_cast<double>(waiting.without_room)});
  }
  if (signs.prefix_caching.value_or(true)) {
    const auto found = find_eviction(traces, manifest, capacity, findings);
    if (found) signs.symptoms.push_back(*found);
  }
  const auto& back = windows.scrapes().back();
  const bool counts_preemptions = windows.growth(back, back).preemptions_total.has_value();
  if (!signs.symptoms.empty()) {
    signs.pressure = signs.symptoms.front().name;
  } else if (counts_preemptions && !waiting.unjudged) {
    signs.pressure = "none";
  }
  return signs;
}

}  // namespace memprof::analysis
