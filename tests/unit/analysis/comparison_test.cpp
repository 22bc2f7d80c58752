#include "analysis/comparison.hpp"

#include "sample_metrics.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace memprof::analysis {
namespace {

using testing::healthy_run;
using testing::measured_run;
using Cells = std::vector<std::optional<std::string>>;

ComparedRun compared(const testing::SampleRun& run) { return {"a", run.summary(), run.manifest}; }

Cells cells_of(const std::vector<ComparedLine>& lines, std::string_view label) {
  const auto found = std::find_if(lines.begin(), lines.end(),
                                  [&](const auto& line) { return line.label == label; });
  return found == lines.end() ? Cells{} : found->cells;
}

TEST(Comparison, WhatARunHasNotIsNone) {
  const auto found = compare_findings({compared(measured_run()), compared(healthy_run())});
  EXPECT_EQ(cells_of(found.findings, "KV usage, peak"), (Cells{"86.0 %", std::nullopt}));
  EXPECT_EQ(cells_of(found.findings, "pressure"), (Cells{"none", std::nullopt}));
  EXPECT_EQ(cells_of(found.findings, "symptoms"), (Cells{"none", std::nullopt}))
      << "none found is not the same as not measured";
  EXPECT_EQ(cells_of(found.findings, "GPU memory, peak"), (Cells{"500 MiB", "500 MiB"}));
  EXPECT_EQ(cells_of(found.levels, "concurrency 2: preempted"), (Cells{"0", std::nullopt}));
}

TEST(Comparison, ALineThatNoRunHasIsLeftOut) {
  const auto found = compare_findings({compared(healthy_run()), compared(healthy_run())});
  EXPECT_EQ(cells_of(found.findings, "KV usage, peak"), Cells{});
  EXPECT_EQ(cells_of(found.findings, "symptoms"), Cells{});
}

TEST(Comparison, AnOptionOfOneRunOnlyDiffers) {
  auto one = measured_run();
  const auto two = measured_run();
  one.manifest.options["timeout"] = 3.5;
  one.manifest.options["header_file"] = nullptr;
  const auto found = compare_findings({compared(one), compared(two)});
  ASSERT_EQ(found.options.size(), 1U);
  EXPECT_EQ(found.options[0].label, "timeout");
  EXPECT_EQ(found.options[0].cells, (Cells{"3.5", std::nullopt}));
}

}  // namespace
}  // namespace memprof::analysis
