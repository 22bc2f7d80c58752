#include "analysis/server_windows.hpp"

#include "analysis/statistics.hpp"

#include <algorithm>
#include <numeric>

namespace memprof::analysis {
namespace {

std::array<std::optional<std::int64_t>, 5> as_array(const CounterTotals& totals) {
  return {totals.preemptions_total, totals.prefix_cache_queries_total,
          totals.prefix_cache_hits_total, totals.prompt_tokens_total,
          totals.generation_tokens_total};
}

template <class T>
void add_to(std::optional<T>& sum, const std::optional<T>& value) {
  if (value) sum = sum.value_or(0) + *value;
}

template <class T>
void raise_to(std::optional<T>& most, const std::optional<T>& value) {
  if (value) most = std::max(most.value_or(*value), *value);
}

/// One engine's counters over time, as growth.
class GrowthMeter {
 public:
  /// True: a counter has fallen.
  bool take(const CounterTotals& now) {
    bool fallen = false;
    const auto values = as_array(now);
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (!values[i]) continue;
      if (last_[i]) {
        const bool reset = *values[i] < *last_[i];
        fallen = fallen || reset;
        grown_[i] += reset ? *values[i] : *values[i] - *last_[i];
      }
      last_[i] = values[i];
    }
    return fallen;
  }
  [[nodiscard]] const std::array<std::int64_t, 5>& grown() const { return grown_; }
  [[nodiscard]] bool knows(std::size_t counter) const { return last_[counter].has_value(); }

 private:
  std::array<std::optional<std::int64_t>, 5> last_{};
  std::array<std::int64_t, 5> grown_{};
};

}  // namespace

ServerWindows::ServerWindows(const RunTraces& traces) {
  // The engines' rows of one scrape have one time.
  std::size_t rows = 0;
  for (const auto& [engine, series] : traces.engines) rows += series.readings.size();
  std::vector<Timestamp> times;
  times.reserve(rows);
  for (const auto& [engine, series] : traces.engines) {
    for (const auto& reading : series.readings) times.push_back(reading.timestamp);
  }
  if (traces.engines.size() > 1) std::sort(times.begin(), times.end());
  times.erase(std::unique(times.begin(), times.end()), times.end());
  scrapes_.resize(times.size());
  for (std::size_t i = 0; i < times.size(); ++i) scrapes_[i].timestamp = times[i];
  for (const auto& [engine, series] : traces.engines) add_engine(series);
}

void ServerWindows::add_engine(const EngineSeries& series) {
  GrowthMeter meter;
  auto next = series.readings.begin();
  for (auto& scrape : scrapes_) {
    const EngineReading* reading = nullptr;
    for (; next != series.readings.end() && next->timestamp <= scrape.timestamp; ++next) {
      reading = &*next;
      if (meter.take(reading->counters)) ++resets_;
    }
    for (std::size_t i = 0; i < scrape.grown.size(); ++i) scrape.grown[i] += meter.grown()[i];
    if (reading == nullptr) continue;
    scrape.asked = reading->asked;
    if (reading->usage_pct) {
      scrape.usage_sum_pct += *reading->usage_pct;
      ++scrape.engines;
    }
    raise_to(scrape.usage_peak_pct, reading->usage_pct);
    add_to(scrape.tokens_used, reading->tokens_used);
    add_to(scrape.running, reading->running);
    add_to(scrape.waiting, reading->waiting);
  }
  for (std::size_t i = 0; i < known_.size(); ++i) known_[i] = known_[i] || meter.knows(i);
}

std::size_t ServerWindows::first_after(Timestamp time) const {
  const auto at = std::upper_bound(
      scrapes_.begin(), scrapes_.end(), time,
      [](Timestamp value, const ServerScrape& scrape) { return value < scrape.timestamp; });
  return static_cast<std::size_t>(at - scrapes_.begin());
}

const ServerScrape* ServerWindows::last_by(Timestamp time) const {
  const auto after = first_after(time);
  return after == 0 ? nullptr : &scrapes_[after - 1];
}

const ServerScrape* ServerWindows::first_from(Timestamp time) const {
  const auto at = first_after(time - std::chrono::microseconds(1));
  return at == scrapes_.size() ? nullptr : &scrapes_[at];
}

CounterTotals ServerWindows::growth(const ServerScrape& begin, const ServerScrape& end) const {
  std::array<std::optional<std::int64_t>, 5> grown;
  for (std::size_t i = 0; i < grown.size(); ++i) {
    if (known_[i]) grown[i] = end.grown[i] - begin.grown[i];
  }
  return {grown[0], grown[1], grown[2], grown[3], grown[4]};
}

KvWindow ServerWindows::gauges(const PartTime& part) const {
  KvWindow window;
  Mean usage;
  const auto end = first_after(part.last_end);
  for (auto i = first_after(part.first_start - std::chrono::microseconds(1)); i < end; ++i) {
    const auto& scrape = scrapes_[i];
    ++window.scrapes;
    if (scrape.engines > 0) {
      usage.add(scrape.usage_sum_pct / static_cast<double>(scrape.engines));
    }
    raise_to(window.usage_peak_pct, scrape.usage_peak_pct);
    raise_to(window.tokens_peak, scrape.tokens_used);
    raise_to(window.running_peak, scrape.running);
    raise_to(window.waiting_peak, scrape.waiting);
  }
  window.usage_mean_pct = usage.value();
  return window;
}

std::vector<KvWindow> ServerWindows::attribute(const std::vector<PartTime>& parts) const {
  std::vector<KvWindow> windows(parts.size());
  if (scrapes_.empty()) return windows;
  std::vector<std::size_t> order(parts.size());
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return parts[a].first_start < parts[b].first_start;
  });
  // What stands between a part and those before it; none: nothing that both were over for.
  const ServerScrape* before = nullptr;
  std::optional<Timestamp> busy_until;
  for (std::size_t i = 0; i < order.size(); ++i) {
    const PartTime& part = parts[order[i]];
    const bool last = i + 1 == order.size();
    const auto next_start = last ? Timestamp::max() : parts[order[i + 1]].first_start;
    before = last_by(part.first_start);
    if (before != nullptr && busy_until && before->asked < *busy_until) before = nullptr;
    const bool alone =
        (!busy_until || *busy_until <= part.first_start) && part.last_end <= next_start;
    busy_until = std::max(busy_until.value_or(part.last_end), part.last_end);
    if (!alone) continue;
    KvWindow& window = windows[order[i]];
    window = gauges(part);
    const auto* end = last_by(next_start);
    if (before == nullptr || end == nullptr || end->asked < part.last_end) continue;
    set_counters(growth(*before, *end), window);
  }
  return windows;
}

void set_counters(const CounterTotals& growth, KvWindow& window) {
  window.preemptions = growth.preemptions_total;
  window.prefix_queries = growth.prefix_cache_queries_total;
  window.prefix_hits = growth.prefix_cache_hits_total;
  const auto queries = window.prefix_queries.value_or(0);
  if (queries > 0 && window.prefix_hits) {
    window.prefix_hit_pct =
        100 * static_cast<double>(*window.prefix_hits) / static_cast<double>(queries);
  }
}

}  // namespace memprof::analysis
