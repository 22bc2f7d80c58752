#include "options.hpp"

#include "simulator/presets.hpp"

namespace memprof::simulator_tool {
namespace {

std::string preset_names() {
  std::string names;
  for (const auto& preset : simulator::presets()) {
    names += (names.empty() ? "" : ", ") + std::string(preset.name);
  }
  return names;
}

void add_engine_options(cli::OptionTable& table, Options& options) {
  constexpr double kMost = 1e9;
  table.section("Engine, as vllm serve has it");
  table.add("gpu-memory-utilization", options.gpu_memory_utilization, "SHARE",
            "Share of a GPU's memory that the server takes.", {0.01, 1});
  table.add("num-gpu-blocks-override", options.num_gpu_blocks_override, "N",
            "KV cache blocks, one of them unusable; else as many as the memory holds.", {2, kMost});
  table.add("block-size", options.block_size, "TOKENS", "Tokens in a block.", {1, 4096});
  table.add("max-model-len", options.max_model_len, "TOKENS",
            "Longest prompt and answer together; else the model's, or as many as the blocks hold.",
            {2, kMost});
  table.add("max-num-seqs", options.max_num_seqs, "N", "Most requests that run at once.",
            {1, kMost});
  table.add("max-num-batched-tokens", options.max_num_batched_tokens, "TOKENS",
            "Most tokens that are computed in a step.", {1, kMost});
  table.add("max-num-queued-reqs", options.max_num_queued_reqs, "N",
            "Refuse requests (503) beyond this many in the engine; else take all.", {1, kMost});
  table.add("long-prefill-token-threshold", options.long_prefill_token_threshold, "TOKENS",
            "Most prompt tokens of one request in a step; 0: no limit.", {0, kMost});
  table.add("watermark", options.watermark, "SHARE",
            "Share of the blocks that new requests leave free.", {0, 1});
  table.add("no-enable-prefix-caching", options.no_enable_prefix_caching, "",
            "Keep no block for later requests.");
  table.add("no-scheduler-reserve-full-isl", options.no_scheduler_reserve_full_isl, "",
            "Admit a request whose whole prompt does not fit yet.");
  table.add("no-async-scheduling", options.no_async_scheduling, "",
            "Plan a step only when the one before is over, as vLLM does on CPUs.");
}

void add_step_time_options(cli::OptionTable& table, Options& options) {
  constexpr double kMost = 1e9;
  table.add("step-ms", options.step_ms, "MS",
            "A step takes this; else, as the next three, what the preset comes to.", {0, kMost});
  table.add("prefill-token-us", options.prefill_token_us, "US",
            "And this for each prompt token that it computes.", {0, kMost});
  table.add("sequence-us", options.sequence_us, "US", "And this for each request in it.",
            {0, kMost});
  table.add("kv-token-ns", options.kv_token_ns, "NS",
            "And this for each token that its requests have in the KV cache.", {0, kMost});
}

}  // namespace

cli::OptionTable option_table(Options& options) {
  cli::OptionTable table("vllm_simulator",
                         "answers as a vLLM server would, with vLLM's KV cache and scheduler as a "
                         "model; no GPU is used and no text means anything.",
                         options);
  table.example("vllm_simulator --port 8000",
                "An H100 with Llama 3.1 8B on port 8000, until Ctrl-C.");
  table.example("vllm_simulator --num-gpu-blocks-override 2000 --speed 10",
                "With few KV blocks, ten times as fast.");
  table.example("run_memory_profile --simulate -- --num-gpu-blocks-override 2000",
                "Started and ended by a run.");
  table.section("Server");
  table.add("host", options.host, "ADDRESS", "Where to listen.");
  table.add("port", options.port, "N", "0: a free port, which the line on stdout says.",
            {0, 65535});
  table.add("served-model-name", options.served_model_name, "NAME",
            "The model's name; else that of the preset's model.");
  table.add("api-key-file", options.api_key_file, "FILE",
            "Ask clients for the key in this file's first line.");
  table.add("no-enable-prompt-tokens-details", options.no_enable_prompt_tokens_details, "",
            "Do not tell cached tokens in an answer's usage.");
  table.add("stop-rate", options.stop_rate, "SHARE",
            "Chance that an answer ends with a token, where a request lets it.", {0, 1});
  table.section("What is simulated");
  table.add("preset", options.preset, "NAME", "GPUs and model: " + preset_names() + ".");
  table.add("speed", options.speed, "N", "Times as fast as the GPUs would be.", {0.001, 1000});
  add_step_time_options(table, options);
  table.add("enable-logging-iteration-details", options.enable_logging_iteration_details, "",
            "Log a line for each step, as vLLM does.");
  add_engine_options(table, options);
  return table;
}

}  // namespace memprof::simulator_tool
