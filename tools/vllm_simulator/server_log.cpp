#include "server_log.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <cstdio>
#include <ctime>
#include <string>

#include <unistd.h>

namespace memprof::simulator_tool {
namespace {

constexpr double kGiB = 1024.0 * 1024.0 * 1024.0;

double gib(std::int64_t bytes) { return static_cast<double>(bytes) / kGiB; }

/// 621392 → 621,392
std::string with_commas(std::int64_t number) {
  const auto digits = std::to_string(number);
  std::string text;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % 3 == 0) text += ',';
    text += digits[i];
  }
  return text;
}

}  // namespace

void ServerLog::line(const char* who, const std::string& text) const {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(clock_.now());
  const std::time_t time = seconds.time_since_epoch().count();
  std::tm local{};
  ::localtime_r(&time, &local);
  const auto whole = fmt::format("({} pid={}) INFO {:%m-%d %H:%M:%S} [simulator] {}\n", who,
                                 ::getpid(), local, text);
  std::fwrite(whole.data(), 1, whole.size(), stderr);
}

void ServerLog::start_up(const Options& options) const {
  const auto& memory = setup_.memory;
  const auto& engine = setup_.engine;
  const auto usable = memory.total - memory.reserved;
  line("APIServer", fmt::format("vLLM API server version 0.32.0 (simulated: {} x {}, model {}, at "
                                "speed {})",
                                setup_.preset.gpus, setup_.preset.gpu_name, setup_.model,
                                options.speed));
  line("EngineCore", fmt::format("Model loading took {:.2f} GiB memory and 0.0 seconds",
                                 gib(memory.weights)));
  line("EngineCore",
       fmt::format("Free memory on device ({:.2f}/{:.2f} GiB) on startup. Desired GPU memory "
                   "utilization is ({}, {:.2f} GiB).",
                   gib(usable), gib(usable), options.gpu_memory_utilization,
                   options.gpu_memory_utilization * gib(usable)));
  line("EngineCore",
       fmt::format("Available KV cache memory: {:.2f} GiB", gib(setup_.available_kv_bytes)));
  if (options.num_gpu_blocks_override) {
    const auto block_bytes =
        engine.block_size * simulator::kv_bytes_per_token(setup_.preset);
    line("EngineCore",
         fmt::format("Overriding num_gpu_blocks={} with num_gpu_blocks_override={}",
                     setup_.available_kv_bytes / block_bytes, engine.num_gpu_blocks));
  }
  const auto tokens = engine.num_gpu_blocks * engine.block_size;
  line("EngineCore",
       fmt::format("GPU KV cache size: {} tokens, Maximum concurrency for {} tokens per request: "
                   "{:.2f}x",
                   with_commas(tokens), with_commas(engine.max_model_len),
                   static_cast<double>(tokens) / static_cast<double>(engine.max_model_len)));
  line("EngineCore", fmt::format("Graph capturing finished in 0 secs, took {:.2f} GiB",
                                 gib(memory.graphs)));
}

void ServerLog::shutting_down() const { line("APIServer", "Shutting down"); }

void ServerLog::iteration(const StepReport& report, double kv_cache_usage) {
  const auto& step = report.step;
  line("EngineCore",
       fmt::format("Iteration({}): {} context requests, {} context tokens, {} generation "
                   "requests, {} generation tokens, iteration elapsed time: {:.2f} ms, GPU KV "
                   "cache usage: {:.1f}%",
                   ++iterations_, step.context_requests, step.context_tokens,
                   step.generation_requests, step.generation_tokens, report.duration * 1e3,
                   100 * kv_cache_usage));
}

}  // namespace memprof::simulator_tool
