#include "server_metrics/history.hpp"

#include <boost/mp11.hpp>

#include <algorithm>
#include <cmath>
#include <string>

namespace memprof::server_metrics {
namespace {

/// A whole number that a double holds exactly.
std::optional<std::int64_t> whole(std::optional<double> value) {
  if (!value || *value < 0 || *value > 9e15) return {};
  return std::llround(*value);
}

/// 0–1 as 0–100, without the digits that are the multiplication's own.
Percent percent(double usage) { return std::round(usage * 1e8) / 1e6; }

ServerMetricsRow row_of(const EngineReading& reading, const Capacity& capacity) {
  ServerMetricsRow row;
  row.engine = reading.engine;
  row.kv_tokens_total = capacity.tokens;
  const auto usage = reading.value(Quantity::kv_usage);
  if (usage && *usage >= 0 && *usage <= 1) {
    row.kv_cache_usage_pct = percent(*usage);
    row.kv_tokens_used = tokens_in_use(capacity, *usage);
  }
  row.requests_running = whole(reading.value(Quantity::requests_running));
  row.requests_waiting = whole(reading.value(Quantity::requests_waiting));
  row.preemptions_total = whole(reading.value(Quantity::preemptions));
  row.prefix_cache_queries_total = whole(reading.value(Quantity::prefix_cache_queries));
  row.prefix_cache_hits_total = whole(reading.value(Quantity::prefix_cache_hits));
  row.prompt_tokens_total = whole(reading.value(Quantity::prompt_tokens));
  row.generation_tokens_total = whole(reading.value(Quantity::generation_tokens));
  return row;
}

CounterTotals totals_of(const ServerMetricsRow& row) {
  return {row.preemptions_total, row.prefix_cache_queries_total, row.prefix_cache_hits_total,
          row.prompt_tokens_total, row.generation_tokens_total};
}

/// Calls f(now, before) for each counter.
template <class F>
void for_each_counter(const CounterTotals& now, CounterTotals& before, F&& f) {
  using Members =
      boost::describe::describe_members<CounterTotals, boost::describe::mod_public>;
  boost::mp11::mp_for_each<Members>(
      [&](auto member) { f(now.*member.pointer, before.*member.pointer); });
}

bool has_fallen(const CounterTotals& now, CounterTotals& before) {
  bool fallen = false;
  for_each_counter(now, before, [&](const auto& value, const auto& last) {
    fallen = fallen || (value && last && *value < *last);
  });
  return fallen;
}

/// vLLM's counters of the prefix cache count tokens since 0.9.0 and counted blocks before, under
/// the same names. In tokens, as many are queried as prompts have.
std::optional<std::string> prefix_cache_unit(const ServerEngine& engine, bool surely_tokens) {
  if (surely_tokens) return "tokens";
  const auto queries = engine.last.prefix_cache_queries_total;
  const auto prompts = engine.last.prompt_tokens_total;
  if (!queries || !prompts || *queries == 0) return {};
  return *queries * 2 < *prompts ? "blocks" : "tokens";
}

}  // namespace

std::span<const ServerMetricsRow> History::take(const Scrape& scrape, Timestamp came_back,
                                                Milliseconds scrape_ms) {
  ++scrapes_;
  broken_lines_ += scrape.broken_lines;
  largest_scrape_ms_ = std::max(largest_scrape_ms_.value_or(0), scrape_ms);
  just_restarted_ = process_start_s_ && scrape.process_start_s &&
                    *process_start_s_ != *scrape.process_start_s;
  if (scrape.process_start_s) process_start_s_ = scrape.process_start_s;
  rows_.clear();
  for (const auto& reading : scrape.engines) {
    Engine& known = engine(reading, scrape.engines.size());
    auto& row = rows_.emplace_back(row_of(reading, known.capacity));
    row.timestamp = came_back;
    row.scrape_ms = scrape_ms;
    note_counters(known.told, reading, row);
  }
  if (just_restarted_) ++restarts_;
  return rows_;
}

History::Engine& History::engine(const EngineReading& reading, std::size_t engines) {
  auto found = std::find_if(engines_.begin(), engines_.end(), [&](const Engine& known) {
    return known.told.engine == reading.engine;
  });
  if (found == engines_.end()) {
    found = engines_.emplace(engines_.end());
    found->told.engine = reading.engine;
  }
  // Once told it holds: an answer without it says nothing new.
  if (!reading.cache_config.empty() && found->told.cache_config != reading.cache_config) {
    found->told.cache_config = reading.cache_config;
    found->capacity = capacity_of(reading, engines);
    found->told.kv_tokens_total = found->capacity.tokens;
    found->told.block_size = found->capacity.block_size;
    found->told.num_gpu_blocks = found->capacity.num_gpu_blocks;
    found->told.prefix_caching = found->capacity.prefix_caching;
  }
  return *found;
}

void History::note_counters(ServerEngine& engine, const EngineReading& reading,
                            const ServerMetricsRow& row) {
  const auto now = totals_of(row);
  if (has_fallen(now, engine.last)) {
    ++engine.resets;
    just_restarted_ = true;
  }
  const auto keep = [](bool first) {
    return [first](const auto& value, auto& kept) {
      if (value && !(first && kept)) kept = value;
    };
  };
  for_each_counter(now, engine.first, keep(true));
  for_each_counter(now, engine.last, keep(false));

  const auto queries = index_of(Quantity::prefix_cache_queries);
  const bool in_tokens =
      reading.values[queries] && families()[reading.family[queries]].in_tokens;
  engine.prefix_cache_unit = prefix_cache_unit(engine, in_tokens);
  if (!reading.values[queries] && reading.value(Quantity::prefix_hit_rate)) {
    engine.prefix_cache_unit = "rate";
  }
}

void History::fill(ServerMetricsAccount& account) const {
  account.engines.clear();
  for (const auto& known : engines_) account.engines.push_back(known.told);
  account.restarts = restarts_;
  account.scrapes = scrapes_;
  account.broken_lines = broken_lines_;
  account.largest_scrape_ms = largest_scrape_ms_;
}

}  // namespace memprof::server_metrics
