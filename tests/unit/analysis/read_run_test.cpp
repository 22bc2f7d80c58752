#include "analysis/read_run.hpp"

#include "analysis/summarize.hpp"
#include "files/document.hpp"
#include "sample_run.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <string_view>

#include <unistd.h>

namespace memprof::analysis {
namespace {

constexpr std::string_view kOldRequests =
    "req_id,input_len,output_len,concurrency_group,start_ts,end_ts,status,prompt_tokens,"
    "completion_tokens\n"
    "a,1000,50,2,2026-02-25T10:00:00.000000+00:00,2026-02-25T10:00:10.000000+00:00,ok,1000,50\n"
    "b,1000,50,2,2026-02-25T10:00:05.000000+00:00,2026-02-25T10:00:09.000000+00:00,"
    "error:timeout,,\n";
constexpr std::string_view kGpu =
    "timestamp,gpu_idx,used_mib,total_mib,util_pct\n"
    "2026-02-25T09:59:58.000000+00:00,0,100,1000,0\n"
    "2026-02-25T10:00:01.000000+00:00,0,300,1000,50\n"
    "2026-02-25T10:00:02.000000+00:00,0,,,\n";
constexpr std::string_view kWorkload =
    "{\"req_id\":\"a\",\"prompt\":\"x\",\"input_len\":1000}\n\n{\"req_id\":\"b\"}\r\n";

class ReadRun : public ::testing::Test {
 protected:
  ReadRun()
      : folder_(std::filesystem::temp_directory_path() /
                ("memprof_read_run_" + std::to_string(::getpid()))) {
    std::filesystem::create_directories(folder_ / "logs");
    write("workload.jsonl", kWorkload);
    write("request_trace.csv", kOldRequests);
    write("gpu_mem_trace.csv", kGpu);
  }
  ~ReadRun() override { std::filesystem::remove_all(folder_); }

  void write(const char* name, std::string_view text) const {
    files::write_document((folder_ / name).string(), text);
  }
  void remove(const char* name) const { std::filesystem::remove(folder_ / name); }
  [[nodiscard]] RunTraces read() const { return read_run(folder_.string()); }
  /// The only problem, and that it names the file.
  [[nodiscard]] std::string problem(std::string_view file) const {
    const auto problems = read().problems;
    if (problems.size() != 1) return std::to_string(problems.size()) + " problems";
    const auto at = problems[0].find(file);
    return at == std::string::npos ? problems[0] : problems[0].substr(at + file.size());
  }

