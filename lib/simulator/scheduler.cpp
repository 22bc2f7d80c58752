#include "simulator/scheduler.hpp"

#include <algorithm>
#include <cmath>
#include <span>
#include <utility>

namespace memprof::simulator {

Scheduler::Scheduler(const EngineConfig& config) : config_(config), pool_(config.num_gpu_blocks) {}

RequestId Scheduler::add(NewRequest request, Seconds now) {
  auto added = std::make_unique<Request>();
  added->id = next_id_++;
  added->prompt_tokens = static_cast<Tokens>(request.prompt.size());
  added->tokens = std::move(request.prompt);
  added->max_tokens = request.max_tokens;
  added->root = root_hash(request.cache_salt);
  added->arrived = now;
  waiting_.push_back(added.get());
  const auto id = added->id;
  requests_.emplace(id, std::move(added));
  return id;
}

bool Scheduler::abort(RequestId id) {
  Request* request = find(id);
  if (request == nullptr) return false;
  remove(*request);
  return true;
}

Step Scheduler::plan(Seconds now) {
  Step step;
  Tokens budget = config_.max_num_batched_tokens;
  const auto before = preemptions_;
  plan_running(step, budget);
  if (preemptions_ == before) plan_waiting(step, budget, now);
  return step;
}

void Scheduler::plan_running(Step& step, Tokens& budget) {
  for (std::size_t i = 0; i < running_.size() && budget > 0; ++i) {
    Request& request = *running_[i];
    if (is_last_token_under_way(request)) continue;
    const auto tokens = wanted(request, budget);
    if (tokens <= 0) continue;
    const auto need = std::max<std::int64_t>(
        0, blocks_for(request.computed + tokens) -
               static_cast<std::int64_t>(request.blocks.size()));
    if (!make_room(request, need)) return;
    grow(request, need);
    plan_tokens(step, request, tokens);
    budget -= tokens;
  }
}

void Scheduler::plan_waiting(Step& step, Tokens& budget, Seconds now) {
  while (!waiting_.empty() && budget > 0 && running() < config_.max_num_seqs) {
    if (!admit_first(step, budget, now)) return;
  }
}

bool Scheduler::admit_first(Step& step, Tokens& budget, Seconds now) {
  Request& request = *waiting_.front();
  const auto hits = find_hits(request);
  const auto hit_blocks = static_cast<std::int64_t>(hits.size());
  const auto hit_tokens = hit_blocks * config_.block_size;
  // Hits that lie in the free queue leave it, so they are room that is not there.
  const auto idle = std::count_if(hits.begin(), hits.end(),
                                  [&](BlockId block) { return pool_.is_free(block); });
  const auto kept_free =
      running_.empty() ? 0
                       : static_cast<std::int64_t>(std::floor(
                             config_.watermark * static_cast<double>(config_.num_gpu_blocks)));
  const auto room = pool_.free_blocks() - idle - kept_free;
  if (config_.scheduler_reserve_full_isl && blocks_for(request.known()) - hit_blocks > room) {
    return false;
  }
  const auto tokens = std::min(limit_long_prefill(request.known() - hit_tokens), budget);
  const auto need = std::max<std::int64_t>(0, blocks_for(hit_tokens + tokens) - hit_blocks);
  if (need > room) return false;

  waiting_.pop_front();
  if (!request.admitted) {
    request.admitted = true;
    request.cached_tokens = hit_tokens;
    request.first_scheduled = now;
    if (config_.enable_prefix_caching) totals_.prefix_cache_queries += request.known();
    totals_.prefix_cache_hits += hit_tokens;
  }
  request.status = Request::Status::running;
  for (const auto block : hits) pool_.share(block);
  request.blocks = hits;
  request.published = hit_blocks;
  request.computed = hit_tokens;
  running_.push_back(&request);
  grow(request, need);
  plan_tokens(step, request, tokens);
  budget -= tokens;
  return true;
}

Tokens Scheduler::wanted(const Request& request, Tokens budget) const {
  const auto left = request.known() + request.in_flight - request.computed;
  return std::min({limit_long_prefill(left), budget,
                   config_.max_model_len - request.computed - 1});
}

Tokens Scheduler::limit_long_prefill(Tokens tokens) const {
  const bool alone = running() + waiting() == 1;
  if (config_.long_prefill_token_threshold <= 0 || alone) return tokens;
  return std::min(tokens, config_.long_prefill_token_threshold);
}

bool Scheduler::is_last_token_under_way(const Request& request) const {
  return request.in_flight > 0 && request.computed + 2 - request.in_flight >=
                                      request.prompt_tokens + request.max_tokens;
}

bool Scheduler::make_room(Request& request, std::int64_t need) {
  while (need > pool_.free_blocks()) {
    const bool itself = running_.back() == &request;
    preempt_last();
    if (itself) return false;
  }
  return true;
}

void Scheduler::preempt_last() {
  Request& victim = *running_.back();
  running_.pop_back();
  free_blocks(victim);
  victim.computed = 0;
  victim.in_flight = 0;
  victim.status = Request::Status::preempted;
  ++victim.preemptions;
  ++preemptions_;
  waiting_.push_front(&victim);
}

void Scheduler::grow(Request& request, std::int64_t need) {
  for (std::int64_t i = 0; i < need; ++i) request.blocks.push_back(pool_.take());
}

void Scheduler::plan_tokens(Step& step, Request& request, Tokens tokens) {
  const bool decoding = request.outputs() + request.in_flight > 0;
  request.computed += tokens;
  publish(request, std::min(request.computed, request.known()));
  const bool samples = request.computed >= request.known() + request.in_flight;
  if (samples && config_.async_scheduling) ++request.in_flight;
  step.planned.push_back({request.id, tokens, samples});
  (decoding ? step.generation_requests : step.context_requests) += 1;
  (decoding ? step.generation_tokens : step.context_tokens) += tokens;
  if (!decoding || tokens > 1) step.prefill_tokens += tokens;
  step.kv_tokens += request.computed;
}

std::vector<BlockId> Scheduler::find_hits(Request& request) {
  std::vector<BlockId> hits;
  if (!config_.enable_prefix_caching) return hits;
  const auto most = (request.known() - 1) / config_.block_size;
  for (std::int64_t i = 0; i < most; ++i) {
    hash_blocks(request, i + 1);
    const auto block = pool_.find(request.hashes[static_cast<std::size_t>(i)]);
    if (!block) break;
    hits.push_back(*block);
  }
  return hits;
}

void Scheduler::publish(Request& request, Tokens through) {
  if (!config_.enable_prefix_caching) return;
  // Most tokens fill no block: they are told by a product, which costs less than a quotient.
  if (through < (request.published + 1) * config_.block_size) return;
  const auto full = through / config_.block_size;
  hash_blocks(request, full);
  for (; request.published < full; ++request.published) {
    const auto i = static_cast<std::size_t>(request.published);
    pool_.publish(request.blocks[i], request.hashes[i]);
  }
}

void Scheduler::hash_blocks(Request& request, std::int64_t count) {
  const auto size = static_cast<std::size_t>(config_.block_size);
  const std::span<const TokenId> tokens = request.tokens;
  while (static_cast<std::int64_t>(request.hashes.size()) < count) {
    const auto parent = request.hashes.empty() ? request.root : request.hashes.back();
    request.hashes.push_back(
        block_hash(parent, tokens.subspan(request.hashes.size() * size, size)));
  }
}

Output Scheduler::append(Request& request, Sampled sampled, Seconds now) {
  if (request.outputs() == 0) {
    request.first_token = now;
    totals_.prompt_tokens += request.prompt_tokens;
    totals_.prompt_tokens_cached += request.cached_tokens;
  }
  ++totals_.generation_tokens;
  totals_.preemptions += request.preemptions - request.preemptions_counted;
  request.preemptions_counted = request.preemptions;
  request.tokens.push_back(sampled.token);
  if (request.in_flight > 0) {
    --request.in_flight;
    publish(request, request.computed - request.in_flight);
  }
  const bool full = request.outputs() >= request.max_tokens ||
                    request.known() >= config_.max_model_len;
  Output output{request.id, sampled.token, full || sampled.stop, {}};
  output.record = {request.prompt_tokens, request.cached_tokens, request.outputs(),
                   request.max_tokens, request.preemptions, request.arrived,
                   request.first_scheduled, request.first_token, now, sampled.stop};
  if (output.finished) remove(request);
  return output;
}

void Scheduler::free_blocks(Request& request) {
  pool_.release(request.blocks);
  request.blocks.clear();
  request.published = 0;
}

void Scheduler::remove(Request& request) {
  free_blocks(request);
  if (request.status == Request::Status::running) {
    running_.erase(std::find(running_.begin(), running_.end(), &request));
  } else {
    waiting_.erase(std::find(waiting_.begin(), waiting_.end(), &request));
  }
  requests_.erase(request.id);
}

void Scheduler::publish_counters() {
  counters_ = totals_;
  counters_.requests_running = running();
  counters_.requests_waiting = waiting();
  counters_.kv_cache_usage = pool_.usage();
}

Request* Scheduler::find(RequestId id) {
  const auto at = requests_.find(id);
  return at == requests_.end() ? nullptr : at->second.get();
}

}  // namespace memprof::simulator
