// The pure model's speed: block operations (taken, hashed, found, freed) and whole steps.
#include "simulator/engine.hpp"

#include <benchmark/benchmark.h>

#include <numeric>

namespace {

using namespace memprof::simulator;

/// Prompts that share a half, in a pool that holds a quarter of them: blocks are taken, hashed,
/// published, found, released and evicted.
void block_operations(benchmark::State& state) {
  EngineConfig config;
  config.num_gpu_blocks = 4097;
  config.max_num_batched_tokens = 8192;
  config.max_model_len = 8192;
  config.async_scheduling = state.range(0) != 0;
  Engine engine(config);
  std::int64_t operations = 0;
  memprof::simulator::TokenId next = 1;
  std::vector<Output> outputs;
  for (auto _ : state) {
    for (int i = 0; i < 8; ++i) {
      std::vector<TokenId> prompt(4096, 7);
      std::iota(prompt.begin() + 2048, prompt.end(), next++ * 4096);
      engine.add({std::move(prompt), 1, ""}, 0);
      operations += 3 * 4096 / config.block_size;  // got, published or found, released
    }
    while (!engine.idle()) {
      while (engine.plan(0) != nullptr) {
      }
      engine.take([](RequestId) { return Sampled{1, false}; }, 0, outputs);
      outputs.clear();
    }
  }
  state.counters["block_ops/s"] =
      benchmark::Counter(static_cast<double>(operations), benchmark::Counter::kIsRate);
}
BENCHMARK(block_operations)->Arg(0)->Arg(1)->Unit(benchmark::kMicrosecond);

/// 500 requests that decode: a step, per token.
void decoding(benchmark::State& state) {
  EngineConfig config;
  config.num_gpu_blocks = 200'001;
  config.max_num_seqs = 1024;
  config.max_num_batched_tokens = 8192;
  config.max_model_len = 1 << 20;
  Engine engine(config);
  for (TokenId i = 0; i < 500; ++i) engine.add({{i, i, i}, 1 << 19, ""}, 0);
  std::vector<Output> outputs;
  std::int64_t tokens = 0;
  for (auto _ : state) {
    while (engine.plan(0) != nullptr) {
    }
    engine.take([](RequestId) { return Sampled{1, false}; }, 0, outputs);
    tokens += static_cast<std::int64_t>(outputs.size());
    outputs.clear();
  }
  state.counters["tokens/s"] =
      benchmark::Counter(static_cast<double>(tokens), benchmark::Counter::kIsRate);
}
BENCHMARK(decoding)->Unit(benchmark::kMicrosecond)->Iterations(3000);

}  // namespace

BENCHMARK_MAIN();
