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

void run_steps(RunContext& run) {
  prepare_workload(run);
  if (run.interrupted()) return;
  GpuStep gpus(run);
  std::optional<MetricsStep> metrics;
  if (run.server.has_metrics && !run.interrupted()) metrics.emplace(run);
  Samplers samplers{&gpus};
  if (metrics) samplers.push_back(&*metrics);
  if (!run.interrupted()) {
    run.manifest.timeline.baseline_start = run.tool.clock().now();
    sample_for(run, samplers, run.options.baseline_s);
  }
  if (!run.interrupted() && !run.failure) {
    run_load(run, samplers);
    if (!run.interrupted() && !run.failure) sample_for(run, samplers, run.options.tail_s);
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
  if (run.manifest.interrupted) return 128 + run.stop.number();
  const auto& children = run.manifest.children;
  const bool all_as_told = std::all_of(children.begin(), children.end(), [](const auto& child) {
    return child.ended_as_told;
  });
  const bool all_ok = summary.error_requests == 0 && summary.requests_without_row.value_or(0) == 0;
  return static_cast<int>(all_ok && all_as_told ? ExitCode::ok : ExitCode::failed);
}

}  // namespace

int run(Options& options, cli::Tool& tool) {
  end_at_once_on_signals();
  const auto start = tool.clock().now();
  const auto url = parse_base_url(options);
  const auto headers = http::read_headers(options.target).value();
  load::check_extra_body(options.replay).value();
  for (const char* name :
       {"workload_gen", "gpu_mem_sampler", "server_metrics_sampler", "request_runner"}) {
    process::sibling(name);
  }
  check_given_workload(options);
  check_output_dir(options.output_dir);
  const auto startup_memory = read_server_log(options);
  auto server = ask_server(options, url, headers, tool);
  server.has_metrics = has_known_metrics(options, url, headers, tool);
  drop_salt_elsewhere(options, server, tool);
  check_gpus(options);

  const cli::StopSignal stop;
  const RunFolder folder(options.output_dir, make_run_id(start, options.tag));
  auto manifest = begin_manifest(options, folder, server, start);
  manifest.startup_memory = startup_memory;
  RunContext context{options, tool, stop, folder, server, manifest, {}};
  run_steps(context);
  const auto summary = finish_files(context);

  if (!tool.quiet()) {
    cli::say(analysis::describe_ending(summary, manifest, folder.path().string()));
  }
  cli::detail::print_and_flush(folder.path().string() + "\n");
  if (context.failure && !manifest.interrupted) throw ToolError(*context.failure);
  return exit_code(context, summary);
}

}  // namespace memprof::profile
