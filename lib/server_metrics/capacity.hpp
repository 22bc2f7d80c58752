#pragma once

#include "records/units.hpp"
#include "server_metrics/scrape.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>

namespace memprof::server_metrics {

/// An engine's KV cache, from vllm:cache_config_info.
struct Capacity {
  /// kv_cache_size_tokens (vLLM ≥ 0.23), else block_size × num_gpu_blocks where there is one
  /// engine: with several, num_gpu_blocks may be their sum.
  std::optional<Tokens> tokens;
  std::optional<std::int64_t> block_size;
  std::optional<std::int64_t> num_gpu_blocks;
  std::optional<bool> prefix_caching;
  /// Blocks that requests can hold, when `tokens` is num_gpu_blocks whole blocks: all but the null
  /// block, which V1 keeps for itself. None: hybrid caches, V0.
  std::optional<std::int64_t> usable_blocks;
};

/// `engines`: how many the server has.
Capacity capacity_of(const EngineReading& reading, std::size_t engines);

/// `usage` 0–1. In whole blocks where usable_blocks is known; none without a capacity.
std::optional<Tokens> tokens_in_use(const Capacity& capacity, double usage);

}  // namespace memprof::server_metrics
