// What the recorded cases do not show: answers that end before max_tokens, the context's end.
#include "simulator/engine.hpp"

#include <gtest/gtest.h>

namespace memprof::simulator {
namespace {

EngineConfig small(bool asynchronous) {
  EngineConfig config;
  config.num_gpu_blocks = 20;
  config.block_size = 4;
  config.max_model_len = 64;
  config.async_scheduling = asynchronous;
  return config;
}

std::vector<Output> run(Engine& engine, int stop_after) {
  std::vector<Output> outputs;
  int sampled = 0;
  double now = 1;
  while (!engine.idle()) {
    while (engine.plan(now) != nullptr) {
    }
    now += 1;
    engine.take([&](RequestId) { return Sampled{5, ++sampled == stop_after}; }, now, outputs);
  }
  return outputs;
}

class Scheduling : public testing::TestWithParam<bool> {};

TEST_P(Scheduling, StopsWhereTheModelStops) {
  Engine engine(small(GetParam()));
  engine.add({{1, 2, 3}, 10, ""}, 0.5);
  const auto outputs = run(engine, 4);
  ASSERT_EQ(outputs.size(), 4u);
  EXPECT_TRUE(outputs.back().finished);
  EXPECT_TRUE(outputs.back().record.stopped);
  EXPECT_EQ(outputs.back().record.generation_tokens, 4);
  EXPECT_EQ(outputs.back().record.arrived, 0.5);
  EXPECT_EQ(outputs.back().record.first_scheduled, 1);
  EXPECT_EQ(outputs.back().record.first_token, 2);
  EXPECT_EQ(engine.scheduler().pool().free_blocks(), 19);
  EXPECT_EQ(engine.counters().generation_tokens, 4);
  EXPECT_EQ(engine.counters().requests_running, 0);
}

TEST_P(Scheduling, EndsAtTheContextsEnd) {
  Engine engine(small(GetParam()));
  engine.add({std::vector<TokenId>(60, 1), 10, ""}, 0);
  const auto outputs = run(engine, 0);
  EXPECT_EQ(outputs.size(), 4u);
  EXPECT_TRUE(outputs.back().finished);
  EXPECT_FALSE(outputs.back().record.stopped);
}

TEST_P(Scheduling, ForgetsWhatIsAborted) {
  Engine engine(small(GetParam()));
  const auto id = engine.add({std::vector<TokenId>(30, 1), 10, ""}, 0);
  while (engine.plan(0) != nullptr) {
  }
  EXPECT_TRUE(engine.abort(id));
  EXPECT_FALSE(engine.abort(id));
  EXPECT_TRUE(run(engine, 0).empty());
  EXPECT_EQ(engine.scheduler().pool().free_blocks(), 19);
}

TEST_P(Scheduling, KeepsNothingFreeForARequestThatIsAlone) {
  auto config = small(GetParam());
  config.watermark = 0.5;
  Engine engine(config);
  engine.add({std::vector<TokenId>(60, 1), 1, ""}, 0);  // 15 of 19 blocks
  engine.add({std::vector<TokenId>(4, 2), 1, ""}, 0);
  ASSERT_NE(engine.plan(0), nullptr);
  EXPECT_EQ(engine.scheduler().running(), 1);
  EXPECT_EQ(engine.scheduler().waiting(), 1);
  EXPECT_EQ(run(engine, 0).size(), 2u);
}

INSTANTIATE_TEST_SUITE_P(Modes, Scheduling, testing::Bool());

}  // namespace
}  // namespace memprof::simulator
