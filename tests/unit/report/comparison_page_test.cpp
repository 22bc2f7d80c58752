#include "report/comparison_page.hpp"

#include "analysis/summarize.hpp"

#include <gtest/gtest.h>

namespace memprof::report {
namespace {

constexpr std::size_t kMostBytes = 2'000'000;
const std::string kHostile = "\"'></style></script><script>alert(1)</script><!--";

Timestamp at(double seconds) {
  return Timestamp(std::chrono::microseconds(1'700'000'000'000'000 +
                                             static_cast<std::int64_t>(seconds * 1e6)));
}

struct SampleRun {
  analysis::RunTraces traces;
  Manifest manifest;
};

/// A request from second 10 to 20, a scrape a second with usage 1, 2, 3, ...
SampleRun sample_run(std::string name, int scrapes = 15) {
  SampleRun run;
  run.manifest.run_id = std::move(name);
  RequestTraceRow row;
  row.req_id = "a";
  row.concurrency_group = 2;
  row.start_ts = at(10);
  row.end_ts = at(20);
  row.status = "ok";
  run.traces.requests.push_back(row);
  for (int i = 0; i < scrapes; ++i) {
    analysis::EngineReading reading{};
    reading.timestamp = reading.asked = at(8 + i);
    reading.usage_pct = i + 1;
    reading.running = reading.waiting = 0;
    reading.counters.preemptions_total = 0;
    run.traces.engines["0"].readings.push_back(reading);
  }
  return run;
}

std::string render(const std::vector<SampleRun>& all) {
  std::vector<analysis::ComparedRun> runs;
  std::vector<Series> usage;
  for (const auto& run : all) {
    const auto summary = analysis::summarize(run.traces, run.manifest);
    usage.push_back(usage_since_load(run.traces, summary));
    runs.push_back({run.manifest.run_id, summary, run.manifest});
  }
  return render_comparison(runs, usage);
}

bool has(const std::string& page, std::string_view words) {
  return page.find(words) != std::string::npos;
}

TEST(ComparisonPage, UsageBeginsWithTheLoadAndIsOfTheFullestEngine) {
  auto run = sample_run("a", 4);
  run.traces.engines["1"] = run.traces.engines["0"];
  run.traces.engines["1"].readings.back().usage_pct = 90;
  const auto series = usage_since_load(run.traces, analysis::summarize(run.traces, {}));
  ASSERT_EQ(series.points.size(), 2U);
  EXPECT_EQ(series.points[0].x, 0);
  EXPECT_EQ(series.points[0].y, 3);
  EXPECT_EQ(series.points[1].y, 90);
}

TEST(ComparisonPage, HostileWordsStayWords) {
  auto run = sample_run(kHostile);
  run.manifest.options[kHostile] = kHostile;
  run.manifest.interrupted = true;
  run.traces.problems = {kHostile};
  const auto page = render({run, sample_run("b")});
  EXPECT_FALSE(has(page, "<script"));
  EXPECT_FALSE(has(page, "</script"));
  EXPECT_FALSE(has(page, "<!--"));
  EXPECT_EQ(page.find("</style"), page.rfind("</style"));
  EXPECT_TRUE(has(page, "&lt;script&gt;alert(1)"));
  EXPECT_TRUE(has(page, "; script-src\">")) << "no script may run";
}

TEST(ComparisonPage, WhatOneRunHasNotIsSaid) {
  auto other = sample_run("b");
  other.traces.engines.clear();
  const auto page = render({sample_run("a"), other});
  EXPECT_TRUE(has(page, "<td>KV usage, peak</td><td>13.0 %</td><td>not measured</td>"));
  EXPECT_TRUE(has(page, "Not measured: KV cache usage of B."));
  EXPECT_TRUE(has(page, "Not measured in any of the runs: device memory."));
}

TEST(ComparisonPage, SaysWhichRunsAreSimulatedOrCut) {
  auto simulated = sample_run("b");
  simulated.manifest.simulated = simulated.manifest.interrupted = true;
  const auto page = render({sample_run("a"), simulated});
  EXPECT_TRUE(has(page, "class=\"banner simulated\">SIMULATED: B. "));
  EXPECT_TRUE(has(page, "INTERRUPTED: B did not"));
  EXPECT_TRUE(has(page, ">B b (SIMULATED) (INTERRUPTED)</th>"));
  EXPECT_TRUE(has(page, ">A a</th>"));
  EXPECT_TRUE(has(render({simulated, simulated}), "SIMULATED, all runs"));
  EXPECT_FALSE(has(render({sample_run("a"), sample_run("b")}), "class=\"banner"));
}

TEST(ComparisonPage, RepeatsGiveARangeAndOthersNone) {
  auto other = sample_run("c");
  other.manifest.options["seed"] = 7;
  const auto page = render({sample_run("a"), sample_run("b", 10), other});
  EXPECT_TRUE(has(page, "<td>A, B</td><td class=\"n\">2</td>"
                        "<td class=\"n\">10.0 % to 13.0 %</td>"));
  EXPECT_TRUE(has(render({sample_run("a"), other}), "Not known: no two of these runs"));
}

TEST(ComparisonPage, IsSmallForAnyRuns) {
  const std::string words(500, '"');  // six bytes each once escaped
  std::vector<SampleRun> all;
  for (int i = 0; i < 10; ++i) {
    auto run = sample_run(words, 20'000);
    for (int n = 0; n < 300; ++n) {
      run.manifest.options[words + std::to_string(n)] = std::to_string(i) + words;
      run.traces.problems.push_back(words);
      auto row = run.traces.requests.front();
      row.concurrency_group = n;
      row.status = "error:" + words;
      row.error_detail = words;
      run.traces.requests.push_back(row);
    }
    all.push_back(std::move(run));
  }
  const auto page = render(all);
  EXPECT_LT(page.size(), kMostBytes);
  EXPECT_TRUE(has(page, "240 more differ"));
}

}  // namespace
}  // namespace memprof::report
