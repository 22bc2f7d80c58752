#include "checks.hpp"

#include "expect.hpp"
#include "records/account.hpp"
#include "records/gpu.hpp"
#include "records/request_trace.hpp"
#include "simulated_run.hpp"
#include "workload/workload_reader.hpp"

#include <fmt/format.h>

#include <functional>

namespace memprof::smoke {
namespace {

/// What a check found: words for its line. Throws a ToolError with what is wrong.
using Check = std::function<std::string()>;

std::string check_workload(const Scratch& scratch) {
  const std::vector<std::string> grid{"--input-lens=128,256", "--output-lens=8",
                                      "--concurrencies=2,4"};
  for (const char* name : {"workload.jsonl", "again.jsonl"}) {
    auto arguments = grid;
    arguments.push_back("--output=" + scratch.file(name));
    expect_code(scratch.run("workload_gen", arguments), 0);
  }
  const auto text = files::read_document(scratch.file("workload.jsonl")).value();
  expect(text == files::read_document(scratch.file("again.jsonl")).value(),
         "the same flags gave other bytes");
  std::int64_t with_prompt = 0;
  const auto lines = workload::read_workload(
      scratch.file("workload.jsonl"), [&](WorkloadRequest&& request) {
        with_prompt += request.prompt && !request.prompt->empty() ? 1 : 0;
      }).value();
  expect(lines == 8 && with_prompt == 8, fmt::format("{} requests instead of 8", lines));
  return "8 requests, the same bytes twice";
}

std::string check_sampler(const Scratch& scratch) {
  const auto outcome = scratch.run(
      "gpu_mem_sampler", {"--duration=1", "--output=" + scratch.file("gpu_mem_trace.csv"),
                          "--stats-out=" + scratch.file("gpu.json")});
  expect_code(outcome, 0);
  const auto rows = read_csv<GpuMemRow>(scratch.file("gpu_mem_trace.csv"));
  const auto account = files::read_json<GpuSamplerAccount>(scratch.file("gpu.json")).value();
  const auto& ticks = account.ticks;
  expect(ticks.due == ticks.taken + ticks.missed,
         fmt::format("{} ticks due, but {} taken and {} missed", ticks.due, ticks.taken,
                     ticks.missed));
  expect(static_cast<std::int64_t>(rows.size()) == account.process.rows,
         fmt::format("{} rows instead of {}", rows.size(), account.process.rows));
  if (account.gpus.empty()) return "no GPU here: header only";
  return fmt::format("{} rows of {} GPUs by {}", rows.size(), account.gpus.size(),
                     account.backend);
}

std::string check_runner(const Scratch& scratch) {
  const RefusedPort port;
  const auto outcome = scratch.run(
      "request_runner",
      {fmt::format("--base-url=http://127.0.0.1:{}/v1", port.number()), "--group-pause-s=0",
       "--output=" + scratch.file("request_trace.csv"), scratch.file("workload.jsonl")});
  expect_code(outcome, 1);
  const auto rows = read_csv<RequestTraceRow>(scratch.file("request_trace.csv"));
  expect(rows.size() == 8, fmt::format("{} rows instead of 8", rows.size()));
  for (const auto& row : rows) {
    expect(row.status == "error:connect", row.req_id + ": " + row.status);
  }
  return "8 requests to a closed port, 8 rows error:connect";
}

std::string check_profile(const Scratch& scratch) {
  const RefusedPort port;
  const auto outcome = scratch.run(
      "run_memory_profile", {fmt::format("--base-url=http://127.0.0.1:{}/v1", port.number()),
                             "--output-dir=" + scratch.file("results")});
  expect_code(outcome, 3);
  expect(outcome.errors.find(fmt::format("http://127.0.0.1:{}/v1", port.number())) !=
             std::string::npos,
         "the URL is not named: " + outcome.errors);
  return "no server: exit 3, the URL named";
}

}  // namespace

int run(const cli::CommonOptions&, cli::Tool&) {
  const cli::StopSignal stop;
  const Scratch scratch(stop);
  const std::vector<std::pair<std::string, Check>> checks{
      {"workload_gen", [&] { return check_workload(scratch); }},
      {"gpu_mem_sampler", [&] { return check_sampler(scratch); }},
      {"request_runner", [&] { return check_runner(scratch); }},
      {"run_memory_profile", [&] { return check_profile(scratch); }},
      {"vllm_simulator", [&] { return check_simulated_run(scratch); }},
  };
  bool all_ok = true;
  for (const auto& [name, check] : checks) {
    try {
      cli::detail::print_and_flush(fmt::format("ok   {}: {}\n", name, check()));
    } catch (const ToolError& error) {
      all_ok = false;
      cli::detail::print_and_flush(
          fmt::format("FAIL {}: {}\n", name, formats::one_line(error.what(), 500)));
    }
    if (stop.number() != 0) return 128 + stop.number();
  }
  return static_cast<int>(all_ok ? ExitCode::ok : ExitCode::failed);
}

}  // namespace memprof::smoke
