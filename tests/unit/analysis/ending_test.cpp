#include "analysis/ending.hpp"

#include "formats/text.hpp"
#include "sample_metrics.hpp"

#include <gtest/gtest.h>

namespace memprof::analysis {
namespace {

using testing::healthy_run;
using testing::measured_run;
using testing::row;
using testing::SampleRun;

std::string ending(const SampleRun& run) {
  return describe_ending(run.summary(), run.manifest, "results/memory_profile/20260225_100000");
}

/// Without the breaks of wrapped lines.
std::string flat(std::string text) {
  const std::string wrap = "\n           ";
  for (auto at = text.find(wrap); at != std::string::npos; at = text.find(wrap)) {
    text.replace(at, wrap.size(), " ");
  }
  return text;
}

TEST(Ending, OfAHealthyRun) {
  auto run = healthy_run();
  run.manifest.results.duration_s = 17.25;
  run.manifest.gpus.push_back({0, "NVIDIA H100", {}, {}, {}, 1000, {}});
  EXPECT_EQ(ending(run),
            "verdict    valid, 1 note (run 20260225_100000)\n"
            "  note     no_server_metrics: The server's own metrics were not recorded: whether it "
            "ran short of KV\n"
            "           cache is not judged. Watch the server's log for preemptions and its KV "
            "cache usage while\n"
            "           this runs.\n"
            "load       whether it fits cannot be told without the server's metrics\n"
            "GPU        0 (NVIDIA H100): peak 500 MiB of 1000 MiB (50.0 %), baseline 105 MiB, 395 "
            "MiB above it\n"
            "memory     GPU 0: how much of it is KV cache is not known; --server-log or "
            "--kv-bytes-per-token\n"
            "           tells it\n"
            "requests   2 ok, 0 failed\n"
            "concurrency  asked  reached   mean  requests     ok        time  peak GPU mem\n"
            "                 2        2    1.7         2      2      12.0 s       500 MiB\n"
            "time       17.2 s, of which load 12.0 s\n"
            "files      results/memory_profile/20260225_100000\n");
}

TEST(Ending, BeginsWithWhatIsSimulated) {
  auto run = healthy_run();
  run.manifest.simulated = true;
  EXPECT_TRUE(ending(run).starts_with("SIMULATED  no figure here is of a real server or its GPUs\n"
                                      "verdict    valid, of a simulated server, "))
      << ending(run);
  run.manifest.server.simulator = "memprof 0.1.0";
  run.manifest.server.simulator_speed = 10;
  EXPECT_TRUE(ending(run).starts_with("SIMULATED  by memprof 0.1.0 at speed 10: no figure here is "
                                      "of a real server or its GPUs\nverdict"))
      << ending(run);
}

TEST(Ending, SaysWhatWentWrongAndWhatToDo) {
  auto run = healthy_run();
  for (int i = 0; i < 3; ++i) {
    run.traces.requests.push_back(row("f" + std::to_string(i), 2, 23, 24));
    run.traces.requests.back().status = "error:http_404";
    run.traces.requests.back().error_detail = "The model `x` does not exist.";
  }
  const auto text = ending(run);
  EXPECT_NE(text.find("verdict    NOT VALID, do not use these figures"), std::string::npos);
  EXPECT_NE(text.find("  invalid  requests_failed: 3 of 5 requests failed"), std::string::npos);
  EXPECT_NE(text.find("requests   2 ok, 3 failed; 3 of them error:http_404: The model `x` does"),
            std::string::npos);
}

TEST(Ending, OfARunThatFits) {
  const auto text = ending(measured_run());
  EXPECT_NE(flat(text).find("load       fits: no preemption, nobody waited for KV blocks. The KV "
                            "cache was 86 % full: little more will fit.\n"),
            std::string::npos)
      << text;
  EXPECT_NE(flat(text).find("KV cache   86.0 % at the peak, 70.3 % on average; 1376 of 1616 "
                            "tokens; at most 2 running, 0 waiting; prefix hits 0.0 %; demand by "
                            "lengths at most 1408 tokens (88 %) at concurrency 2\n"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("  time  peak GPU mem  peak KV  preempted\n"), std::string::npos) << text;
  EXPECT_NE(text.find("500 MiB   86.0 %          0\n"), std::string::npos) << text;
}

TEST(Ending, OfALoadBetweenTwoScrapes) {
  auto run = measured_run();
  auto& readings = run.traces.engines["0"].readings;
  readings.erase(readings.begin() + 1, readings.end() - 1);
  const auto text = flat(ending(run));
  EXPECT_NE(text.find("load       no preemption; who waited is not known, since no scrape fell into "
                      "the load\n"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("KV cache   usage not read: no scrape fell into the load "
                      "(--metrics-interval-ms)"),
            std::string::npos)
      << text;
}

TEST(Ending, NothingFitsWhereNothingWasAnswered) {
  auto run = measured_run();
  for (auto& each : run.traces.requests) {
    each.status = "error:http_400";
    each.prompt_tokens.reset();
    each.completion_tokens.reset();
  }
  EXPECT_NE(ending(run).find("load       whether it fits cannot be told: no request was answered\n"),
            std::string::npos)
      << ending(run);
}

TEST(Ending, OfARunThatDoesNotFit) {
  auto run = measured_run();
  run.traces.engines["0"].readings.back().counters.preemptions_total = 88;
  const auto text = ending(run);
  EXPECT_NE(
      flat(text).find("load       does NOT fit: 81 preemptions, first at concurrency 2. Next: "
                      "a lower concurrency or"),
      std::string::npos)
      << text;
  for (const auto line : formats::split(text, '\n')) EXPECT_LE(line.size(), 100u) << line;
}

TEST(Ending, ThatRequestsWaitedIsSaidWhateverTheyWaitedFor) {
  auto run = measured_run();
  run.traces.engines["0"].readings[2].running = 1;
  run.traces.engines["0"].readings[2].waiting = 1;
  EXPECT_NE(flat(ending(run)).find("load       fits: no preemption, and the 1 that waited did not "
                                   "lack room for a prompt."),
            std::string::npos)
      << ending(run);
}

TEST(Ending, WhereTheMemoryGoes) {
  auto run = measured_run();
  run.traces.gpus[0].readings[2].used_mib = 70'000;
  run.traces.gpus[0].total_mib = 80'000;
  run.manifest.gpus.push_back({0, "Card", {}, {}, {}, 80'000, 500});
  run.manifest.startup_memory = StartupMemory{};
  run.manifest.startup_memory->available_kv_gib = {50};
  const auto text = ending(run);
  EXPECT_NE(flat(text).find("memory     GPU 0: 78.1 GiB = 500 MiB reserved + 18.4 GiB weights and "
                            "runtime + 50.0 GiB KV pool + 9.3 GiB free; 43.0 GiB of the pool in "
                            "use at its peak\n"),
            std::string::npos)
      << text;
}

TEST(Ending, WhichGpuHoldsThePoolMayNotBeKnown) {
  auto run = measured_run();
  run.traces.gpus[1] = run.traces.gpus[0];
  EXPECT_NE(flat(ending(run)).find("GPU 1: how much of it is KV cache is not known; --server-log "),
            std::string::npos);
  run.manifest.options["kv_bytes_per_token"] = 1024;
  EXPECT_NE(flat(ending(run)).find("GPU 1: how much of it is KV cache is not known; no process on "
                                   "it is known to be the server's: read the server's GPU alone "
                                   "with --gpu-indices\n"),
            std::string::npos)
      << ending(run);
}

TEST(Ending, WithoutAGpuItSaysSo) {
  auto run = healthy_run();
  run.traces.gpus.clear();
  const auto text = ending(run);
  EXPECT_NE(text.find("GPU        memory not measured: this run says nothing about it\n"),
            std::string::npos);
  EXPECT_EQ(text.find("MiB"), std::string::npos) << text;
}

TEST(Ending, OfNothingAtAll) {
  const auto text = ending(SampleRun{});
  EXPECT_NE(text.find("requests   0 ok, 0 failed\n"), std::string::npos);
  EXPECT_EQ(text.find("concurrency  "), std::string::npos);
}

TEST(Ending, FitsTheTerminalAndIsPlainText) {
  auto run = healthy_run();
  run.traces.problems.assign(7, "/some/folder/request_trace.csv: \x1b[31mred\x1b[0m " +
                                    std::string(60, 'x') + " " + std::string(60, 'y'));
  for (std::int64_t level = 1; level <= 40; ++level) {
    run.traces.requests.push_back(row("r" + std::to_string(level), level, 30, 31));
  }
  const auto text = ending(run);
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
  EXPECT_NE(text.find("and 4 more in summary.json"), std::string::npos);
  EXPECT_NE(text.find("and 28 more in summary.json"), std::string::npos);
  for (const auto line : formats::split(text, '\n')) EXPECT_LE(line.size(), 100u) << line;
}

}  // namespace
}  // namespace memprof::analysis
