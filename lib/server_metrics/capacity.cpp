#include "server_metrics/capacity.hpp"

#include "formats/number.hpp"

#include <cmath>

namespace memprof::server_metrics {
namespace {

constexpr std::int64_t kMost = 1'000'000'000'000;  // so that products stay whole

std::optional<std::string_view> text_of(const boost::json::object& config, std::string_view key) {
  const auto* value = config.if_contains(key);
  if (value == nullptr || !value->is_string()) return {};
  return std::string_view(value->get_string());
}

/// A whole number > 0; `None` is none.
std::optional<std::int64_t> number_of(const boost::json::object& config, std::string_view key) {
  const auto text = text_of(config, key);
  const auto number = text ? formats::parse_int(*text) : std::nullopt;
  return number && *number > 0 && *number < kMost ? number : std::nullopt;
}

std::optional<bool> flag_of(const boost::json::object& config, std::string_view key) {
  const auto text = text_of(config, key);
  if (text == "True") return true;
  if (text == "False") return false;
  return {};
}

}  // namespace

Capacity capacity_of(const EngineReading& reading, std::size_t engines) {
  const auto& config = reading.cache_config;
  Capacity capacity;
  capacity.tokens = number_of(config, "kv_cache_size_tokens");
  capacity.block_size = number_of(config, "block_size");
  capacity.num_gpu_blocks = number_of(config, "num_gpu_blocks");
  capacity.prefix_caching = flag_of(config, "enable_prefix_caching");
  if (!capacity.block_size || !capacity.num_gpu_blocks) return capacity;
  const double told = static_cast<double>(*capacity.block_size) *
                      static_cast<double>(*capacity.num_gpu_blocks);
  if (!capacity.tokens && engines == 1 && told < static_cast<double>(kMost)) {
    capacity.tokens = *capacity.block_size * *capacity.num_gpu_blocks;
  }
  if (!capacity.tokens || !reading.labelled) return capacity;
  const auto total = static_cast<double>(*capacity.tokens);
  const bool whole = total == told || total * static_cast<double>(engines) == told;
  const auto blocks = *capacity.tokens / *capacity.block_size;
  if (whole && blocks > 1) capacity.usable_blocks = blocks - 1;
  return capacity;
}

std::optional<Tokens> tokens_in_use(const Capacity& capacity, double usage) {
  if (!capacity.tokens) return {};
  if (capacity.usable_blocks) {
    return std::llround(usage * static_cast<double>(*capacity.usable_blocks)) *
           *capacity.block_size;
  }
  return std::llround(usage * static_cast<double>(*capacity.tokens));
}

}  // namespace memprof::server_metrics
