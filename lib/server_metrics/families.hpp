#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

namespace memprof::server_metrics {

/// What a row needs to know of an engine, whatever its version calls it.
enum class Quantity : unsigned char {
  kv_usage,  ///< gauge, 0–1
  requests_running,
  requests_waiting,
  preemptions,
  prefix_cache_queries,
  prefix_cache_hits,
  prompt_tokens,
  generation_tokens,
  prefix_hit_rate,  ///< gauge of vLLM V0, which has no counters of it
  cache_config,     ///< its labels
  process_start,    ///< Unix seconds; of the process, not of an engine
};
inline constexpr std::size_t kQuantities = 11;

constexpr std::size_t index_of(Quantity quantity) { return static_cast<std::size_t>(quantity); }
constexpr bool is_counter(Quantity quantity) {
  return quantity >= Quantity::preemptions && quantity <= Quantity::generation_tokens;
}

/// A series' name in some version of vLLM. Matched whole: `_created`, `_sum` and histograms such as
/// iteration_tokens_total begin or end alike.
struct Family {
  std::string_view name;
  Quantity quantity;
  bool in_tokens = false;  ///< of prefix cache counters: certainly tokens, not blocks
};

/// Where a server has several names of one quantity, the earlier one here is taken.
std::span<const Family> families();
/// Index into families(), or none.
std::optional<std::size_t> find_family(std::string_view name);

}  // namespace memprof::server_metrics
