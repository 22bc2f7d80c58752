#include "simulator/presets.hpp"

#include <algorithm>
#include <array>

namespace memprof::simulator {
namespace {

constexpr double kBytesPerValue = 2;  // BF16
constexpr std::int64_t kMiB = std::int64_t{1} << 20;

constexpr double kBandwidthShare = 0.8;
constexpr double kArithmeticShare = 0.6;
constexpr Seconds kPerSequence = 10e-6;

constexpr Preset llama_8b(std::string_view name) {
  Preset preset;
  preset.name = name;
  preset.model = "llama-3.1-8b";
  preset.parameters = 8.03e9;
  preset.layers = 32;
  preset.kv_heads = 8;
  preset.head_dim = 128;
  preset.max_model_len = 131'072;
  preset.vocab_size = 128'256;
  preset.activations_mib = 1229;
  preset.graphs_mib = 512;
  return preset;
}

constexpr Preset llama_70b(std::string_view name) {
  Preset preset = llama_8b(name);
  preset.model = "llama-3.1-70b";
  preset.parameters = 70.55e9;
  preset.layers = 80;
  preset.activations_mib = 2048;
  return preset;
}

/// H100 SXM: 3.35 TB/s, 989 TFLOPS. vLLM's defaults for a server on it.
constexpr Preset on_h100(Preset preset, std::int64_t gpus) {
  preset.gpu_name = "Simulated H100 80GB";
  preset.gpus = gpus;
  preset.total_mib = 81'559;
  preset.reserved_mib = 560;
  preset.memory_bytes_per_s = 3.35e12;
  preset.flops = 989e12;
  preset.runtime_mib = gpus > 1 ? 2048 : 640;  // NCCL's buffers
  preset.max_num_seqs = 1024;
  preset.max_num_batched_tokens = 8192;
  return preset;
}

/// A100 SXM 80 GB: 2.039 TB/s, 312 TFLOPS. vLLM's defaults for a server on it.
constexpr Preset on_a100(Preset preset) {
  preset.gpu_name = "Simulated A100 80GB";
  preset.total_mib = 81'920;
  preset.reserved_mib = 640;
  preset.memory_bytes_per_s = 2.039e12;
  preset.flops = 312e12;
  preset.runtime_mib = 512;
  preset.max_num_seqs = 256;
  preset.max_num_batched_tokens = 2048;
  preset.activations_mib = 512;
  return preset;
}

constexpr std::array kPresets{
    on_h100(llama_8b("h100-llama-3.1-8b"), 1),
    on_a100(llama_8b("a100-llama-3.1-8b")),
    on_h100(llama_70b("4xh100-llama-3.1-70b"), 4),
};

double weight_bytes(const Preset& preset) {
  return preset.parameters * kBytesPerValue / static_cast<double>(preset.gpus);
}

}  // namespace

std::span<const Preset> presets() { return kPresets; }

const Preset* find_preset(std::string_view name) {
  const auto at = std::find_if(kPresets.begin(), kPresets.end(),
                               [&](const Preset& preset) { return preset.name == name; });
  return at == kPresets.end() ? nullptr : at;
}

std::int64_t kv_bytes_per_token(const Preset& preset) {
  const auto heads = std::max<std::int64_t>(1, preset.kv_heads / preset.gpus);
  return preset.layers * 2 * heads * preset.head_dim * static_cast<std::int64_t>(kBytesPerValue);
}

GpuMemory start_up_memory(const Preset& preset, double utilization) {
  GpuMemory memory;
  memory.total = preset.total_mib * kMiB;
  memory.reserved = preset.reserved_mib * kMiB;
  memory.weights = static_cast<std::int64_t>(weight_bytes(preset));
  memory.activations = preset.activations_mib * kMiB;
  memory.runtime = preset.runtime_mib * kMiB;
  memory.graphs = preset.graphs_mib * kMiB;
  const auto wanted = static_cast<std::int64_t>(
      utilization * static_cast<double>(memory.total - memory.reserved));
  memory.kv_pool = std::max<std::int64_t>(0, wanted - memory.used());
  return memory;
}

StepTime step_time(const Preset& preset) {
  const double bandwidth = preset.memory_bytes_per_s * kBandwidthShare;
  StepTime time;
  time.per_step = weight_bytes(preset) / bandwidth;
  time.per_prefill_token = 2 * preset.parameters / static_cast<double>(preset.gpus) /
                           (preset.flops * kArithmeticShare);
  time.per_sequence = kPerSequence;
  time.per_kv_token = static_cast<double>(kv_bytes_per_token(preset)) / bandwidth;
  return time;
}

}  // namespace memprof::simulator
