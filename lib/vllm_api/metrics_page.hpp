#pragma once

#include "records/units.hpp"
#include "simulator/engine_counters.hpp"
#include "vllm_api/histogram.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace memprof::vllm_api {

class MetricsWriter;

/// What the labels of vllm:cache_config_info say.
struct CacheConfig {
  std::int64_t block_size = 16;       ///< tokens
  std::int64_t num_gpu_blocks = 2;    ///< the null block included
  std::optional<std::int64_t> num_gpu_blocks_override;
  bool user_specified_block_size = false;
  Tokens max_model_len = 4096;
  bool enable_prefix_caching = true;
  double gpu_memory_utilization = 0.92;         ///< 0–1
  std::optional<std::int64_t> kv_cache_memory_bytes;  ///< given, not computed
};

/// vLLM 0.32's /metrics, as far as a simulator knows it: all families of vLLM in its order but the
/// estimates of flops and bytes; of the process's own only its start. One engine, "0".
class MetricsPage {
 public:
  /// `started` and `created` are Unix seconds: of the process, and of the metrics.
  MetricsPage(std::string_view model_name, const CacheConfig& config, Seconds started,
              Seconds created);

  /// A request ended by itself; each of n answers is one.
  void observe_finished(const simulator::FinishedRequest& request);
  /// All n answers of a prompt ended: `most_tokens` is the longest one's.
  void observe_answered(std::int64_t n, Tokens most_tokens);
  /// A step's outputs came: prompt tokens computed of requests with their first token (the cached
  /// ones not), and all tokens generated.
  void observe_step(Tokens tokens);
  void observe_first_token(Seconds since_arrival);
  void observe_inter_token(Seconds latency, std::int64_t count = 1);
  /// A request was refused by --max-num-queued-reqs.
  void count_rejection() { ++rejections_; }

  [[nodiscard]] std::string render(const simulator::EngineCounters& counters) const;
  /// `/metrics/?name[]=…`: only samples of these names (`vllm:num_preemptions_total`); names that
  /// do not exist give nothing.
  [[nodiscard]] std::string render(const simulator::EngineCounters& counters,
                                   std::span<const std::string> names) const;

 private:
  void write_families(MetricsWriter& writer, const simulator::EngineCounters& counters) const;
  void write_gauges(MetricsWriter& writer, const simulator::EngineCounters& counters) const;
  void write_cache_counters(MetricsWriter& writer,
                            const simulator::EngineCounters& counters) const;
  void write_token_counters(MetricsWriter& writer,
                            const simulator::EngineCounters& counters) const;
  void write_token_histograms(MetricsWriter& writer) const;
  void write_time_histograms(MetricsWriter& writer) const;

  std::string model_label_;    ///< `model_name="…"`, escaped
  std::string config_labels_;  ///< of vllm:cache_config_info
  Seconds started_;
  Seconds created_;
  std::array<std::int64_t, 2> finished_{};    ///< stop, length
  std::int64_t rejections_ = 0;
  Histogram prompt_tokens_;
  Histogram generation_tokens_;
  Histogram iteration_tokens_;
  Histogram max_generation_tokens_;
  Histogram params_n_;
  Histogram params_max_tokens_;
  Histogram time_to_first_token_;
  Histogram inter_token_latency_;
  Histogram time_per_output_token_;
  Histogram e2e_latency_;
  Histogram queue_time_;
  Histogram inference_time_;
  Histogram prefill_time_;
  Histogram decode_time_;
  Histogram preemptions_;
  Histogram prefill_kv_computed_;
};

}  // namespace memprof::vllm_api
