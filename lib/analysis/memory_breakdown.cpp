#include "analysis/memory_breakdown.hpp"

#include "formats/number.hpp"

#include <algorithm>
#include <cmath>
#include <string_view>

namespace memprof::analysis {
namespace {

constexpr double kMiB = 1024.0 * 1024.0;
constexpr double kMiBPerGiB = 1024;
constexpr const char* kDriver = "driver";
constexpr const char* kStartupLog = "start-up log";
constexpr const char* kCacheConfig = "cache_config_info";
constexpr const char* kOption = "--kv-bytes-per-token";
constexpr const char* kSimulator = "simulator";
constexpr const char* kServerMetrics = "server metrics";
constexpr const char* kDifference = "difference";

/// Workers' figures differ in the last digit that is written; more than that is several figures.
constexpr double kSame = 0.02;

/// The one figure that all workers wrote.
std::optional<double> common_value(const std::vector<double>& values) {
  if (values.empty()) return {};
  const auto [least, most] = std::minmax_element(values.begin(), values.end());
  if (*most - *least > kSame * std::max(std::abs(*most), 1.0)) return {};
  return *least;
}

MemoryPart from_log(const std::vector<double>& gib) {
  const auto value = common_value(gib);
  if (!value) return {};
  return {*value * kMiBPerGiB, kStartupLog};
}

/// A label of vllm:cache_config_info as a number; none where engines differ.
std::optional<double> config_number(const RunTraces& traces, std::string_view key) {
  std::optional<double> found;
  if (!traces.server_sampler) return {};
  for (const auto& engine : traces.server_sampler->engines) {
    const auto* text = engine.cache_config.if_contains(key);
    if (text == nullptr || !text->is_string()) return {};
    const auto number = formats::parse_double(std::string_view(text->get_string()));
    if (!number || (found && *found != *number)) return {};
    found = number;
  }
  return found;
}

bool pool_is_overridden(const RunTraces& traces, const Manifest& manifest) {
  return config_number(traces, "num_gpu_blocks_override").has_value() ||
         (manifest.startup_memory && manifest.startup_memory->num_gpu_blocks_override);
}

struct BytesPerToken {
  double bytes = 0;
  const char* source = nullptr;
};

std::optional<BytesPerToken> told_bytes(const Manifest& manifest) {
  const auto* option = manifest.options.if_contains("kv_bytes_per_token");
  if (option != nullptr && option->is_number()) {
    return BytesPerToken{option->to_number<double>(), kOption};
  }
  const auto& simulated = manifest.server.kv_bytes_per_token;
  if (!simulated) return {};
  return BytesPerToken{static_cast<double>(*simulated), kSimulator};
}

/// Of one GPU of one engine.
MemoryPart kv_pool(const RunTraces& traces, const Manifest& manifest, const KvCapacity& capacity) {
  if (!pool_is_overridden(traces, manifest)) {
    const auto bytes = config_number(traces, "kv_cache_memory_bytes");
    if (bytes) return {*bytes / kMiB, kCacheConfig};
    if (manifest.startup_memory) {
      auto part = from_log(manifest.startup_memory->available_kv_gib);
      if (part.mib) return part;
    }
  }
  const auto told = told_bytes(manifest);
  if (!told || !capacity.tokens_total) return {};
  const auto tokens =
      static_cast<double>(*capacity.tokens_total) / static_cast<double>(capacity.engines);
  return {told->bytes * tokens / kMiB, told->source};
}

/// Which GPUs hold the server's memory. Without a process to prove it: the only one that is read.
bool is_of_server(std::int64_t gpu_idx, const Manifest& manifest, std::size_t gpus) {
  const ServerInfo& server = manifest.server;
  if (!server.is_local.value_or(true)) return false;
  bool proven = false;
  if (const auto& sampler = manifest.samplers.gpu_mem_sampler) {
    for (const auto& process : sampler->processes) {
      const auto at = std::find(server.pids.begin(), server.pids.end(), process.pid);
      if (at == server.pids.end()) continue;
      if (process.gpu_idx == gpu_idx) return true;
      proven = true;
    }
  }
  return !proven && gpus == 1;
}

void fill_server_part(const RunTraces& traces, const Manifest& manifest,
                      const KvCapacity& capacity, const Summary& findings, const GpuSummary& gpu,
                      GpuBreakdown& parts) {
  const auto used = static_cast<double>(*gpu.peak_mib);
  auto pool = kv_pool(traces, manifest, capacity);
  if (pool.mib && *pool.mib > used) pool = {};  // then it is not on this GPU
  parts.kv_pool = pool;
  if (manifest.startup_memory) {
    parts.weights = from_log(manifest.startup_memory->weights_gib);
    parts.graphs = from_log(manifest.startup_memory->graph_capture_gib);
  }
  if (!pool.mib) return;
  parts.weights_and_runtime = {used - *pool.mib, kDifference};
  // Which of several engines is on this GPU is not known.
  if (capacity.engines != 1 || !findings.server_metrics) return;
  if (const auto& peak = findings.server_metrics->kv.usage_peak_pct) {
    parts.kv_in_use = {*pool.mib * *peak / 100, kServerMetrics};
  }
}

}  // namespace

KvCapacity kv_capacity(const RunTraces& traces, const Manifest& manifest) {
  KvCapacity capacity;
  capacity.engines = std::max<std::int64_t>(1, static_cast<std::int64_t>(traces.engines.size()));
  if (traces.server_sampler) {
    for (const auto& engine : traces.server_sampler->engines) {
      if (engine.block_size) capacity.block_size = engine.block_size;
    }
  }
  for (const auto& [engine, series] : traces.engines) {
    if (!series.kv_tokens_total) {
      capacity.tokens_total.reset();
      break;
    }
    capacity.tokens_total = capacity.tokens_total.value_or(0) + *series.kv_tokens_total;
  }
  if (capacity.tokens_total || !manifest.startup_memory) return capacity;
  const auto& told = manifest.startup_memory->kv_cache_tokens;
  if (told.empty()) return capacity;
  if (traces.engines.empty()) capacity.engines = static_cast<std::int64_t>(told.size());
  if (static_cast<std::int64_t>(told.size()) != capacity.engines) return capacity;
  capacity.tokens_total = 0;
  for (const auto tokens : told) *capacity.tokens_total += tokens;
  return capacity;
}

std::optional<MemoryBreakdown> break_down(const RunTraces& traces, const Manifest& manifest,
                                          const KvCapacity& capacity, const Summary& findings) {
  MemoryBreakdown found;
  const bool from_metrics = std::any_of(traces.engines.begin(), traces.engines.end(), [](auto& e) {
    return e.second.kv_tokens_total.has_value();
  });
  found.kv_tokens_total = capacity.tokens_total;
  if (capacity.tokens_total) found.kv_tokens_source = from_metrics ? kCacheConfig : kStartupLog;
  if (findings.server_metrics) found.kv_tokens_in_use = findings.server_metrics->kv.tokens_peak;

  const auto pool = kv_pool(traces, manifest, capacity);
  if (const auto told = told_bytes(manifest)) {
    found.kv_bytes_per_token = told->bytes;
    found.kv_bytes_source = told->source;
  } else if (pool.mib && capacity.tokens_total) {
    found.kv_bytes_per_token = *pool.mib * kMiB * static_cast<double>(capacity.engines) /
                               static_cast<double>(*capacity.tokens_total);
    found.kv_bytes_source = pool.source;
  }
  for (const auto& gpu : findings.gpus) {
    if (!gpu.peak_mib) continue;
    GpuBreakdown& parts = found.gpus.emplace_back();
    parts.gpu_idx = gpu.gpu_idx;
    if (gpu.total_mib) parts.total = {static_cast<double>(*gpu.total_mib), kDriver};
    for (const auto& info : manifest.gpus) {
      if (info.gpu_idx != gpu.gpu_idx || !info.reserved_mib) continue;
      parts.reserved = {static_cast<double>(*info.reserved_mib), kDriver};
    }
    if (parts.total.mib && parts.reserved.mib) {
      const auto free =
          *parts.total.mib - *parts.reserved.mib - static_cast<double>(*gpu.peak_mib);
      if (free >= 0) parts.free = {free, kDriver};
    }
    if (is_of_server(gpu.gpu_idx, manifest, findings.gpus.size())) {
      fill_server_part(traces, manifest, capacity, findings, gpu, parts);
    }
  }
  if (!found.kv_tokens_total && found.gpus.empty()) return {};
  return found;
}

}  // namespace memprof::analysis
