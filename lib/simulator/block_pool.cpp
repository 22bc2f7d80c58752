#include "simulator/block_pool.hpp"

namespace memprof::simulator {

BlockPool::BlockPool(std::int64_t num_blocks) : blocks_(static_cast<std::size_t>(num_blocks)) {
  const auto last = static_cast<BlockId>(num_blocks - 1);
  for (BlockId block = 0; block <= last; ++block) {
    blocks_[index(block)].before = block == 0 ? last : block - 1;
    blocks_[index(block)].after = block == last ? 0 : block + 1;
  }
  blocks_[0].users = 1;
  free_ = usable();
}

std::optional<BlockId> BlockPool::find(BlockHash hash) const {
  const auto at = cached_.find(hash);
  if (at == cached_.end()) return {};
  return at->second.oldest;
}

void BlockPool::share(BlockId block) {
  if (blocks_[index(block)].users++ == 0) unlink(block);
}

BlockId BlockPool::take() {
  const BlockId block = blocks_[0].after;
  unlink(block);
  blocks_[index(block)].users = 1;
  if (blocks_[index(block)].hash != 0) {
    forget_hash(block);
    ++evictions_;
  }
  return block;
}

void BlockPool::publish(BlockId block, BlockHash hash) {
  Block& state = blocks_[index(block)];
  const auto [at, is_first] = cached_.try_emplace(hash, Copies{block, block});
  state.hash = hash;
  state.older_copy = 0;
  state.newer_copy = 0;
  if (is_first) return;
  state.older_copy = at->second.newest;
  blocks_[index(at->second.newest)].newer_copy = block;
  at->second.newest = block;
}

void BlockPool::release(std::span<const BlockId> blocks) {
  // Those without a hash are put to the front in the order in which they come up: the last block
  // of the request is then the very first.
  BlockId place = 0;
  for (auto at = blocks.rbegin(); at != blocks.rend(); ++at) {
    Block& state = blocks_[index(*at)];
    if (--state.users > 0) continue;
    if (state.hash != 0) {
      insert_after(blocks_[0].before, *at);
    } else {
      insert_after(place, *at);
      place = *at;
    }
  }
}

std::vector<BlockId> BlockPool::free_queue() const {
  std::vector<BlockId> queue;
  for (BlockId block = blocks_[0].after; block != 0; block = blocks_[index(block)].after) {
    queue.push_back(block);
  }
  return queue;
}

void BlockPool::unlink(BlockId block) {
  const Block& state = blocks_[index(block)];
  blocks_[index(state.before)].after = state.after;
  blocks_[index(state.after)].before = state.before;
  --free_;
}

void BlockPool::insert_after(BlockId place, BlockId block) {
  Block& state = blocks_[index(block)];
  state.before = place;
  state.after = blocks_[index(place)].after;
  blocks_[index(state.after)].before = block;
  blocks_[index(place)].after = block;
  ++free_;
}

void BlockPool::forget_hash(BlockId block) {
  Block& state = blocks_[index(block)];
  if (state.older_copy == 0 && state.newer_copy == 0) {
    cached_.erase(state.hash);
  } else {
    Copies& copies = cached_.at(state.hash);
    (state.older_copy == 0 ? copies.oldest : blocks_[index(state.older_copy)].newer_copy) =
        state.newer_copy;
    (state.newer_copy == 0 ? copies.newest : blocks_[index(state.newer_copy)].older_copy) =
        state.older_copy;
  }
  state.hash = 0;
  state.older_copy = 0;
  state.newer_copy = 0;
}

}  // namespace memprof::simulator
