#pragma once

#include "simulator/block_hash.hpp"

#include <boost/unordered/unordered_flat_map.hpp>

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace memprof::simulator {

using BlockId = std::int32_t;

/// The KV blocks of one engine and the prefix cache over them, by the rules of vLLM 0.32's block
/// pool: block 0 is the null block, which nobody gets; free blocks stand in a queue and are taken
/// from its front; a free block keeps its hash, and can be hit, until it is taken.
class BlockPool {
 public:
  /// `num_blocks` ≥ 2, the null block included.
  explicit BlockPool(std::int64_t num_blocks);

  /// All but the null block.
  [[nodiscard]] std::int64_t usable() const { return static_cast<std::int64_t>(blocks_.size()) - 1; }
  [[nodiscard]] std::int64_t free_blocks() const { return free_; }
  [[nodiscard]] double usage() const {
    return 1.0 - static_cast<double>(free_) / static_cast<double>(usable());
  }

  /// The block with this hash; of several copies the one that has had it longest.
  [[nodiscard]] std::optional<BlockId> find(BlockHash hash) const;
  [[nodiscard]] bool is_free(BlockId block) const { return blocks_[index(block)].users == 0; }

  /// One more user of a block that was found.
  void share(BlockId block);
  /// The block at the queue's front, for one user; what it had cached is evicted. There must be a
  /// free one.
  BlockId take();
  /// A full block can be found from now on. Copies are not merged.
  void publish(BlockId block, BlockHash hash);
  /// One user less of each, from the last to the first: what nobody uses any more goes to the
  /// queue's end when it can still be hit, else to its front.
  void release(std::span<const BlockId> blocks);

  /// Blocks that lost what they had cached.
  [[nodiscard]] std::int64_t evictions() const { return evictions_; }
  /// The free queue, front first; for tests.
  [[nodiscard]] std::vector<BlockId> free_queue() const;

 private:
  struct Block {
    BlockId before = 0;  ///< in the free queue; block 0 stands for both ends
    BlockId after = 0;
    std::int32_t users = 0;
    BlockId older_copy = 0;  ///< of the same hash; 0: none
    BlockId newer_copy = 0;
    BlockHash hash = 0;  ///< 0: none
  };
  struct Copies {
    BlockId oldest = 0;
    BlockId newest = 0;
  };

  static std::size_t index(BlockId block) { return static_cast<std::size_t>(block); }
  void unlink(BlockId block);
  void insert_after(BlockId place, BlockId block);
  void forget_hash(BlockId block);

  std::vector<Block> blocks_;
  boost::unordered_flat_map<BlockHash, Copies> cached_;
  std::int64_t free_ = 0;
  std::int64_t evictions_ = 0;
};

}  // namespace memprof::simulator
