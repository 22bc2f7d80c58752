#include "profile.hpp"

#include "analysis/ending.hpp"
#include "cli/words.hpp"
#include "gpu_step.hpp"
#include "http/credentials.hpp"
#include "load/request_writer.hpp"
#include "load_step.hpp"
#include "manifest_step.hpp"
#include "metrics_step.hpp"
#include "process/sibling.hpp"
#include "run_context.hpp"
#include "server_probe.hpp"
#include "simulator_step.hpp"
#include "workload_step.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <optional>
#include <vector>

#include <unistd.h>

namespace memprof::profile {
namespace {

/// While the server is asked there is nothing to keep: a signal ends the tool at once.
void end_at_once_on_signals() {
  for (const int number : {SIGINT, SIGTERM}) {
    std::signal(number, [](int caught) { ::_exit(128 + caught); });
  }
}

/// A salt is vLLM's own field, which a strict server may refuse.
void drop_salt_elsewhere(Options& options, const Server& server, cli::Tool& tool) {
  const auto& salt = options.replay.cache_salt;
  if (server.info.is_vllm.value_or(false) || (salt != "per-run" && salt != "per-group")) return;
  tool.note(fmt::format("--cache-salt {} is left out: the server does not say that it is vLLM; "
                        "a second run may start with a warm cache",
                        salt));
  options.replay.cache_salt = "none";
}

/// A step that cannot be done ends the run, and its files are completed all the same.
template <class Step>
void attempt(RunContext& run, Step step) {
  if (!run.goes_on()) return;
  try {
    step();
  } catch (const ToolError& error) {
    run.fail({error.code(), error.what()});
  }
}

void run_steps(RunContext& run) {
  attempt(run, [&] { prepare_workload(run); });
  std::optional<GpuStep> gpus;
  attempt(run, [&] { gpus.emplace(run); });
  std::optional<MetricsStep> metrics;
  if (run.server.has_metrics) attempt(run, [&] { metrics.emplace(run); });
  Samplers samplers;
  if (gpus) samplers.push_back(&*gpus);
  if (metrics) samplers.push_back(&*metrics);
  attempt(run, [&] {
    run.manifest.timeline.baseline_start = run.tool.clock().now();
    sample_for(run, samplers, run.options.baseline_s);
  });
  attempt(run, [&] { run_load(run, samplers); });
  attempt(run, [&] { sample_for(run, samplers, run.options.tail_s); });
  if (run.manifest.timeline.load_end) {
    run.manifest.timeline.tail_end = run.tool.clock().now();
  }
  if (run.interrupted()) {  // within the bounds of one, all told
    std::vector<ToolChild*> children;
    for (SamplerStep* sampler : samplers) children.push_back(&sampler->child());
    stop_together(children, kQuickEnd);
  }
  for (SamplerStep* sampler : samplers) sampler->finish();
}

int exit_code(const RunContext& run, const Summary& summary) {
  if (run.interrupted()) return 128 + run.stop.number();
  const auto& children = run.manifest.children;
  const bool all_as_told = std::all_of(children.begin(), children.end(), [](const auto& child) {
    return child.ended_as_told;
  });
  const bool all_ok = summary.error_requests == 0 && summary.requests_without_row.value_or(0) == 0;
  return static_cast<int>(all_ok && all_as_told ? ExitCode::ok : ExitCode::failed);
}

/// All that can be checked without a server. The headers for it.
std::vector<http::Header> check_before_start(const Options& options) {
  if (!options.simulate && !options.simulator_options.empty()) {
    throw ToolError(ExitCode::usage,
                    "options after -- are vllm_simulator's: --simulate is missing");
  }
  parse_base_url(options);
  auto headers = http::read_headers(options.target).value();
  load::check_extra_body(options.replay).value();
  for (const char* name :
       {"workload_gen", "gpu_mem_sampler", "server_metrics_sampler", "request_runner"}) {
    process::sibling(name);
  }
  if (options.simulate) process::sibling("vllm_simulator");
  check_given_workload(options);
  check_output_dir(options.output_dir);
  return headers;
}

/// Asks the server, and the GPUs that were named.
Server probe(Options& options, const std::vector<http::Header>& headers, cli::Tool& tool) {
  const auto url = parse_base_url(options);
  auto server = ask_server(options, url, headers, tool);
  server.has_metrics = has_known_metrics(options, url, headers, tool);
  drop_salt_elsewhere(options, server, tool);
  check_gpus(options);
  return server;
}

/// Its log lies in the run's folder, so the folder comes first; without a simulator it goes again.
/// None when a signal came before it was asked.
std::optional<Server> start_simulator(Options& options, const RunFolder& folder,
                                      const std::vector<http::Header>& headers, cli::Tool& tool,
                                      const cli::StopSignal& stop,
                                      std::optional<SimulatorStep>& simulator) {
  std::optional<Server> server;
  try {
    simulator.emplace(options, folder, tool.clock(), stop);
    if (stop.number() == 0) {
      options.target.base_url = simulator->base_url();
      server = probe(options, headers, tool);
    }
  } catch (const ToolError&) {
    const auto death = simulator ? simulator->death() : std::nullopt;
    simulator.reset();
    folder.discard();
    if (death) throw ToolError(*death);
    throw;
  }
  if (stop.number() == 0) return server;
  simulator.reset();
  folder.discard();
  return {};
}

/// What the run came to, in files and words. The exit code.
int end(RunContext& run) {
  if (!run.folder.is_there()) throw ToolError(run.folder.gone());
  Summary summary;
  try {
    summary = finish_files(run);
  } catch (const ToolError&) {
    if (run.failure) throw ToolError(*run.failure);  // a full disk: what it broke first
    throw;
  }
  const auto path = run.folder.path().string();
  if (!run.tool.quiet()) cli::say(analysis::describe_ending(summary, run.manifest, path));
  cli::detail::print_and_flush(path + "\n");
  if (run.failure && !run.interrupted()) throw ToolError(*run.failure);
  return exit_code(run, summary);
}

}  // namespace

int run(Options& options, cli::Tool& tool) {
  end_at_once_on_signals();
  const auto start = tool.clock().now();
  const auto headers = check_before_start(options);
  std::optional<StartupMemory> startup_memory;
  if (options.server_log) startup_memory = read_server_log(*options.server_log);
  std::optional<Server> server;
  if (!options.simulate) server = probe(options, headers, tool);

  const cli::StopSignal stop;
  const RunFolder folder(options.output_dir, make_run_id(start, options.tag));
  std::optional<SimulatorStep> simulator;
  if (options.simulate) {
    Server unknown;
    unknown.info.simulator = "vllm_simulator";
    begin_manifest(options, folder, unknown, start);  // a start that is killed says so itself
    server = start_simulator(options, folder, headers, tool, stop, simulator);
    if (!server) return 128 + stop.number();
    startup_memory = read_server_log(folder.log("vllm_simulator"));
  }
  auto manifest = begin_manifest(options, folder, *server, start);
  manifest.startup_memory = startup_memory;
  RunContext context{options, tool, stop, folder, *server, manifest, {}};
  run_steps(context);
  if (simulator) simulator->finish(context);
  return end(context);
}

}  // namespace memprof::profile
