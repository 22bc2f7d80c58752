#include "simulated_run.hpp"

#include "expect.hpp"
#include "records/gpu.hpp"
#include "records/manifest.hpp"
#include "records/request_trace.hpp"
#include "records/summary.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>

namespace memprof::smoke {
namespace {

constexpr Tokens kInput = 64;
constexpr Tokens kOutput = 192;
constexpr std::int64_t kFits = 2;
constexpr std::int64_t kTooMany = 16;
constexpr std::size_t kRequests = kFits + kTooMany;

/// 128 blocks of 16 tokens hold 7 whole requests.
std::string run_profile(const Scratch& scratch) {
  const auto outcome = scratch.run(
      "run_memory_profile",
      {"--simulate", "--output-dir=" + scratch.file("results"), "--tag=smoke",
       fmt::format("--input-lens={}", kInput), fmt::format("--output-lens={}", kOutput),
       fmt::format("--concurrencies={},{}", kFits, kTooMany), "--n-per-condition=auto",
       "--prefix-modes=low", "--exact-output", "--stream", "--group-pause-s=0.2",
       "--baseline-s=0.3", "--tail-s=0.3", "--gpu-interval-ms=20", "--metrics-interval-ms=20", "--",
       "--speed=10", "--num-gpu-blocks-override=128", "--max-model-len=1024"});
  expect_code(outcome, 0);
  expect(outcome.errors.find("SIMULATED") != std::string::npos,
         "the ending does not say that it is simulated");
  for (const auto& entry : std::filesystem::directory_iterator(scratch.file("results"))) {
    return entry.path().string() + '/';
  }
  throw ToolError(ExitCode::failed, "the run left no folder");
}

void check_requests(const std::string& folder, const Summary& summary) {
  const auto rows = read_csv<RequestTraceRow>(folder + "request_trace.csv");
  expect(rows.size() == kRequests, fmt::format("{} requests instead of {}", rows.size(),
                                               kRequests));
  Tokens prompt = 0;
  Tokens completion = 0;
  for (const auto& row : rows) {
    expect(row.ok(), row.req_id + ": " + row.status);
    expect(row.completion_tokens == kOutput, row.req_id + ": the answer has another length");
    prompt += row.prompt_tokens.value_or(0);
    completion += row.completion_tokens.value_or(0);
  }
  expect(summary.ok_requests == static_cast<std::int64_t>(kRequests),
         "summary.json has another number of requests");
  expect(summary.load.prompt_tokens == prompt && summary.load.completion_tokens == completion,
         "summary.json has other tokens than the trace");
  expect(summary.server_metrics && summary.server_metrics->generation_tokens == completion,
         "the server counted other tokens than the trace");
}

std::int64_t preemptions_at(const Summary& summary, std::int64_t concurrency) {
  const auto level = summary.by_concurrency.find(concurrency);
  expect(level != summary.by_concurrency.end() && level->second.kv.preemptions,
         fmt::format("concurrency {}: preemptions are not known", concurrency));
  return *level->second.kv.preemptions;
}

void check_gpus(const std::string& folder, const Manifest& manifest) {
  expect(manifest.samplers.gpu_mem_sampler &&
             manifest.samplers.gpu_mem_sampler->backend == "simulated",
         "the GPU is not the simulator's");
  const auto rows = read_csv<GpuMemRow>(folder + "gpu_mem_trace.csv");
  expect(!rows.empty() && std::all_of(rows.begin(), rows.end(), [](const GpuMemRow& row) {
    return row.used_mib.has_value() && *row.used_mib > 0;
  }), "gpu_mem_trace.csv has no memory in it");
}

/// All that was started ended as it was told to, and no process of it is left.
void check_children(const Manifest& manifest) {
  bool simulator = false;
  for (const auto& child : manifest.children) {
    simulator = simulator || child.name == "vllm_simulator";
    expect(child.ended_as_told, child.name + " did not end as it was told to");
    const bool gone = child.pid && ::kill(static_cast<pid_t>(*child.pid), 0) != 0 && errno == ESRCH;
    expect(gone, child.name + " is still there");
  }
  expect(simulator, "the manifest does not name the simulator");
}

}  // namespace

std::string check_simulated_run(const Scratch& scratch) {
  const auto folder = run_profile(scratch);
  const auto summary = files::read_json<Summary>(folder + "summary.json").value();
  const auto manifest = files::read_json<Manifest>(folder + "manifest.json").value();
  expect(summary.simulated && manifest.simulated, "the files do not say that it is simulated");
  check_requests(folder, summary);
  check_gpus(folder, manifest);
  check_children(manifest);
  expect(preemptions_at(summary, kFits) == 0, fmt::format("preemptions at {}", kFits));
  const auto preemptions = preemptions_at(summary, kTooMany);
  expect(preemptions > 0, fmt::format("no preemption at {}, which does not fit", kTooMany));
  return fmt::format("{} requests, {} preemptions", kRequests, preemptions);
}

}  // namespace memprof::smoke
