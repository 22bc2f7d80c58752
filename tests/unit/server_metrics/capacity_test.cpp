#include "server_metrics/capacity.hpp"

#include "recorded.hpp"

namespace memprof::server_metrics {
namespace {

EngineReading reading(boost::json::object config, bool labelled = true) {
  EngineReading engine;
  engine.labelled = labelled;
  engine.cache_config = std::move(config);
  return engine;
}

TEST(Capacity, OfARecordedServerCountsBlocksWithoutTheNullBlock) {
  const auto scrape = recorded("metrics_under_load_preempting");
  const auto capacity = capacity_of(scrape.engines[0], 1);
  EXPECT_EQ(capacity.tokens, 6144);
  EXPECT_EQ(capacity.block_size, 32);
  EXPECT_EQ(capacity.num_gpu_blocks, 192);
  EXPECT_EQ(capacity.usable_blocks, 191);
  EXPECT_EQ(capacity.prefix_caching, true);
  EXPECT_EQ(tokens_in_use(capacity, 0.9790575916230366), 187 * 32);
  EXPECT_EQ(tokens_in_use(capacity, 0), 0);
  EXPECT_EQ(tokens_in_use(capacity, 1), 191 * 32);
}

TEST(Capacity, EveryStepOfUsageIsAWholeNumberOfBlocks) {
  const auto scrape = recorded("metrics_idle_fresh");
  const auto capacity = capacity_of(scrape.engines[0], 1);
  for (int blocks = 0; blocks <= 191; ++blocks) {
    EXPECT_EQ(tokens_in_use(capacity, 1 - (191.0 - blocks) / 191), blocks * 32);
  }
}

TEST(Capacity, IsPerEngineThoughTheBlocksAreToldAsASum) {
  const auto scrape = recorded("metrics_dp2_one_api_under_load_2");
  const auto capacity = capacity_of(scrape.engines[1], 2);
  EXPECT_EQ(capacity.tokens, 6144);
  EXPECT_EQ(capacity.num_gpu_blocks, 384);
  EXPECT_EQ(capacity.usable_blocks, 191);
  EXPECT_EQ(tokens_in_use(capacity, *scrape.engines[1].value(Quantity::kv_usage)), 187 * 32);
}

TEST(Capacity, IsBlocksTimesSizeOnlyWithOneEngine) {
  const boost::json::object config{{"block_size", "16"}, {"num_gpu_blocks", "100"}};
  EXPECT_EQ(capacity_of(reading(config), 1).tokens, 1600);
  EXPECT_EQ(capacity_of(reading(config), 1).usable_blocks, 99);
  EXPECT_EQ(capacity_of(reading(config), 2).tokens, std::nullopt);
  EXPECT_EQ(tokens_in_use(capacity_of(reading(config), 2), 0.5), std::nullopt);
}

TEST(Capacity, OfV0HasNoNullBlock) {
  const auto capacity =
      capacity_of(reading({{"block_size", "16"}, {"num_gpu_blocks", "100"}}, false), 1);
  EXPECT_EQ(capacity.usable_blocks, std::nullopt);
  EXPECT_EQ(tokens_in_use(capacity, 0.5), 800);
}

TEST(Capacity, OfAHybridCacheIsWhatTheServerSays) {
  const auto capacity = capacity_of(reading({{"block_size", "16"},
                                             {"num_gpu_blocks", "2888"},
                                             {"kv_cache_size_tokens", "280813"},
                                             {"enable_prefix_caching", "False"}}),
                                    1);
  EXPECT_EQ(capacity.tokens, 280813);
  EXPECT_EQ(capacity.usable_blocks, std::nullopt);
  EXPECT_EQ(capacity.prefix_caching, false);
  EXPECT_EQ(tokens_in_use(capacity, 0.5), 140407);
}

TEST(Capacity, OfNonsenseIsNone) {
  for (const char* text : {"None", "", "0", "-1", "1e3", "many", "99999999999999999999"}) {
    const auto capacity = capacity_of(reading({{"block_size", text},
                                               {"num_gpu_blocks", text},
                                               {"kv_cache_size_tokens", text},
                                               {"enable_prefix_caching", text}}),
                                      1);
    EXPECT_EQ(capacity.tokens, std::nullopt) << text;
    EXPECT_EQ(capacity.block_size, std::nullopt) << text;
    EXPECT_EQ(capacity.prefix_caching, std::nullopt) << text;
  }
  EXPECT_EQ(capacity_of(reading({}), 1).tokens, std::nullopt);
}

}  // namespace
}  // namespace memprof::server_metrics
