#pragma once

#include "simulator/engine_counters.hpp"
#include "simulator/request.hpp"

#include <boost/unordered/unordered_flat_map.hpp>

#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

namespace memprof::simulator {

/// vLLM 0.32's settings of the same names, with its defaults where they do not depend on the GPU.
struct EngineConfig {
  std::int64_t num_gpu_blocks = 2;  ///< the null block included
  std::int64_t block_size = 16;     ///< tokens
  std::int64_t max_num_seqs = 256;
  Tokens max_num_batched_tokens = 2048;
  Tokens max_model_len = 4096;
  bool enable_prefix_caching = true;
  bool scheduler_reserve_full_isl = true;
  double watermark = 0;                   ///< share of the blocks
  Tokens long_prefill_token_threshold = 0;  ///< 0: none
  bool async_scheduling = true;
};

/// A request's part in a step.
struct Planned {
  RequestId id = 0;
  Tokens tokens = 0;
  bool samples = false;  ///< a token comes of it
};

/// One forward pass over a batch. Counts are as vLLM logs an iteration: a resumed request is
/// generation, however many of its tokens are computed again.
struct Step {
  std::vector<Planned> planned;
  std::int64_t context_requests = 0;
  Tokens context_tokens = 0;
  std::int64_t generation_requests = 0;
  Tokens generation_tokens = 0;
  Tokens prefill_tokens = 0;  ///< all but those of decoding, recomputed ones too
  Tokens kv_tokens = 0;       ///< in the KV cache of the batch, after the step

  [[nodiscard]] bool empty() const { return planned.empty(); }
  [[nodiscard]] Tokens tokens() const { return context_tokens + generation_tokens; }
};

/// What a model says next, and whether the answer ends with it.
struct Sampled {
  TokenId token = 0;
  bool stop = false;
};

/// A token as it reaches the client.
struct Output {
  RequestId id = 0;
  TokenId token = 0;
  bool finished = false;
  FinishedRequest record;  ///< when finished; first_token and last_token also before
};

/// Which requests compute how many tokens in a step, and in which blocks: the rules of vLLM 0.32's
/// V1 scheduler for full attention, one engine, first come first served. No clock: `now` is the
/// simulation's time in seconds, kept with the requests and used for nothing else.
class Scheduler {
 public:
  explicit Scheduler(const EngineConfig& config);

  RequestId add(NewRequest request, Seconds now);
  /// Its blocks are free at once. False when it is not there (any more).
  bool abort(RequestId id);
  /// The next step; empty when nothing can be computed.
  Step plan(Seconds now);
  /// The step's tokens: `model(id)` → Sampled is asked for each.
  template <class Model>
  void take(const Step& step, Model&& model, Seconds now, std::vector<Output>& outputs) {
    for (const auto& planned : step.planned) {
      if (!planned.samples) continue;
      Request* request = find(planned.id);
      if (request != nullptr) outputs.push_back(append(*request, model(planned.id), now));
    }
    publish_counters();
  }

  [[nodiscard]] bool has_requests() const { return !requests_.empty(); }
  [[nodiscard]] std::int64_t running() const { return static_cast<std::int64_t>(running_.size()); }
  [[nodiscard]] std::int64_t waiting() const { return static_cast<std::int64_t>(waiting_.size()); }
  /// As of the last step that was taken in.
  [[nodiscard]] const EngineCounters& counters() const { return counters_; }
  [[nodiscard]] const BlockPool& pool() const { return pool_; }
  /// Preemptions so far; the published counter moves later.
  [[nodiscard]] std::int64_t preemptions() const { return preemptions_; }

 private:
  Request* find(RequestId id);
  void plan_running(Step& step, Tokens& budget);
  void plan_waiting(Step& step, Tokens& budget, Seconds now);
  bool admit_first(Step& step, Tokens& budget, Seconds now);
  [[nodiscard]] Tokens wanted(const Request& request, Tokens budget) const;
  [[nodiscard]] Tokens limit_long_prefill(Tokens tokens) const;
  [[nodiscard]] bool is_last_token_under_way(const Request& request) const;
  /// Makes room by preempting the last of the running; false when that was `request` itself.
  bool make_room(Request& request, std::int64_t need);
  void preempt_last();
  void grow(Request& request, std::int64_t need);
  void plan_tokens(Step& step, Request& request, Tokens tokens);
  std::vector<BlockId> find_hits(Request& request);
  /// Gives hashes to its full blocks up to this many tokens.
  void publish(Request& request, Tokens through);
  void hash_blocks(Request& request, std::int64_t count);
  Output append(Request& request, Sampled sampled, Seconds now);
  void free_blocks(Request& request);
  void remove(Request& request);
  void publish_counters();
  [[nodiscard]] std::int64_t blocks_for(Tokens tokens) const {
    return (tokens + config_.block_size - 1) / config_.block_size;
  }

  EngineConfig config_;
  BlockPool pool_;
  boost::unordered_flat_map<RequestId, std::unique_ptr<Request>> requests_;
  std::vector<Request*> running_;  ///< in order of admission
  std::deque<Request*> waiting_;
  RequestId next_id_ = 1;
  EngineCounters counters_;  ///< published
  EngineCounters totals_;    ///< counted so far
  std::int64_t preemptions_ = 0;
};

}  // namespace memprof::simulator
