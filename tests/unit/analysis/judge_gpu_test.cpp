#include "sample_run.hpp"

#include <gtest/gtest.h>

namespace memprof::analysis {
namespace {

using testing::healthy_run;

TEST(JudgeGpu, GpuLost) {
  auto run = healthy_run();
  EXPECT_EQ(run.reason("gpu_lost"), nullptr);
  run.manifest.samplers.gpu_mem_sampler->lost_gpus = {1, 3};
  const auto* reason = run.reason("gpu_lost");
  ASSERT_NE(reason, nullptr);
  EXPECT_EQ(reason->severity, Severity::invalid);
  EXPECT_EQ(reason->text, "GPU 1, 3 stopped answering during the run.");
}

TEST(JudgeGpu, TicksMissed) {
  auto run = healthy_run();  // 10 of 1000: 1 %
  EXPECT_EQ(run.reason("ticks_missed"), nullptr);
  run.manifest.samplers.gpu_mem_sampler->ticks.missed = 11;
  const auto* reason = run.reason("ticks_missed");
  ASSERT_NE(reason, nullptr);
  EXPECT_EQ(reason->severity, Severity::warning);
  EXPECT_DOUBLE_EQ(*reason->value, 0.011);
  run.manifest.samplers.gpu_mem_sampler->ticks = {};
  EXPECT_EQ(run.reason("ticks_missed"), nullptr);
}

TEST(JudgeGpu, NoGpuTrace) {
  auto run = healthy_run();
  EXPECT_EQ(run.reason("no_gpu_trace"), nullptr);
  run.traces.gpus[0].readings.clear();  // rows without a figure
  ASSERT_NE(run.reason("no_gpu_trace"), nullptr);
  EXPECT_EQ(run.found("no_gpu_trace").severity, Severity::note);
  EXPECT_NE(run.found("no_gpu_trace").advice.find("--list-gpus"), std::string::npos);
  run.manifest.simulated = true;
  EXPECT_NE(run.found("no_gpu_trace").advice.find("--gpu-backend simulated"), std::string::npos);
  run.manifest.server.is_local = false;
  EXPECT_EQ(run.reason("gpu_not_of_server"), nullptr);
}

TEST(JudgeGpu, GpuNotOfServer) {
  auto run = healthy_run();
  EXPECT_EQ(run.reason("gpu_not_of_server"), nullptr);
  run.manifest.server.is_local = false;
  ASSERT_NE(run.reason("gpu_not_of_server"), nullptr);
  EXPECT_EQ(run.found("gpu_not_of_server").severity, Severity::warning);
  run.manifest.server.pids.clear();
  EXPECT_EQ(run.reason("gpu_unproven"), nullptr);
}

TEST(JudgeGpu, GpuUnproven) {
  auto run = healthy_run();
  EXPECT_EQ(run.reason("gpu_unproven"), nullptr);
  run.manifest.server.pids = {7};
  ASSERT_NE(run.reason("gpu_unproven"), nullptr);
  EXPECT_EQ(run.found("gpu_unproven").severity, Severity::note);
  run.manifest.simulated = true;  // the server: these GPUs are not its
  EXPECT_NE(run.reason("gpu_unproven"), nullptr);
  run.manifest.samplers.gpu_mem_sampler->backend = "simulated";
  EXPECT_EQ(run.reason("gpu_unproven"), nullptr);
}

TEST(JudgeGpu, GpuUnprovenWithoutAManifest) {
  auto run = healthy_run();
  run.manifest = Manifest{};
  EXPECT_NE(run.reason("gpu_unproven"), nullptr);
  EXPECT_EQ(run.reason("gpu_not_of_server"), nullptr);
}

TEST(JudgeGpu, GpuShared) {
  auto run = healthy_run();
  auto& processes = run.manifest.samplers.gpu_mem_sampler->processes;
  processes.push_back({1, 77, 300, 300, 300, 300});
  processes.push_back({1, 78, {}, {}, {}, {}});
  EXPECT_EQ(run.reason("gpu_shared"), nullptr);
  processes.push_back({1, 79, 300, 300, 300, 310});
  processes.push_back({1, 80, 300, 900, 300, 900});
  const auto* reason = run.reason("gpu_shared");
  ASSERT_NE(reason, nullptr);
  EXPECT_EQ(reason->severity, Severity::warning);
  EXPECT_EQ(reason->value, 600);
  EXPECT_EQ(reason->text,
            "Memory of processes that are not the server's changed (2 of them): process 80 on GPU "
            "1 between 300 and 900 MiB.");
}

}  // namespace
}  // namespace memprof::analysis
