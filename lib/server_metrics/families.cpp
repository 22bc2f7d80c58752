#include "server_metrics/families.hpp"

#include <array>

namespace memprof::server_metrics {
namespace {

using enum Quantity;

/// vLLM ≥ 0.9.2 says kv_cache_… and prefix_cache_…, before that gpu_cache_… and gpu_prefix_cache_…
/// (both in 0.9.2–0.10). prometheus_client adds `_total` to counters, other exporters do not.
constexpr std::array kFamilies{
    Family{"vllm:kv_cache_usage_perc", kv_usage},
    Family{"vllm:gpu_cache_usage_perc", kv_usage},
    Family{"vllm:num_requests_running", requests_running},
    Family{"vllm:num_requests_waiting", requests_waiting},
    Family{"vllm:num_preemptions_total", preemptions},
    Family{"vllm:num_preemptions", preemptions},
    Family{"vllm:prefix_cache_queries_total", prefix_cache_queries, true},
    Family{"vllm:prefix_cache_queries", prefix_cache_queries, true},
    Family{"vllm:gpu_prefix_cache_queries_total", prefix_cache_queries},
    Family{"vllm:gpu_prefix_cache_queries", prefix_cache_queries},
    Family{"vllm:prefix_cache_hits_total", prefix_cache_hits, true},
    Family{"vllm:prefix_cache_hits", prefix_cache_hits, true},
    Family{"vllm:gpu_prefix_cache_hits_total", prefix_cache_hits},
    Family{"vllm:gpu_prefix_cache_hits", prefix_cache_hits},
    Family{"vllm:prompt_tokens_total", prompt_tokens},
    Family{"vllm:prompt_tokens", prompt_tokens},
    Family{"vllm:generation_tokens_total", generation_tokens},
    Family{"vllm:generation_tokens", generation_tokens},
    Family{"vllm:gpu_prefix_cache_hit_rate", prefix_hit_rate},
    Family{"vllm:cache_config_info", cache_config},
    Family{"process_start_time_seconds", process_start},
};

}  // namespace

std::span<const Family> families() { return kFamilies; }

std::optional<std::size_t> find_family(std::string_view name) {
  if (!name.starts_with("vllm:") && !name.starts_with("process_s")) return {};
  for (std::size_t i = 0; i < kFamilies.size(); ++i) {
    if (kFamilies[i].name == name) return i;
  }
  return {};
}

}  // namespace memprof::server_metrics
