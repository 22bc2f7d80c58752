#pragma once

#include "records/units.hpp"

#include <cstdint>

namespace memprof::simulator {

/// What an engine publishes once per step, after the step's outputs were taken in; nothing moves
/// between steps. The meaning of each, and when it moves, are vLLM 0.32's.
struct EngineCounters {
  std::int64_t requests_running = 0;
  std::int64_t requests_waiting = 0;  ///< preempted ones too
  double kv_cache_usage = 0;          ///< 0–1, of all blocks but the null block
  std::int64_t prefix_cache_queries = 0;  ///< tokens; at the first admission
  std::int64_t prefix_cache_hits = 0;     ///< tokens
  std::int64_t preemptions = 0;           ///< with the victim's next token
  std::int64_t prompt_tokens = 0;         ///< with the first token, cached ones too
  std::int64_t prompt_tokens_cached = 0;  ///< of these
  std::int64_t generation_tokens = 0;
};

/// A request that ended by itself, as vLLM's per-request histograms see it. Times are the
/// simulation's own seconds.
struct FinishedRequest {
  Tokens prompt_tokens = 0;
  Tokens cached_tokens = 0;  ///< at its first admission
  Tokens generation_tokens = 0;
  Tokens max_tokens = 0;
  std::int64_t preemptions = 0;
  Seconds arrived = 0;
  Seconds first_scheduled = 0;
  Seconds first_token = 0;
  Seconds last_token = 0;
  bool stopped = false;  ///< finish_reason "stop", else "length"
};

}  // namespace memprof::simulator
