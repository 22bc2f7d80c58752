#include "simulator/block_pool.hpp"

#include <gtest/gtest.h>

namespace memprof::simulator {
namespace {

using Blocks = std::vector<BlockId>;

Blocks take(BlockPool& pool, int count) {
  Blocks blocks;
  for (int i = 0; i < count; ++i) blocks.push_back(pool.take());
  return blocks;
}

TEST(BlockPool, HandsOutAllButTheNullBlockInOrder) {
  BlockPool pool(4);
  EXPECT_EQ(pool.usable(), 3);
  EXPECT_EQ(pool.usage(), 0.0);
  EXPECT_EQ(take(pool, 3), (Blocks{1, 2, 3}));
  EXPECT_EQ(pool.free_blocks(), 0);
  EXPECT_EQ(pool.usage(), 1.0);
}

TEST(BlockPool, ReusesTheTailOfWhatIsNotCachedFirst) {
  BlockPool pool(6);
  const auto blocks = take(pool, 3);
  pool.release(blocks);
  EXPECT_EQ(pool.free_queue(), (Blocks{3, 2, 1, 4, 5}));
}

TEST(BlockPool, KeepsWhatIsCachedForLastTailBeforeHead) {
  BlockPool pool(6);
  const auto blocks = take(pool, 3);
  pool.publish(1, 11);
  pool.publish(2, 12);
  pool.release(blocks);
  EXPECT_EQ(pool.free_queue(), (Blocks{3, 4, 5, 2, 1}));
  EXPECT_EQ(pool.find(11), 1);
  EXPECT_TRUE(pool.is_free(1));
}

TEST(BlockPool, EvictsWhatItTakes) {
  BlockPool pool(3);
  const auto blocks = take(pool, 2);
  pool.publish(1, 11);
  pool.publish(2, 12);
  pool.release(blocks);
  EXPECT_EQ(pool.take(), 2);
  EXPECT_EQ(pool.evictions(), 1);
  EXPECT_FALSE(pool.find(12).has_value());
  EXPECT_EQ(pool.find(11), 1);
}

TEST(BlockPool, SharesAHit) {
  BlockPool pool(4);
  const auto blocks = take(pool, 1);
  pool.publish(1, 11);
  pool.share(1);
  pool.release(blocks);
  EXPECT_FALSE(pool.is_free(1));
  pool.release(blocks);
  EXPECT_TRUE(pool.is_free(1));
  pool.share(1);
  EXPECT_EQ(pool.free_queue(), (Blocks{2, 3}));
}

TEST(BlockPool, FindsTheOldestCopyAsCopiesComeAndGo) {
  BlockPool pool(5);
  const auto blocks = take(pool, 4);
  for (const auto block : blocks) pool.publish(block, 7);
  EXPECT_EQ(pool.find(7), 1);
  pool.release(Blocks{2});
  pool.release(Blocks{1});
  EXPECT_EQ(pool.take(), 2);  // from the middle
  EXPECT_EQ(pool.find(7), 1);
  EXPECT_EQ(pool.take(), 1);  // the oldest
  EXPECT_EQ(pool.find(7), 3);
  pool.publish(1, 7);
  pool.release(Blocks{3, 4});
  EXPECT_EQ(take(pool, 2), (Blocks{4, 3}));
  EXPECT_EQ(pool.find(7), 1);
  pool.release(Blocks{1});
  EXPECT_EQ(pool.take(), 1);
  EXPECT_FALSE(pool.find(7).has_value());
}

}  // namespace
}  // namespace memprof::simulator
