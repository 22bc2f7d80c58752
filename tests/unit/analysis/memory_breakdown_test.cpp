#include "analysis/memory_breakdown.hpp"

#include "sample_metrics.hpp"

#include <gtest/gtest.h>

namespace memprof::analysis {
namespace {

using testing::describe_engines;
using testing::healthy_run;
using testing::measured_run;
using testing::SampleRun;

/// An 80,000 MiB GPU, 500 of them the driver's, 70,000 used at the peak.
SampleRun gpu_run() {
  auto run = measured_run();
  run.traces.gpus[0].readings[2].used_mib = 70'000;
  run.traces.gpus[0].total_mib = 80'000;
  run.manifest.gpus.push_back({0, "Card", {}, {}, {}, 80'000, 500});
  return run;
}

GpuBreakdown parts(const SampleRun& run) {
  const auto summary = run.summary();
  return summary.memory_breakdown && summary.memory_breakdown->gpus.size() == 1
             ? summary.memory_breakdown->gpus[0]
             : GpuBreakdown{};
}

TEST(MemoryBreakdown, WithoutThePoolsSizeItIsNotGuessed) {
  const auto gpu = parts(gpu_run());
  EXPECT_EQ(gpu.total.mib, 80'000);
  EXPECT_EQ(gpu.total.source, "driver");
  EXPECT_EQ(gpu.reserved.mib, 500);
  EXPECT_EQ(gpu.free.mib, 9'500);
  EXPECT_EQ(gpu.kv_pool.mib, std::nullopt);
  EXPECT_EQ(gpu.kv_pool.source, std::nullopt);
  EXPECT_EQ(gpu.weights_and_runtime.mib, std::nullopt);
  EXPECT_EQ(gpu.kv_in_use.mib, std::nullopt);
  EXPECT_EQ(gpu.kv_cached.mib, std::nullopt);
  auto unreserved = gpu_run();
  unreserved.manifest.gpus[0].reserved_mib.reset();
  EXPECT_EQ(parts(unreserved).free.mib, std::nullopt);
}

TEST(MemoryBreakdown, ByTheStartupLog) {
  auto run = gpu_run();
  run.manifest.startup_memory = StartupMemory{};
  run.manifest.startup_memory->available_kv_gib = {50, 50.01};
  run.manifest.startup_memory->weights_gib = {15};
  run.manifest.startup_memory->graph_capture_gib = {0.5};
  const auto gpu = parts(run);
  EXPECT_EQ(gpu.kv_pool.mib, 51'200);
  EXPECT_EQ(gpu.kv_pool.source, "start-up log");
  EXPECT_EQ(gpu.weights_and_runtime.mib, 18'800);
  EXPECT_EQ(gpu.weights.mib, 15'360);
  EXPECT_EQ(gpu.graphs.mib, 512);
  EXPECT_DOUBLE_EQ(*gpu.kv_in_use.mib, 51'200 * 0.86);
  EXPECT_EQ(gpu.kv_in_use.source, "server metrics");
  EXPECT_EQ(*gpu.reserved.mib + *gpu.weights_and_runtime.mib + *gpu.kv_pool.mib + *gpu.free.mib,
            *gpu.total.mib);
  run.manifest.startup_memory->available_kv_gib = {50, 40};  // which is this GPU's?
  EXPECT_EQ(parts(run).kv_pool.mib, std::nullopt);
}

TEST(MemoryBreakdown, ByBytesPerToken) {
  auto run = gpu_run();
  run.manifest.options["kv_bytes_per_token"] = 1 << 20;
  const auto gpu = parts(run);
  EXPECT_EQ(gpu.kv_pool.mib, 101 * 16);
  EXPECT_EQ(gpu.kv_pool.source, "--kv-bytes-per-token");
  EXPECT_EQ(run.summary().memory_breakdown->kv_bytes_per_token, 1 << 20);
  run.manifest.server.kv_bytes_per_token = 1 << 10;  // a simulator's, which the option goes before
  EXPECT_EQ(parts(run).kv_pool.source, "--kv-bytes-per-token");
  run.manifest.options.erase("kv_bytes_per_token");
  EXPECT_EQ(parts(run).kv_pool.source, "simulator");
  EXPECT_EQ(run.summary().memory_breakdown->kv_bytes_per_token, 1 << 10);
}

TEST(MemoryBreakdown, AnOverriddenPoolIsNotWhatTheLogAndTheConfigurationSay) {
  auto run = gpu_run();
  auto& config = run.traces.server_sampler->engines[0].cache_config;
  config["kv_cache_memory_bytes"] = "1073741824";
  EXPECT_EQ(parts(run).kv_pool.mib, 1024);
  EXPECT_EQ(parts(run).kv_pool.source, "cache_config_info");
  config["num_gpu_blocks_override"] = "192";
  EXPECT_EQ(parts(run).kv_pool.mib, std::nullopt);
  run.manifest.startup_memory = StartupMemory{};
  run.manifest.startup_memory->available_kv_gib = {50};
  EXPECT_EQ(parts(run).kv_pool.mib, std::nullopt);
}

TEST(MemoryBreakdown, OnlyOnTheServersGpus) {
  auto run = gpu_run();
  run.manifest.options["kv_bytes_per_token"] = 1 << 20;
  run.traces.gpus[1] = run.traces.gpus[0];  // its process is on GPU 0 alone
  auto all = run.summary().memory_breakdown->gpus;
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].kv_pool.mib, 101 * 16);
  EXPECT_EQ(all[1].kv_pool.mib, std::nullopt);
  run.manifest.server.pids.clear();  // and now it could be either
  EXPECT_EQ(run.summary().memory_breakdown->gpus[0].kv_pool.mib, std::nullopt);
  run.traces.gpus.erase(1);
  EXPECT_EQ(parts(run).kv_pool.mib, 101 * 16);
  run.manifest.server.is_local = false;
  EXPECT_EQ(parts(run).kv_pool.mib, std::nullopt);
}

TEST(MemoryBreakdown, APoolLargerThanWhatIsUsedIsNotOnThisGpu) {
  auto run = gpu_run();
  run.manifest.options["kv_bytes_per_token"] = 50 << 20;
  EXPECT_EQ(parts(run).kv_pool.mib, std::nullopt);
}

TEST(MemoryBreakdown, TheKvCacheInTokensNeedsNoGpu) {
  auto run = measured_run();
  run.traces.gpus.clear();
  const auto found = run.summary().memory_breakdown;
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->kv_tokens_total, 101 * 16);
  EXPECT_EQ(found->kv_tokens_source, "cache_config_info");
  EXPECT_EQ(found->kv_tokens_in_use, 86 * 16);
  EXPECT_EQ(SampleRun{}.summary().memory_breakdown.has_value(), false);
}

TEST(MemoryBreakdown, CapacityByTheStartupLogWhereTheServerDoesNotTell) {
  auto run = healthy_run();
  run.manifest.startup_memory = StartupMemory{};
  run.manifest.startup_memory->kv_cache_tokens = {6144, 6144};
  const auto capacity = kv_capacity(run.traces, run.manifest);
  EXPECT_EQ(capacity.tokens_total, 12288);
  EXPECT_EQ(capacity.engines, 2);
  auto measured = measured_run();
  measured.manifest.startup_memory = run.manifest.startup_memory;
  EXPECT_EQ(kv_capacity(measured.traces, measured.manifest).tokens_total, 101 * 16);
}

}  // namespace
}  // namespace memprof::analysis
