#include "analysis/trace_events.hpp"

#include "sample_metrics.hpp"

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include <utility>

namespace memprof::analysis {
namespace {

using testing::at;
using testing::measured_run;
using testing::row;
using testing::SampleRun;

boost::json::value trace_of(const SampleRun& run) {
  std::string text;
  write_trace_events(run.traces, run.manifest, [&](std::string_view piece) { text += piece; });
  return boost::json::parse(text);
}

using Points = std::vector<std::pair<double, double>>;  ///< seconds, value

Points curve(const boost::json::value& trace, std::string_view name, std::string_view unit) {
  Points points;
  for (const auto& event : trace.at("traceEvents").as_array()) {
    if (event.at("ph") != "C" || event.at("name").as_string() != name) continue;
    points.emplace_back(event.at("ts").to_number<double>() / 1e6,
                        event.at("args").at(unit).to_number<double>());
  }
  return points;
}

struct Slice {
  std::string name;
  double begin;
  double end;
  bool operator==(const Slice&) const = default;
};
std::ostream& operator<<(std::ostream& out, const Slice& slice) {
  return out << slice.name << ' ' << slice.begin << ".." << slice.end;
}

std::vector<Slice> slices(const boost::json::value& trace, int process) {
  std::vector<Slice> found;
  for (const auto& event : trace.at("traceEvents").as_array()) {
    if (event.at("ph") != "X" || event.at("pid") != process) continue;
    const auto begin = event.at("ts").to_number<double>() / 1e6;
    found.push_back({std::string(event.at("name").as_string()), begin,
                     begin + event.at("dur").to_number<double>() / 1e6});
  }
  return found;
}

TEST(TraceEvents, RequestsWithTheirParts) {
  auto run = measured_run();
  auto& a = run.traces.requests[0];
  auto& b = run.traces.requests[1];
  a.scheduled_ts = at(9.5);
  a.first_token_ts = at(12);
  b.status = "error:timeout";
  const auto trace = trace_of(run);  // its first reading is at 8 s
  EXPECT_EQ(slices(trace, 2), (std::vector<Slice>{{"a", 1.5, 12},
                                                  {"wait", 1.5, 2},
                                                  {"prefill", 2, 4},
                                                  {"decode", 4, 12},
                                                  {"error:timeout b", 4, 14}}));
  EXPECT_EQ(trace.at("otherData").at("utc_start"), "2026-02-25T10:00:08.000000+00:00");
  for (const auto& event : trace.at("traceEvents").as_array()) {
    if (event.at("name") != "a") continue;
    EXPECT_EQ(event.at("cat"), "ok");
    EXPECT_EQ(event.at("args"),
              (boost::json::value{{"req_id", "a"}, {"input_len", 640}, {"output_len", 50},
                                  {"concurrency_group", 2}, {"status", "ok"},
                                  {"prompt_tokens", 640}, {"completion_tokens", 50},
                                  {"prefix_mode", "low"}, {"rep", 0}}));
  }
}

TEST(TraceEvents, PhasesAndGroups) {
  auto run = measured_run();
  run.traces.requests.push_back(row("c", 4, 21, 30));
  run.traces.requests.push_back(row("never sent", 8, 21, 30));
  run.traces.requests.back().start_ts.reset();
  run.manifest.timestamp = at(4);
  run.manifest.timeline = {at(5), at(9), at(31), at(33)};
  EXPECT_EQ(slices(trace_of(run), 1), (std::vector<Slice>{{"baseline", 1, 5},
                                                          {"load", 5, 27},
                                                          {"tail", 27, 29},
                                                          {"concurrency 2", 6, 18},
                                                          {"concurrency 4", 17, 26}}));
  run.manifest.timeline = {at(5), at(9), {}, {}};  // interrupted
  EXPECT_EQ(slices(trace_of(run), 1)[1].name, "concurrency 2");
}

TEST(TraceEvents, CurvesOfServerAndGpus) {
  auto run = measured_run();
  auto& readings = run.traces.engines["0"].readings;  // at 9, 11, 15, 19, 23
  readings[0].waiting.reset();
  readings[2].counters.preemptions_total = 10;
  readings[3].counters.preemptions_total = 2;  // the server was restarted
  readings[4].counters.preemptions_total = 3;
  run.traces.gpus[0].readings[1].util_pct = 50;
  const auto trace = trace_of(run);
  EXPECT_EQ(curve(trace, "engine 0 KV cache usage", "%"),
            (Points{{1, 0}, {3, 41}, {7, 84}, {11, 86}, {15, 0}}));
  EXPECT_EQ(curve(trace, "engine 0 running", "requests"),
            (Points{{1, 0}, {3, 1}, {7, 2}, {11, 2}, {15, 0}}));
  EXPECT_EQ(curve(trace, "engine 0 waiting", "requests"), (Points{{3, 0}, {15, 0}}));
  EXPECT_EQ(curve(trace, "engine 0 preemptions", "total"),
            (Points{{1, 0}, {3, 0}, {7, 3}, {11, 5}, {15, 6}}));
  EXPECT_EQ(curve(trace, "GPU 0 memory used", "MiB"),
            (Points{{0, 100}, {1, 110}, {3, 500}, {13, 400}}));
  EXPECT_EQ(curve(trace, "GPU 0 utilisation", "%"), (Points{{1, 50}}));
}

TEST(TraceEvents, FlatCurvesAreShort) {
  SampleRun run;
  auto& readings = run.traces.gpus[1].readings;
  for (int i = 0; i < 1000; ++i) readings.push_back({at(i), i < 600 ? 700 : 800});
  EXPECT_EQ(curve(trace_of(run), "GPU 1 memory used", "MiB"),
            (Points{{0, 700}, {599, 700}, {600, 800}, {999, 800}}));
}

TEST(TraceEvents, NothingMeasuredIsNoEvent) {
  SampleRun run;
  run.manifest.run_id = "empty";
  const auto trace = trace_of(run);
  for (const auto& event : trace.at("traceEvents").as_array()) EXPECT_EQ(event.at("ph"), "M");
  run = testing::healthy_run();
  run.traces.requests[0].end_ts = at(1);  // before its start
  run.traces.requests[1].start_ts.reset();
  run.traces.requests[1].scheduled_ts.reset();
  EXPECT_EQ(slices(trace_of(run), 2), std::vector<Slice>{});
}

TEST(TraceEvents, SimulatedRunsSaySoInEveryProcess) {
  auto run = measured_run();
  const auto marked = [&] {
    int names = 0;
    int simulated = 0;
    const auto trace = trace_of(run);
    for (const auto& event : trace.at("traceEvents").as_array()) {
      if (event.at("name") != "process_name") continue;
      ++names;
      const auto& name = event.at("args").at("name").as_string();
      if (name.find("(SIMULATED)") != std::string::npos) ++simulated;
    }
    return std::pair(names, simulated);
  };
  EXPECT_EQ(marked(), std::pair(4, 0));
  run.manifest.simulated = true;
  EXPECT_EQ(marked(), std::pair(4, 4));
}

}  // namespace
}  // namespace memprof::analysis
