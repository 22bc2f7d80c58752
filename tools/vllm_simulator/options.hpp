#pragma once

#include "cli/option_table.hpp"
#include "records/units.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace memprof::simulator_tool {

/// Names are vLLM's where vLLM has the option. None: the preset's value.
struct Options : cli::CommonOptions {
  std::string host = "127.0.0.1";
  std::int64_t port = 0;  ///< 0: a free one
  std::optional<std::string> served_model_name;
  std::optional<std::string> api_key_file;
  std::string preset = "h100-llama-3.1-8b";
  double speed = 1;
  std::optional<double> step_ms;
  std::optional<double> prefill_token_us;
  std::optional<double> sequence_us;
  std::optional<double> kv_token_ns;
  double gpu_memory_utilization = 0.92;
  std::optional<std::int64_t> num_gpu_blocks_override;
  std::int64_t block_size = 16;
  std::optional<Tokens> max_model_len;
  std::optional<std::int64_t> max_num_seqs;
  std::optional<Tokens> max_num_batched_tokens;
  std::optional<std::int64_t> max_num_queued_reqs;
  Tokens long_prefill_token_threshold = 0;
  double watermark = 0;
  bool no_enable_prefix_caching = false;
  bool no_scheduler_reserve_full_isl = false;
  bool no_async_scheduling = false;
  bool no_enable_prompt_tokens_details = false;
  bool enable_logging_iteration_details = false;
  double stop_rate = 0;
};

cli::OptionTable option_table(Options& options);

}  // namespace memprof::simulator_tool
