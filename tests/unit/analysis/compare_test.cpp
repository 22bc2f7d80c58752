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
