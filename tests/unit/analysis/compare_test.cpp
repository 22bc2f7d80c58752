#include "analysis/compare.hpp"

#include "formats/text.hpp"
#include "sample_metrics.hpp"

#include <gtest/gtest.h>

namespace memprof::analysis {
namespace {

using testing::healthy_run;
using testing::measured_run;

ComparedRun compared(std::string name, const testing::SampleRun& run) {
  return {std::move(name), run.summary(), run.manifest};
}

TEST(Compare, WhatDiffersComesFirstThenFindings) {
  auto one = measured_run();
  auto two = healthy_run();
  one.manifest.options["concurrencies"] = boost::json::array{2, 4};
  two.manifest.options["concurrencies"] = boost::json::array{8};
  const auto text = compare({compared("one", one), compared("two", two)});
  const auto lines = formats::split(text, '\n');
  EXPECT_EQ(lines[0], "run                         one                                 two");
  EXPECT_EQ(lines[1], "options that differ");
  EXPECT_EQ(lines[2], "concurrencies               2,4                                 8");
  EXPECT_EQ(lines[3], "findings");
  EXPECT_NE(text.find("pressure                    none                                -\n"),
            std::string::npos);
  EXPECT_NE(text.find("KV usage, peak              86.0 %                              -\n"),
            std::string::npos);
  EXPECT_NE(text.find("GPU memory, peak            500 MiB                             500 MiB\n"),
            std::string::npos);
  EXPECT_NE(text.find("concurrency 2: preempted    0 "), std::string::npos);
  EXPECT_EQ(text.find("high_prefix_share"), std::string::npos) << "is the same in both";
}

TEST(Compare, SaysWhichRunIsSimulated) {
  auto real = measured_run();
  auto simulated = measured_run();
  simulated.manifest.simulated = true;
  const auto text = compare({compared("one", real), compared("two", simulated)});
  EXPECT_EQ(formats::split(text, '\n')[1],
            "SIMULATED                   no                                  yes");
  EXPECT_EQ(compare({compared("one", real), compared("two", real)}).find("SIMULATED"),
            std::string::npos);
}

TEST(Compare, AStartedSimulatorsPortIsNoDifference) {
  auto one = measured_run();
  one.manifest.options["simulate"] = true;
  one.manifest.options["base_url"] = "http://127.0.0.1:1/v1";
  auto two = one;
  two.manifest.options["base_url"] = "http://127.0.0.1:2/v1";
  two.manifest.config.base_url = "http://127.0.0.1:2/v1";
  EXPECT_NE(compare({compared("one", one), compared("two", two)}).find("options that differ: none"),
            std::string::npos);
  two.manifest.options["simulate"] = false;
  EXPECT_NE(compare({compared("one", one), compared("two", two)}).find("base_url"),
            std::string::npos);
  two.manifest.options["simulate"] = true;
  one.manifest.server.simulator_speed = 0.5;
  two.manifest.server.simulator_speed = 10;
  EXPECT_NE(compare({compared("one", one), compared("two", two)}).find(
                "simulator_speed             0.5                                 10\n"),
            std::string::npos);
}

TEST(Compare, ManyRunsAndLongValuesStayWithinTheTerminal) {
  std::vector<ComparedRun> runs;
  for (int i = 0; i < 6; ++i) {
    auto run = measured_run();
    run.manifest.options["workload"] = "/a/long/path/" + std::string(80, 'x') + std::to_string(i);
    runs.push_back(compared("20260225_100000_some_long_tag_" + std::to_string(i), run));
  }
  const auto text = compare(runs);
  for (const auto line : formats::split(text, '\n')) EXPECT_LE(line.size(), 100u) << line;
  EXPECT_NE(text.find("\n\nrun "), std::string::npos);
}

}  // namespace
}  // namespace memprof::analysis