  std::filesystem::path folder_;
};

TEST_F(ReadRun, TheOriginalScriptsFolder) {
  const auto traces = read();
  EXPECT_TRUE(traces.problems.empty()) << traces.problems.front();
  ASSERT_EQ(traces.requests.size(), 2u);
  EXPECT_EQ(traces.requests[1].status, "error:timeout");
  EXPECT_EQ(traces.requests[1].prompt_tokens, std::nullopt);
  EXPECT_EQ(traces.requests[0].prefix_mode, std::nullopt);
  EXPECT_EQ(traces.workload_requests, 2);
  EXPECT_EQ(traces.gpu_rows, 3);
  EXPECT_EQ(traces.gpus.at(0).rows, 3);
  EXPECT_EQ(traces.gpus.at(0).readings.size(), 2u);
  EXPECT_EQ(traces.gpus.at(0).total_mib, 1000);
  EXPECT_FALSE(traces.runner.has_value());

  const auto summary = summarize(traces, Manifest{});
  EXPECT_EQ(summary.by_concurrency.at(2).max_in_flight, 2);
  EXPECT_EQ(summary.gpus[0].baseline_mib, 100);
  EXPECT_EQ(summary.gpus[0].delta_mib, 200);
}

TEST_F(ReadRun, TheRunnersAccount) {
  RunnerAccount account;
  account.start_lag_p99_ms = 1.5;
  account.connections_opened = 4;
  files::write_json((folder_ / "logs" / "request_runner.stats.json").string(), account);
  const auto traces = read();
  EXPECT_TRUE(traces.problems.empty());
  ASSERT_TRUE(traces.runner.has_value());
  EXPECT_EQ(traces.runner->start_lag_p99_ms, 1.5);
  EXPECT_EQ(summarize(traces, Manifest{}).load.connections_opened, 4);
  write("logs/request_runner.stats.json", "{\"requests\":");
  EXPECT_FALSE(read().runner.has_value());
  EXPECT_NE(problem("request_runner.stats.json").find("not JSON"), std::string::npos);
}

constexpr std::string_view kServer =
    "timestamp,engine,kv_cache_usage_pct,kv_tokens_used,kv_tokens_total,requests_running,"
    "requests_waiting,preemptions_total,prefix_cache_queries_total,prefix_cache_hits_total,"
    "prompt_tokens_total,generation_tokens_total,scrape_ms\n"
    "2026-02-25T10:00:02.000000+00:00,0,50,800,1616,2,0,7,100,90,500,20,1.5\n"
    "2026-02-25T10:00:02.000000+00:00,1,25,,,1,,7,,,500,20,1.5\n"
    "2026-02-25T10:00:01.000000+00:00,0,10,160,1616,1,0,7,50,40,400,10,2\n";

TEST_F(ReadRun, TheServersMetrics) {
  write("server_metrics_trace.csv", kServer);
  ServerMetricsAccount account;
  account.restarts = 3;
  files::write_json((folder_ / "logs" / "server_metrics_sampler.stats.json").string(), account);
  const auto traces = read();
  EXPECT_TRUE(traces.problems.empty()) << traces.problems.front();
  EXPECT_EQ(traces.engine_rows, 3);
  ASSERT_EQ(traces.engines.size(), 2u);
  const auto& zero = traces.engines.at("0");
  ASSERT_EQ(zero.readings.size(), 2u);
  EXPECT_EQ(zero.readings[0].usage_pct, 10);  // in the order of time
  EXPECT_EQ(zero.readings[1].timestamp - zero.readings[1].asked, std::chrono::microseconds(1500));
  EXPECT_EQ(zero.readings[1].counters.prefix_cache_hits_total, 90);
  EXPECT_EQ(zero.kv_tokens_total, 1616);
  const auto& one = traces.engines.at("1");
  EXPECT_EQ(one.kv_tokens_total, std::nullopt);
  EXPECT_EQ(one.readings[0].waiting, std::nullopt);
  EXPECT_EQ(one.readings[0].counters.prefix_cache_queries_total, std::nullopt);
  EXPECT_EQ(traces.server_sampler->restarts, 3);
}

TEST_F(ReadRun, ServerMetricsMayBeMissingButNotBroken) {
  EXPECT_TRUE(read().problems.empty());
  write("server_metrics_trace.csv", kServer.substr(0, kServer.size() - 20));
  EXPECT_EQ(read().engine_rows, 2);
  EXPECT_EQ(problem("server_metrics_trace.csv"),
            ": ends in the middle of a line; that line is left out");
  write("server_metrics_trace.csv", "");
  EXPECT_EQ(problem("server_metrics_trace.csv"), ": no header line");
  write("server_metrics_trace.csv", "timestamp,engine\n2026-02-25T10:00:02.000000+00:00,\n");
  EXPECT_EQ(problem("server_metrics_trace.csv"), ": 1 rows without timestamp or engine, left out");
  remove("server_metrics_trace.csv");
  write("logs/server_metrics_sampler.stats.json", "[]");
  EXPECT_NE(problem("server_metrics_sampler.stats.json").find("must be an object"),
            std::string::npos);
}

TEST_F(ReadRun, AMissingFileIsNamedAndTheRestGiven) {
  remove("gpu_mem_trace.csv");
  EXPECT_NE(problem("gpu_mem_trace.csv").find("No such file"), std::string::npos);
  EXPECT_EQ(read().requests.size(), 2u);
  remove("request_trace.csv");
  remove("workload.jsonl");
  EXPECT_EQ(read().problems.size(), 3u);
  EXPECT_EQ(read().workload_requests, std::nullopt);
  EXPECT_EQ(read_run((folder_ / "absent").string()).problems.size(), 3u);
}

TEST_F(ReadRun, AnEmptyFileIsNoTrace) {
  write("request_trace.csv", "");
  EXPECT_EQ(problem("request_trace.csv"), ": no header line");
  EXPECT_EQ(read().gpu_rows, 3);
}

TEST_F(ReadRun, AnEmptyRunHasNoProblems) {
  write("workload.jsonl", "");
  write("request_trace.csv", kOldRequests.substr(0, kOldRequests.find('\n') + 1));
  write("gpu_mem_trace.csv", kGpu.substr(0, kGpu.find('\n') + 1));
  const auto traces = read();
  EXPECT_TRUE(traces.problems.empty()) << traces.problems.front();
  EXPECT_EQ(traces.workload_requests, 0);
  const auto summary = summarize(traces, Manifest{});
  EXPECT_EQ(summary.requests_without_row, 0);
  EXPECT_TRUE(summary.by_concurrency.empty());
}

TEST_F(ReadRun, ACutFileLosesItsLastLineOnly) {
  // Cut anywhere in the last line: a cut number must never be taken for a number.
  const auto whole = kGpu.rfind('\n', kGpu.size() - 2) + 1;
  for (auto size = whole + 1; size < kGpu.size(); ++size) {
    write("gpu_mem_trace.csv", kGpu.substr(0, size));
    EXPECT_EQ(read().gpu_rows, 2) << size;
    EXPECT_EQ(problem("gpu_mem_trace.csv"),
              ": ends in the middle of a line; that line is left out");
  }
  write("gpu_mem_trace.csv", kGpu);
  write("workload.jsonl", kWorkload.substr(0, kWorkload.size() - 6));
  EXPECT_EQ(read().workload_requests, 1);
  EXPECT_EQ(problem("workload.jsonl"), ": ends in the middle of a line; that line is left out");
}

TEST_F(ReadRun, AForeignFileIsSaidToBeOne) {
  write("request_trace.csv", "name,age\nx,3\n");
  EXPECT_EQ(problem("request_trace.csv"), ": not one known column in its header");
  write("request_trace.csv", kOldRequests);
  write("gpu_mem_trace.csv", "timestamp,gpu_idx,used_mib,total_mib,util_pct\nx,y\n1,2,3,4,5\n");
  EXPECT_EQ(problem("gpu_mem_trace.csv"),
            ": record 1: 2 cells instead of 5 (2 unreadable in all, left out)");
  write("gpu_mem_trace.csv", "gpu_idx,used_mib\n0,5\n");
  EXPECT_EQ(problem("gpu_mem_trace.csv"), ": 1 rows without timestamp, left out");
  EXPECT_EQ(read().gpu_rows, 0);
  write("gpu_mem_trace.csv", kGpu);
  write("workload.jsonl", "once upon\na time\n");
  EXPECT_EQ(problem("workload.jsonl"), ": 2 lines that are not requests");
  EXPECT_EQ(read().workload_requests, std::nullopt);
}

TEST_F(ReadRun, RowsOfAnotherKindAreLeftOut) {
  write("request_trace.csv", "req_id,end_ts\na,2026-02-25T10:00:00.000000+00:00\n");
  EXPECT_EQ(problem("request_trace.csv"), ": 1 rows without req_id or status, left out");
  EXPECT_TRUE(read().requests.empty());
}

TEST_F(ReadRun, NumbersThatNoSumCanHoldAreLeftOut) {
  write("gpu_mem_trace.csv",
        "timestamp,gpu_idx,used_mib,total_mib,util_pct\n"
        "2026-02-25T10:00:02.000000+00:00,0,9223372036854775807,9223372036854775807,0\n"
        "2026-02-25T10:00:02.200000+00:00,0,5,10,0\n");
  const auto traces = read();
  EXPECT_EQ(traces.gpu_rows, 1);
  EXPECT_EQ(problem("gpu_mem_trace.csv"), ": 1 rows with numbers too large to be measured, left out");
  write("server_metrics_trace.csv",
        "timestamp,engine,kv_cache_usage_pct,scrape_ms\n"
        "2026-02-25T10:00:02.000000+00:00,0,1,2e118\n"
        "2026-02-25T10:00:02.000000+00:00,0,-inf,1\n"
        "2026-02-25T10:00:02.000000+00:00,0,nan,1\n"
        "2026-02-25T10:00:02.200000+00:00,0,1,1\n");
  EXPECT_EQ(read().engine_rows, 1);
}

TEST_F(ReadRun, ALineOrAQuoteWithoutEndTakesNoMemory) {
  const std::string head =
      "timestamp,gpu_idx,used_mib,total_mib,util_pct\n"
      "2026-02-25T10:00:02.200000+00:00,0,5,10,0\n";
  const std::string line(3u << 20, 'x');
  std::string lines;
  while (lines.size() < line.size()) lines += "x,x\n";
  for (const auto& text : {line, "\"" + line + "\n", "\"" + lines}) {
    write("gpu_mem_trace.csv", head + text);
    EXPECT_EQ(read().gpu_rows, 1);
    EXPECT_EQ(problem("gpu_mem_trace.csv"),
              ": a record after 1 others is longer than 1 MiB; it and the rest are left out");
  }
}

TEST_F(ReadRun, ReadingsComeInTheOrderOfTime) {
  write("gpu_mem_trace.csv",
        "timestamp,gpu_idx,used_mib,total_mib,util_pct\n"
        "2026-02-25T10:00:01.000000+00:00,1,300,1000,50\n"
        "2026-02-25T10:00:00.000000+00:00,1,200,1000,50\n");
  const auto traces = read();
  EXPECT_EQ(traces.gpus.at(1).readings[0].used_mib, 200);
}

}  // namespace
}  // namespace memprof::analysis
