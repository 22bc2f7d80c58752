#include "vllm_api/metrics_page.hpp"

#include "vllm_api/metrics_writer.hpp"
#include "vllm_api/python_text.hpp"

#include <fmt/format.h>

namespace memprof::vllm_api {
namespace {

/// 1, 2, 5, 10, … up to `most`.
std::vector<double> one_two_five(Tokens most) {
  std::vector<double> bounds;
  for (Tokens decade = 1;; decade *= 10) {
    for (const Tokens mantissa : {1, 2, 5}) {
      if (mantissa * decade > most) return bounds;
      bounds.push_back(static_cast<double>(mantissa * decade));
    }
  }
}

std::vector<double> iteration_bounds() {
  return {1, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384};
}
std::vector<double> first_token_bounds() {
  return {0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5,  0.75,
          1,     2.5,   5,    7.5,  10,   20,   40,   80,  160,  640, 2560};
}
std::vector<double> inter_token_bounds() {
  return {0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5,
          0.75, 1,     2.5,  5,     7.5, 10,   20,  40,  80};
}
std::vector<double> latency_bounds() {
  return {0.3, 0.5, 0.8, 1,  1.5, 2,   2.5, 5,   10,  15,  20,
          30,  40,  50,  60, 120, 240, 480, 960, 1920, 7680};
}

std::string python_bool(bool value) { return value ? "True" : "False"; }
std::string number_or_none(std::optional<std::int64_t> value) {
  return value ? std::to_string(*value) : "None";
}

/// What a plain model on one engine says, and of `config` what it knows.
std::string config_labels(const CacheConfig& config) {
  const auto size = config.block_size * config.num_gpu_blocks;
  const auto blocks_per_request =
      (config.max_model_len + config.block_size - 1) / config.block_size;
  const double concurrency =
      static_cast<double>(config.num_gpu_blocks) / static_cast<double>(blocks_per_request);
  return fmt::format(
      R"(_block_size_resolved="True",block_size="{0}",cache_dtype="auto",)"
      R"(cache_hit_alignment_tokens="None",effective_attention_block_size="{0}",)"
      R"(enable_mamba_shared_prefix_checkpoint="False",enable_prefix_caching="{1}",engine="0",)"
      R"(gpu_memory_utilization="{2}",hash_block_size="None",is_attention_free="False",)"
      R"(kv_cache_dtype_skip_layers="[]",kv_cache_layout="None",kv_cache_max_concurrency="{3}",)"
      R"(kv_cache_memory_bytes="{4}",kv_cache_size_tokens="{5}",kv_offloading_backend="native",)"
      R"(kv_offloading_size="None",kv_sharing_fast_prefill="False",mamba_block_size="None",)"
      R"(mamba_cache_dtype="auto",mamba_cache_mode="none",mamba_page_size_padded="None",)"
      R"(mamba_ssm_cache_dtype="auto",num_cpu_blocks="None",num_gpu_blocks="{6}",)"
      R"(num_gpu_blocks_override="{7}",prefix_cache_retention_interval="0",)"
      R"(prefix_caching_hash_algo="sha256",prefix_match_unit="None",replayssm_buffer_len="16",)"
      R"(skip_page_size_padded="None",sliding_window="None",swa_bounded_replay="True",)"
      R"(use_kda_recoverssm="False",use_replayssm="False",user_specified_block_size="{8}")",
      config.block_size, python_bool(config.enable_prefix_caching),
      python_float(config.gpu_memory_utilization), python_float(concurrency),
      number_or_none(config.kv_cache_memory_bytes), size, config.num_gpu_blocks,
      number_or_none(config.num_gpu_blocks_override),
      python_bool(config.user_specified_block_size));
}

double as_double(std::int64_t count) { return static_cast<double>(count); }

}  // namespace

MetricsPage::MetricsPage(std::string_view model_name, const CacheConfig& config, Seconds started,
                         Seconds created)
    : model_label_(label("model_name", model_name)),
      config_labels_(config_labels(config)),
      started_(started),
      created_(created),
      prompt_tokens_(one_two_five(config.max_model_len)),
      generation_tokens_(one_two_five(config.max_model_len)),
      iteration_tokens_(iteration_bounds()),
      max_generation_tokens_(one_two_five(config.max_model_len)),
      params_n_({1, 2, 5, 10, 20}),
      params_max_tokens_(one_two_five(config.max_model_len)),
      time_to_first_token_(first_token_bounds()),
      inter_token_latency_(inter_token_bounds()),
      time_per_output_token_(inter_token_bounds()),
      e2e_latency_(latency_bounds()),
      queue_time_(latency_bounds()),
      inference_time_(latency_bounds()),
      prefill_time_(latency_bounds()),
      decode_time_(latency_bounds()),
      preemptions_({1, 2, 3, 4, 5, 10, 20}),
      prefill_kv_computed_(one_two_five(config.max_model_len)) {}

void MetricsPage::observe_finished(const simulator::FinishedRequest& request) {
  ++finished_[request.stopped ? 0 : 1];
  prompt_tokens_.observe(as_double(request.prompt_tokens));
  generation_tokens_.observe(as_double(request.generation_tokens));
  params_max_tokens_.observe(as_double(request.max_tokens));
  preemptions_.observe(as_double(request.preemptions));
  prefill_kv_computed_.observe(as_double(request.prompt_tokens - request.cached_tokens));
  const Seconds decode = request.last_token - request.first_token;
  // The first token is the prefill's.
  time_per_output_token_.observe(
      request.generation_tokens > 1 ? decode / as_double(request.generation_tokens - 1) : 0);
  e2e_latency_.observe(request.last_token - request.arrived);
  queue_time_.observe(request.first_scheduled - request.arrived);
  inference_time_.observe(request.last_token - request.first_scheduled);
  prefill_time_.observe(request.first_token - request.first_scheduled);
  decode_time_.observe(decode);
}

void MetricsPage::observe_answered(std::int64_t n, Tokens most_tokens) {
  params_n_.observe(as_double(n));
  max_generation_tokens_.observe(as_double(most_tokens));
}

void MetricsPage::observe_step(Tokens tokens) { iteration_tokens_.observe(as_double(tokens)); }

void MetricsPage::observe_first_token(Seconds since_arrival) {
  time_to_first_token_.observe(since_arrival);
}

void MetricsPage::observe_inter_token(Seconds latency, std::int64_t count) {
  inter_token_latency_.observe(latency, count);
}

std::string MetricsPage::render(const simulator::EngineCounters& counters) const {
  MetricsWriter writer(model_label_, created_);
  write_families(writer, counters);
  return writer.take();
}

std::string MetricsPage::render(const simulator::EngineCounters& counters,
                                std::span<const std::string> names) const {
  MetricsWriter writer(model_label_, created_);
  writer.only(names);
  write_families(writer, counters);
  return writer.take();
}

void MetricsPage::write_families(MetricsWriter& writer,
                                 const simulator::EngineCounters& counters) const {
  writer.gauge_with_labels("process_start_time_seconds",
                           "Start time of the process since unix epoch in seconds.", "", started_);
  write_gauges(writer, counters);
  write_cache_counters(writer, counters);
  write_token_counters(writer, counters);
  write_token_histograms(writer);
  write_time_histograms(writer);
  writer.gauge_with_labels("vllm:cache_config_info", "Information of the LLMEngine CacheConfig",
                           config_labels_, 1);
}

void MetricsPage::write_gauges(MetricsWriter& writer,
                               const simulator::EngineCounters& counters) const {
  const auto running = as_double(counters.requests_running);
  const auto waiting = as_double(counters.requests_waiting);
  writer.gauge("vllm:num_requests_running", "Number of requests in model execution batches.",
               running);
  writer.gauge("vllm:num_requests_waiting", "Number of requests waiting to be processed.",
               waiting);
  writer.gauge("vllm:num_requests_waiting_by_reason",
               "Number of waiting requests by reason. Reason labels: 'capacity' = waiting for "
               "scheduling capacity; 'deferred' = deferred by transient constraints (LoRA budget, "
               "KV transfer, blocked status). Sum of all reasons equals vllm:num_requests_waiting.",
               "reason", {{"capacity", waiting}, {"deferred", 0}});
  writer.gauge("vllm:engine_sleep_state",
               "Engine sleep state; awake = 0 means engine is sleeping; awake = 1 means engine is "
               "awake; weights_offloaded = 1 means sleep level 1; discard_all = 1 means sleep "
               "level 2.",
               "sleep_state", {{"awake", 1}, {"weights_offloaded", 0}, {"discard_all", 0}});
  writer.gauge("vllm:kv_cache_usage_perc", "KV-cache usage. 1 means 100 percent usage.",
               counters.kv_cache_usage);
}

void MetricsPage::write_cache_counters(MetricsWriter& writer,
                                       const simulator::EngineCounters& counters) const {
  writer.counter("vllm:prefix_cache_queries",
                 "Prefix cache queries, in terms of number of queried tokens.",
                 as_double(counters.prefix_cache_queries));
  writer.counter("vllm:prefix_cache_hits",
                 "Prefix cache hits, in terms of number of cached tokens.",
                 as_double(counters.prefix_cache_hits));
  writer.counter("vllm:external_prefix_cache_queries",
                 "External prefix cache queries from KV connector cross-instance cache sharing, in "
                 "terms of number of queried tokens.",
                 0);
  writer.counter("vllm:external_prefix_cache_hits",
                 "External prefix cache hits from KV connector cross-instance cache sharing, in "
                 "terms of number of cached tokens.",
                 0);
  writer.counter("vllm:mm_cache_queries",
                 "Multi-modal cache queries, in terms of number of queried items.", 0);
  writer.counter("vllm:mm_cache_hits",
                 "Multi-modal cache hits, in terms of number of cached items.", 0);
}

void MetricsPage::write_token_counters(MetricsWriter& writer,
                                       const simulator::EngineCounters& counters) const {
  const auto cached = as_double(counters.prompt_tokens_cached);
  writer.counter("vllm:num_preemptions", "Cumulative number of preemption from the engine.",
                 as_double(counters.preemptions));
  writer.counter("vllm:prompt_tokens", "Number of prefill tokens processed.",
                 as_double(counters.prompt_tokens));
  writer.counter("vllm:prompt_tokens_by_source", "Number of prompt tokens by source.", "source",
                 {{"local_compute", as_double(counters.prompt_tokens) - cached},
                  {"local_cache_hit", cached},
                  {"external_kv_transfer", 0}});
  writer.counter("vllm:prompt_tokens_cached",
                 "Number of cached prompt tokens (local + external).", cached);
  writer.counter("vllm:prompt_tokens_cached_by_source",
                 "Prefix-cache hit tokens by the cache tier that supplied them: device (local "
                 "HBM), host (offloaded to DRAM), disk, p2p (transferred from another vLLM "
                 "instance) or external_unspecified. Counted at admission; sums to "
                 "vllm:prefix_cache_hits + vllm:external_prefix_cache_hits.",
                 "source",
                 {{"device", as_double(counters.prefix_cache_hits)},
                  {"host", 0},
                  {"p2p", 0},
                  {"disk", 0},
                  {"external_unspecified", 0}});
  writer.counter("vllm:generation_tokens", "Number of generation tokens processed.",
                 as_double(counters.generation_tokens));
  writer.counter("vllm:request_success", "Count of successfully processed requests.",
                 "finished_reason",
                 {{"stop", as_double(finished_[0])},
                  {"length", as_double(finished_[1])},
                  {"abort", 0},
                  {"error", 0},
                  {"repetition", 0}});
  writer.counter_without_engine(
      "vllm:admission_rejections",
      "Number of admission attempts rejected by a queue limit, by reason.", "reason",
      {{"max_num_queued_reqs", as_double(rejections_)},
       {"max_num_queued_tokens", 0}});
}

void MetricsPage::write_token_histograms(MetricsWriter& writer) const {
  writer.histogram("vllm:request_prompt_tokens", "Number of prefill tokens processed.",
                   prompt_tokens_);
  writer.histogram("vllm:request_generation_tokens", "Number of generation tokens processed.",
                   generation_tokens_);
  writer.histogram("vllm:iteration_tokens_total",
                   "Histogram of number of tokens per engine_step.", iteration_tokens_);
  writer.histogram("vllm:request_max_num_generation_tokens",
                   "Histogram of maximum number of requested generation tokens.",
                   max_generation_tokens_);
  writer.histogram("vllm:request_params_n", "Histogram of the n request parameter.", params_n_);
  writer.histogram("vllm:request_params_max_tokens",
                   "Histogram of the max_tokens request parameter.", params_max_tokens_);
}

void MetricsPage::write_time_histograms(MetricsWriter& writer) const {
  writer.histogram("vllm:time_to_first_token_seconds",
                   "Histogram of time to first token in seconds.", time_to_first_token_);
  writer.histogram("vllm:inter_token_latency_seconds",
                   "Histogram of inter-token latency in seconds.", inter_token_latency_);
  writer.histogram("vllm:request_time_per_output_token_seconds",
                   "Histogram of time_per_output_token_seconds per request.",
                   time_per_output_token_);
  writer.histogram("vllm:e2e_request_latency_seconds",
                   "Histogram of e2e request latency in seconds.", e2e_latency_);
  writer.histogram("vllm:request_queue_time_seconds",
                   "Histogram of time spent in WAITING phase for request.", queue_time_);
  writer.histogram("vllm:request_inference_time_seconds",
                   "Histogram of time spent in RUNNING phase for request.", inference_time_);
  writer.histogram("vllm:request_prefill_time_seconds",
                   "Histogram of time spent in PREFILL phase for request.", prefill_time_);
  writer.histogram("vllm:request_decode_time_seconds",
                   "Histogram of time spent in DECODE phase for request.", decode_time_);
  writer.histogram("vllm:request_num_preemptions",
                   "Histogram of the number of times a request was preempted.", preemptions_);
  writer.histogram("vllm:request_prefill_kv_computed_tokens",
                   "Histogram of new KV tokens computed during prefill (excluding cached tokens).",
                   prefill_kv_computed_);
}

}  // namespace memprof::vllm_api
