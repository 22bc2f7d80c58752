#pragma once

#include "records/units.hpp"
#include "simulator/block_hash.hpp"
#include "simulator/block_pool.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace memprof::simulator {

using RequestId = std::uint64_t;

struct NewRequest {
  std::vector<TokenId> prompt;  ///< at least one token, fewer than max_model_len
  Tokens max_tokens = 1;        ///< ≥ 1
  std::string cache_salt;       ///< empty: none
};

/// A request inside the scheduler.
struct Request {
  enum class Status { waiting, running, preempted };

  RequestId id = 0;
  Status status = Status::waiting;
  std::vector<TokenId> tokens;  ///< prompt, then outputs
  Tokens prompt_tokens = 0;
  Tokens max_tokens = 0;
  BlockHash root = 0;
  std::vector<BlockHash> hashes;  ///< of its full blocks, as far as they were needed
  std::vector<BlockId> blocks;
  std::int64_t published = 0;  ///< of these blocks
  Tokens computed = 0;         ///< whose KV is planned
  Tokens in_flight = 0;        ///< planned to be sampled, not yet known (asynchronous only)
  bool admitted = false;       ///< at least once
  Tokens cached_tokens = 0;    ///< hits at its first admission
  std::int64_t preemptions = 0;
  std::int64_t preemptions_counted = 0;
  Seconds arrived = 0;
  Seconds first_scheduled = 0;
  Seconds first_token = 0;

  [[nodiscard]] Tokens known() const { return static_cast<Tokens>(tokens.size()); }
  [[nodiscard]] Tokens outputs() const { return known() - prompt_tokens; }
};

}  // namespace memprof::simulator
