#include "simulator/presets.hpp"

#include <gtest/gtest.h>

namespace memprof::simulator {
namespace {

constexpr double kGiB = 1024.0 * 1024.0 * 1024.0;

TEST(Presets, HaveTheModelsKvBytes) {
  EXPECT_EQ(kv_bytes_per_token(*find_preset("h100-llama-3.1-8b")), 131'072);
  EXPECT_EQ(kv_bytes_per_token(*find_preset("4xh100-llama-3.1-70b")), 81'920);
  EXPECT_EQ(find_preset("h100"), nullptr);
}

TEST(Presets, LeaveAPoolThatHoldsALongestRequest) {
  for (const auto& preset : presets()) {
    const auto memory = start_up_memory(preset, 0.92);
    EXPECT_GT(memory.kv_pool / kv_bytes_per_token(preset), preset.max_model_len) << preset.name;
    EXPECT_LE(memory.used() + memory.reserved, memory.total) << preset.name;
  }
}

TEST(Presets, SplitTheMemoryOfAnH100) {
  const auto memory = start_up_memory(presets().front(), 0.92);
  EXPECT_NEAR(static_cast<double>(memory.weights) / kGiB, 14.96, 0.01);
  EXPECT_NEAR(static_cast<double>(memory.used()), 0.92 * (81'559 - 560) * 1048576.0, 1);
  EXPECT_EQ(start_up_memory(presets().front(), 0.1).kv_pool, 0);
}

TEST(StepTime, AddsUpItsParts) {
  const StepTime time{1, 0.1, 0.01, 0.001};
  Step step;
  EXPECT_EQ(time.of(step), 0);
  step.planned = {{1, 10, true}, {2, 1, true}};
  step.prefill_tokens = 10;
  step.kv_tokens = 100;
  EXPECT_DOUBLE_EQ(time.of(step), 1 + 1 + 0.02 + 0.1);
}

TEST(StepTime, OfAnH100IsThatOfItsBandwidth) {
  const auto time = step_time(presets().front());
  EXPECT_NEAR(time.per_step, 6.0e-3, 0.05e-3);
  EXPECT_NEAR(1 / time.per_prefill_token, 36'950, 100);
}

}  // namespace
}  // namespace memprof::simulator
