#include "options.hpp"

#include "cli/option_groups.hpp"

namespace memprof::profile {
namespace {

void add_simulate_options(cli::OptionTable& table, Options& options) {
  table.add("simulate", options.simulate, "",
            "No server and no GPU: start vllm_simulator for this run and measure that. Manifest, "
            "summary and verdict say `simulated`.");
  table.exclude("simulate", {"base-url", "api-key-file", "ca-file", "insecure", "ready-timeout",
                             "gpu-backend", "metrics-url", "server-log"});
  table.after_dashes("simulator-options", options.simulator_options, "OPTIONS",
                     "Options of vllm_simulator (see its --help), with --simulate.");
}

void add_memory_options(cli::OptionTable& table, Options& options) {
  table.section("GPU memory");
  table.add("gpu-interval-ms", options.gpu.interval_ms, "MS", "Between two readings.", {1, 3.6e6});
  table.add_or_word("gpu-indices", options.gpu.indices, "all", "LIST",
                    "GPUs to read, by the driver's index.", {0, 1e6});
  table.add_or_word("gpu-backend", options.gpu.backend, "auto", "KIND",
                    "How to read it: nvml, nvidia-smi, nvidia-smi-poll, amdgpu, simulated (what a "
                    "vllm_simulator at the base URL says), none; auto: the first real one that "
                    "works.");
  table.section("Server metrics");
  table.add("metrics-url", options.metrics.url, "URL",
            "Where the server has its /metrics; else beside the base URL's /v1.");
  table.add("metrics-interval-ms", options.metrics.interval_ms, "MS", "Between two scrapes.",
            {1, 3.6e6});
  table.add("no-server-metrics", options.metrics.off, "", "Do not ask for /metrics.");
  table.add("server-log", options.server_log, "FILE",
            "The server's log: its start-up lines say what weights and KV cache take.");
  table.add("kv-bytes-per-token", options.kv_bytes_per_token, "N",
            "Bytes of KV cache per token on one GPU, where the log does not tell.", {1, 1e9});
}

}  // namespace

cli::OptionTable option_table(Options& options) {
  constexpr double kMostSeconds = 1e7;
  cli::OptionTable table("run_memory_profile",
                         "sends a grid of requests to a server, samples GPU memory meanwhile, and "
                         "prints the run's folder.",
                         options);
  table.example("run_memory_profile --base-url http://127.0.0.1:8000/v1",
                "The default grid, 48 requests, into results/memory_profile/.");
  table.example("run_memory_profile --input-lens 1024 --concurrencies 4,8 --n-per-condition auto",
                "A small grid, with enough requests to reach every concurrency.");
  table.example("run_memory_profile --workload my.jsonl --stream --gpu-indices 0,1",
                "A workload of your own, streamed; memory of two GPUs.");
  table.example("run_memory_profile --simulate -- --speed 10 --num-gpu-blocks-override 4096",
                "Against a simulator, ten times as fast, with a small KV cache.");
  cli::add_target_options(table, options.target);
  table.add("ready-timeout", options.ready_timeout, "S",
            "Seconds to wait for a server that refuses connections or says 503.",
            {0, kMostSeconds});
  add_simulate_options(table, options);
  cli::add_grid_options(table, options.grid);
  table.add("calibrate", options.calibrate, "KIND",
            "yes: ask the server's tokenizer, so that prompts have input_len tokens on any model.");
  table.add("workload", options.workload, "FILE",
            "Send this workload.jsonl instead of generating one; - is stdin.");
  cli::add_replay_options(table, options.replay);
  cli::add_schedule_option(table, options.replay.schedule);
  add_memory_options(table, options);
  table.section("Run");
  table.add("output-dir", options.output_dir, "DIR", "A folder for the run is made in it.");
  table.add("tag", options.tag, "TEXT",
            "Ends the folder's name; letters, digits, `.`, `_` and `-` stay.");
  table.add("baseline-s", options.baseline_s, "S",
            "Seconds of GPU readings before the first request.", {0, kMostSeconds});
  table.add("tail-s", options.tail_s, "S", "Seconds of GPU readings after the last answer.",
            {0, kMostSeconds});
  return table;
}

}  // namespace memprof::profile
