#pragma once

#include "records/units.hpp"
#include "simulator/step_time.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace memprof::simulator {

/// A model on GPUs: what decides its memory and the time of its steps. The GPUs' figures are from
/// their data sheets, the models' from their configurations; marked ones are assumptions.
struct Preset {
  std::string_view name;
  std::string_view gpu_name;
  std::int64_t gpus = 1;               ///< tensor parallel
  MiB total_mib = 0;                   ///< of a GPU, as nvidia-smi shows it
  MiB reserved_mib = 0;                ///< by the driver; an assumption
  double memory_bytes_per_s = 0;       ///< of a GPU
  double flops = 0;                    ///< of a GPU, dense BF16, per second
  std::string_view model;
  double parameters = 0;
  std::int64_t layers = 0;
  std::int64_t kv_heads = 0;
  std::int64_t head_dim = 0;
  Tokens max_model_len = 0;
  std::int64_t vocab_size = 0;
  MiB activations_mib = 0;  ///< of a GPU, at the largest batch; an assumption
  MiB runtime_mib = 0;      ///< of a GPU: CUDA context and libraries; an assumption
  MiB graphs_mib = 0;       ///< of a GPU: CUDA graphs; an assumption
  std::int64_t max_num_seqs = 0;
  Tokens max_num_batched_tokens = 0;
};

/// The first is the default.
std::span<const Preset> presets();
/// None: null.
const Preset* find_preset(std::string_view name);

/// What vLLM takes of one GPU at its start, in bytes; it moves little afterwards.
struct GpuMemory {
  std::int64_t total = 0;     ///< reserved included
  std::int64_t reserved = 0;  ///< by the driver, not in used()
  std::int64_t weights = 0;
  std::int64_t activations = 0;
  std::int64_t runtime = 0;
  std::int64_t graphs = 0;
  std::int64_t kv_pool = 0;

  [[nodiscard]] std::int64_t used() const {
    return weights + activations + runtime + graphs + kv_pool;
  }
};

/// BF16, full attention: layers × 2 × KV heads of the GPU × head size × 2 bytes.
std::int64_t kv_bytes_per_token(const Preset& preset);
/// The KV pool is what the other parts leave of `utilization` (0–1) of the memory.
GpuMemory start_up_memory(const Preset& preset, double utilization);
/// 80 % of the memory's bandwidth, 60 % of the arithmetic, 10 µs for each sequence: assumptions.
StepTime step_time(const Preset& preset);

}  // namespace memprof::simulator
