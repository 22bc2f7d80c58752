#include "setup.hpp"

#include "records/error.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace memprof::simulator_tool {
namespace {

constexpr double kGiB = 1024.0 * 1024.0 * 1024.0;

double gib(std::int64_t bytes) { return static_cast<double>(bytes) / kGiB; }

const simulator::Preset& chosen_preset(const Options& options) {
  const auto* preset = simulator::find_preset(options.preset);
  if (preset == nullptr) {
    throw ToolError(ExitCode::usage,
                    fmt::format("--preset: there is no {} (see --help)", options.preset));
  }
  return *preset;
}

simulator::StepTime chosen_step_time(const Options& options, const simulator::Preset& preset) {
  auto time = simulator::step_time(preset);
  if (options.step_ms) time.per_step = *options.step_ms * 1e-3;
  if (options.prefill_token_us) time.per_prefill_token = *options.prefill_token_us * 1e-6;
  if (options.sequence_us) time.per_sequence = *options.sequence_us * 1e-6;
  if (options.kv_token_ns) time.per_kv_token = *options.kv_token_ns * 1e-9;
  return time;
}

std::int64_t number_of_blocks(const Options& options, Setup& setup) {
  const auto block_bytes = options.block_size * simulator::kv_bytes_per_token(setup.preset);
  const auto blocks =
      options.num_gpu_blocks_override.value_or(setup.memory.kv_pool / block_bytes);
  setup.memory.kv_pool = blocks * block_bytes;
  if (blocks < 2) {
    throw ToolError(ExitCode::usage,
                    "--gpu-memory-utilization: no memory is left for the KV cache; raise it");
  }
  const auto& memory = setup.memory;
  if (memory.used() + memory.reserved > memory.total) {
    throw ToolError(ExitCode::usage,
                    fmt::format("--num-gpu-blocks-override: {} blocks take {:.2f} GiB, more than "
                                "the GPU has left",
                                blocks, gib(memory.kv_pool)));
  }
  return blocks;
}

Tokens longest_request(const Options& options, const simulator::Preset& preset,
                       std::int64_t blocks) {
  const auto room = (blocks - 1) * options.block_size;
  if (!options.max_model_len) return std::max<Tokens>(2, std::min(preset.max_model_len, room));
  if (*options.max_model_len > room) {
    throw ToolError(ExitCode::usage,
                    fmt::format("--max-model-len: a request of {} tokens does not fit into {} KV "
                                "blocks of {} tokens, of which one is unusable",
                                *options.max_model_len, blocks, options.block_size));
  }
  return *options.max_model_len;
}

}  // namespace

Setup make_setup(const Options& options) {
  const auto& preset = chosen_preset(options);
  Setup setup{preset,
              options.served_model_name.value_or(std::string(preset.model)),
              {},
              chosen_step_time(options, preset),
              simulator::start_up_memory(preset, options.gpu_memory_utilization),
              0};
  setup.available_kv_bytes = setup.memory.kv_pool;
  auto& engine = setup.engine;
  engine.num_gpu_blocks = number_of_blocks(options, setup);
  engine.block_size = options.block_size;
  engine.max_model_len = longest_request(options, preset, engine.num_gpu_blocks);
  engine.max_num_seqs = options.max_num_seqs.value_or(preset.max_num_seqs);
  engine.max_num_batched_tokens =
      options.max_num_batched_tokens.value_or(preset.max_num_batched_tokens);
  engine.long_prefill_token_threshold = options.long_prefill_token_threshold;
  engine.watermark = options.watermark;
  engine.enable_prefix_caching = !options.no_enable_prefix_caching;
  engine.scheduler_reserve_full_isl = !options.no_scheduler_reserve_full_isl;
  engine.async_scheduling = !options.no_async_scheduling;
  return setup;
}

}  // namespace memprof::simulator_tool
