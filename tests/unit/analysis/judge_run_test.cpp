#include "analysis/judge.hpp"

#include "sample_run.hpp"

#include <gtest/gtest.h>

#include <set>

namespace memprof::analysis {
namespace {

using testing::healthy_run;
using testing::row;
using testing::SampleRun;

std::string codes(const SampleRun& run) {
  std::string text;
  for (const auto& reason : run.summary().verdict.reasons) text += reason.code + " ";
  return text;
}

TEST(Judge, AHealthyRunIsValid) {
  const auto run = healthy_run();
  EXPECT_EQ(codes(run), "no_server_metrics ");
  EXPECT_TRUE(run.summary().verdict.valid);
  EXPECT_EQ(run.summary().verdict.pressure, std::nullopt);
}

TEST(Judge, AnEmptyRunIsSaidToHaveMeasuredNothing) {
  EXPECT_EQ(codes(SampleRun{}), "no_gpu_trace no_server_metrics ");
}

TEST(Judge, CodesAreListedOnceEach) {
  std::set<std::pair<std::string_view, Severity>> seen;
  for (const auto& code : kVerdictCodes) {
    EXPECT_TRUE(seen.emplace(code.name, code.severity).second) << code.name;
  }
  EXPECT_EQ(seen.size(), 28u);
}

TEST(Judge, WorstComesFirst) {
  auto run = healthy_run();
  run.manifest.server.insecure_tls = true;
  run.manifest.interrupted = true;
  run.manifest.wall_clock_shift_ms = 5000;
  EXPECT_EQ(codes(run), "interrupted clock_stepped insecure_tls no_server_metrics ");
  EXPECT_FALSE(run.summary().verdict.valid);
}

TEST(Judge, EveryReasonHasWordsAndAdvice) {
  auto run = healthy_run();
  run.manifest.interrupted = run.manifest.simulated = true;
  run.manifest.server.insecure_tls = run.manifest.server.key_over_http = true;
  run.manifest.children[0].ended_as_told = run.manifest.children[2].ended_as_told = false;
  run.manifest.samplers.gpu_mem_sampler->lost_gpus = {0};
  run.traces.requests[0].status = "error:connect";
  for (const auto& reason : run.summary().verdict.reasons) {
    EXPECT_TRUE(reason.text.ends_with('.')) << reason.code << ": " << reason.text;
    EXPECT_TRUE(reason.advice.ends_with('.')) << reason.code << ": " << reason.advice;
  }
}

TEST(Judge, SamplerDied) {
  auto run = healthy_run();
  EXPECT_EQ(run.reason("sampler_died"), nullptr);
  auto& child = run.manifest.children[0];
  child.ended_as_told = false;
  child.exit_code.reset();
  child.signal = 9;
  const auto* reason = run.reason("sampler_died");
  ASSERT_NE(reason, nullptr);
  EXPECT_EQ(reason->severity, Severity::invalid);
  EXPECT_EQ(reason->value, 137);
  EXPECT_EQ(reason->text,
            "gpu_mem_sampler was ended by signal 9: its trace has no rows from then on.");
  EXPECT_EQ(run.reason("runner_died"), nullptr);
}

TEST(Judge, RunnerDied) {
  auto run = healthy_run();
  auto& child = run.manifest.children[2];
  child.exit_code = 1;  // requests failed: that is no death
  EXPECT_EQ(run.reason("runner_died"), nullptr);
  child.ended_as_told = false;
  child.exit_code = 3;
  run.traces.workload_requests = 50;
  const auto* reason = run.reason("runner_died");
  ASSERT_NE(reason, nullptr);
  EXPECT_EQ(reason->value, 3);
  EXPECT_EQ(codes(run), "runner_died no_server_metrics ");
  child.pid.reset();
  EXPECT_NE(run.found("runner_died").text.find("could not be started"), std::string::npos);
}

TEST(Judge, RequestsWithoutARowMeanThatTheRunnerDied) {
  auto run = healthy_run();
  run.traces.workload_requests = 5;
  const auto* reason = run.reason("runner_died");
  ASSERT_NE(reason, nullptr);
  EXPECT_EQ(reason->value, 3);
  run.manifest.interrupted = true;
  EXPECT_EQ(run.reason("runner_died"), nullptr);
}

TEST(Judge, ClockStepped) {
  auto run = healthy_run();
  run.manifest.wall_clock_shift_ms = -100;
  EXPECT_EQ(run.reason("clock_stepped"), nullptr);
  run.manifest.wall_clock_shift_ms = -100.5;
  ASSERT_NE(run.reason("clock_stepped"), nullptr);
  EXPECT_EQ(run.found("clock_stepped").value, -100.5);
  run.manifest.wall_clock_shift_ms = 0;
  run.traces.runner->process.wall_clock_shift_ms = 3600e3;
  EXPECT_EQ(run.found("clock_stepped").value, 3600e3);
  run.traces.runner.reset();
  run.manifest.samplers.gpu_mem_sampler->wall_clock_shift_ms = 101;
  EXPECT_EQ(run.found("clock_stepped").value, 101);
}

TEST(Judge, Suspended) {
  auto run = healthy_run();
  EXPECT_EQ(run.reason("suspended"), nullptr);
  run.manifest.suspended_s = 0;
  EXPECT_EQ(run.reason("suspended"), nullptr);
  run.manifest.suspended_s = 3600.25;
  ASSERT_NE(run.reason("suspended"), nullptr);
  EXPECT_EQ(run.found("suspended").value, 3600.25);
  EXPECT_EQ(run.found("suspended").severity, Severity::invalid);
}

TEST(Judge, Interrupted) {
  auto run = healthy_run();
  EXPECT_EQ(run.reason("interrupted"), nullptr);
  run.manifest.interrupted = true;
  ASSERT_NE(run.reason("interrupted"), nullptr);
  EXPECT_EQ(run.found("interrupted").severity, Severity::invalid);
}

TEST(Judge, ClientSaturatedByStartLag) {
  auto run = healthy_run();
  auto& runner = *run.traces.runner;
  runner.start_lag_p50_ms = 50;
  runner.start_lag_p99_ms = 400;
  runner.start_lag_count = 99;
  EXPECT_EQ(run.reason("client_saturated"), nullptr);
  runner.start_lag_count = 100;
  ASSERT_NE(run.reason("client_saturated"), nullptr);
  EXPECT_EQ(run.found("client_saturated").value, 400);
  runner.start_lag_count = 2;
  runner.start_lag_p50_ms = 51;
  EXPECT_EQ(run.found("client_saturated").value, 51);
}

TEST(Judge, ClientSaturatedByItsCpu) {
  auto run = healthy_run();
  auto& runner = *run.traces.runner;
  runner.busy_s = 10;
  runner.busy_cpu_s = 9;
  EXPECT_EQ(run.reason("client_saturated"), nullptr);
  runner.busy_cpu_s = 9.1;
  ASSERT_NE(run.reason("client_saturated"), nullptr);
  EXPECT_DOUBLE_EQ(*run.found("client_saturated").value, 0.91);
  runner.busy_s = 0.5;
  runner.busy_cpu_s = 0.5;
  EXPECT_EQ(run.reason("client_saturated"), nullptr);
}

TEST(Judge, ConcurrencyNotReached) {
  auto run = healthy_run();
  EXPECT_EQ(run.reason("concurrency_not_reached"), nullptr);
  run.traces.requests.push_back(row("c", 8, 30, 31));
  run.traces.requests.push_back(row("d", 8, 30.5, 32));
  const auto* reason = run.reason("concurrency_not_reached");
  ASSERT_NE(reason, nullptr);
  EXPECT_EQ(reason->severity, Severity::warning);
  EXPECT_EQ(reason->value, 2);
  EXPECT_NE(reason->text.find("2 of 8"), std::string::npos);
  EXPECT_NE(reason->advice.find("--n-per-condition auto"), std::string::npos);
}

TEST(Judge, ConcurrencyNotReachedAlthoughThereWereEnoughRequests) {
  auto run = healthy_run();
  run.traces.requests = {row("a", 2, 10, 20), row("b", 2, 21, 22)};
  const auto* reason = run.reason("concurrency_not_reached");
  ASSERT_NE(reason, nullptr);
  EXPECT_EQ(reason->advice.find("--n-per-condition"), std::string::npos);
}

TEST(Judge, FlagsOfTheManifest) {
  auto run = healthy_run();
  for (const auto* code : {"insecure_tls", "key_over_http", "simulated"}) {
    EXPECT_EQ(run.reason(code), nullptr) << code;
  }
  run.manifest.server.insecure_tls = true;
  EXPECT_EQ(run.found("insecure_tls").severity, Severity::warning);
  run.manifest.server.key_over_http = true;
  EXPECT_EQ(run.found("key_over_http").severity, Severity::note);
  run.manifest.simulated = true;
  EXPECT_EQ(run.found("simulated").severity, Severity::note);
  EXPECT_TRUE(run.summary().verdict.valid);
}

}  // namespace
}  // namespace memprof::analysis
