#pragma once

#include "records/manifest.hpp"
#include "records/request_trace.hpp"
#include "records/summary.hpp"

#include <cstdint>
#include <optional>
#include <vector>

namespace memprof::analysis {

/// A server's KV cache, as far as it is known.
struct KvCapacity {
  std::optional<Tokens> tokens_total;      ///< all engines together, null blocks included
  std::optional<std::int64_t> block_size;  ///< tokens
  std::int64_t engines = 1;

  /// What requests can hold: all but each engine's null block.
  [[nodiscard]] std::optional<Tokens> usable() const {
    if (!tokens_total) return std::nullopt;
    return *tokens_total - block_size.value_or(0) * engines;
  }
};

/// Part of a `high` prompt that all of its length share: 0–1.
double prefix_share(const Manifest& manifest);
/// Tokens at a prompt's start that it shares with all `high` prompts of its length; 0 for others.
Tokens shared_tokens(const RequestTraceRow& row, double share);
/// Tokens that the request's KV cache holds at its last token; the last one's is never written.
Tokens held_tokens(const RequestTraceRow& row);
/// As asked for, where the server did not count.
Tokens prompt_tokens(const RequestTraceRow& row);

/// The demand of `rows` with `in_flight` of them at once, against the peak of `window`.
KvDemand kv_demand(const std::vector<const RequestTraceRow*>& rows, std::int64_t in_flight,
                   const KvCapacity& capacity, double share, const KvWindow& window);

}  // namespace memprof::analysis
