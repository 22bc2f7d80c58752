#include "analysis/kv_demand.hpp"

#include <algorithm>
#include <cmath>
#include <map>

namespace memprof::analysis {

double prefix_share(const Manifest& manifest) {
  const auto* option = manifest.options.if_contains("high_prefix_share");
  return option != nullptr && option->is_number() ? option->to_number<double>()
                                                  : WorkloadSpec{}.high_prefix_share;
}

Tokens prompt_tokens(const RequestTraceRow& row) {
  return row.prompt_tokens.value_or(row.input_len);
}

Tokens shared_tokens(const RequestTraceRow& row, double share) {
  if (row.prefix_mode != PrefixMode::high) return 0;
  const auto tokens = static_cast<double>(std::min(prompt_tokens(row), row.input_len));
  return std::llround(share * tokens);
}

Tokens held_tokens(const RequestTraceRow& row) {
  return std::max<Tokens>(
      0, prompt_tokens(row) + row.completion_tokens.value_or(row.output_len) - 1);
}

KvDemand kv_demand(const std::vector<const RequestTraceRow*>& rows, std::int64_t in_flight,
                   const KvCapacity& capacity, double share, const KvWindow& window) {
  KvDemand demand;
  demand.measured_tokens = window.tokens_peak;
  const auto block = capacity.block_size.value_or(0);
  if (block <= 0) return demand;

  struct Blocks {
    std::int64_t own;
    std::int64_t shared;
    Tokens length;  ///< of those that share
  };
  std::vector<Blocks> requests;
  for (const auto* row : rows) {
    // What the server refused held nothing.
    if (!row->start_ts || row->status.starts_with("error:http")) continue;
    const auto shared = shared_tokens(*row, share) / block;
    requests.push_back({(held_tokens(*row) + block - 1) / block - shared, shared, row->input_len});
  }
  const auto count = std::min<std::size_t>(requests.size(), static_cast<std::size_t>(in_flight));
  if (count == 0) return demand;
  const auto cut = requests.begin() + static_cast<std::ptrdiff_t>(count);
  std::partial_sort(requests.begin(), cut, requests.end(), [](const Blocks& a, const Blocks& b) {
    return a.own + a.shared > b.own + b.shared;
  });
  std::int64_t blocks = 0;
  struct Shared {
    std::int64_t blocks = 0;
    std::int64_t requests = 0;
  };
  std::map<Tokens, Shared> prefixes;
  for (auto each = requests.begin(); each != cut; ++each) {
    blocks += each->own;
    Shared& prefix = prefixes[each->length];
    prefix.blocks = std::max(prefix.blocks, each->shared);
    ++prefix.requests;
  }
  for (const auto& [length, prefix] : prefixes) {
    blocks += prefix.blocks * std::min(prefix.requests, capacity.engines);
  }
  demand.predicted_tokens = blocks * block;
  if (const auto usable = capacity.usable(); usable && *usable > 0) {
    demand.predicted_pct = 100 * static_cast<double>(*demand.predicted_tokens) /
                           static_cast<double>(*usable);
  }
  if (demand.measured_tokens) {
    demand.residual_tokens = *demand.measured_tokens - *demand.predicted_tokens;
  }
  return demand;
}

}  // namespace memprof::analysis
