#include "analysis/ending_memory.hpp"

#include "formats/text.hpp"

#include <fmt/format.h>

#include <string_view>

namespace memprof::analysis {
namespace {

constexpr Percent kRoomLeft = 70;

std::string first_at(const Symptom& symptom) {
  if (!symptom.first_concurrency) return "";
  return fmt::format(", first at concurrency {}", *symptom.first_concurrency);
}

std::string describe_symptom(const Symptom& symptom) {
  if (symptom.name == "preemption") {
    return fmt::format("{:.0f} preemption{}{}", symptom.value, symptom.value == 1 ? "" : "s",
                       first_at(symptom));
  }
  if (symptom.name == "queueing") {
    return fmt::format("requests waited for KV blocks in {:.0f} scrape{}{}", symptom.value,
                       symptom.value == 1 ? "" : "s", first_at(symptom));
  }
  return fmt::format("shared prefixes were evicted, {:.0f} % of the expected hits were left{}",
                     100 * symptom.value, first_at(symptom));
}

std::string next_step(std::string_view pressure) {
  if (pressure == "cache_eviction") {
    return "Next: fewer different prefixes at once, or a larger KV cache.";
  }
  return "Next: a lower concurrency or shorter requests, or a larger KV cache "
         "(--gpu-memory-utilization, --kv-cache-dtype fp8, more GPUs).";
}

std::string describe_room(const KvWindow& kv) {
  if (kv.scrapes == 0) {
    return "no preemption; who waited is not known, since no scrape fell into the load";
  }
  std::string text = "fits: no preemption, ";
  const auto waited = kv.waiting_peak.value_or(0);
  text += waited == 0
              ? "nobody waited for KV blocks"
              : fmt::format("and the {} that waited did not lack room for a prompt", waited);
  if (!kv.usage_peak_pct) return text + ".";
  return text + (*kv.usage_peak_pct < kRoomLeft
                     ? ". Next: a higher concurrency or longer requests show where it ends."
                     : fmt::format(". The KV cache was {:.0f} % full: little more will fit.",
                                   *kv.usage_peak_pct));
}

void append_part(std::string& out, const MemoryPart& part, std::string_view what) {
  if (!out.empty()) out += " + ";
  out += part.mib ? fmt::format("{} {}", formats::format_mib(*part.mib), what)
                  : fmt::format("? {}", what);
}

/// `pool_known`: of the server, though perhaps not on which of the GPUs it lies.
std::string describe_gpu_parts(const GpuBreakdown& gpu, bool pool_known) {
  if (!gpu.kv_pool.mib) {
    return fmt::format("GPU {}: how much of it is KV cache is not known; {}", gpu.gpu_idx,
                       pool_known ? "no process on it is known to be the server's: read the "
                                    "server's GPU alone with --gpu-indices"
                                  : "--server-log or --kv-bytes-per-token tells it");
  }
  std::string sum;
  append_part(sum, gpu.reserved, "reserved");
  append_part(sum, gpu.weights_and_runtime, "weights and runtime");
  append_part(sum, gpu.kv_pool, "KV pool");
  append_part(sum, gpu.free, "free");
  auto text = fmt::format("GPU {}: {} = {}", gpu.gpu_idx,
                          gpu.total.mib ? formats::format_mib(*gpu.total.mib) : "?", sum);
  if (gpu.kv_in_use.mib) {
    text += fmt::format("; {} of the pool in use at its peak",
                        formats::format_mib(*gpu.kv_in_use.mib));
  }
  return text;
}

std::string describe_kv(const Summary& summary, const ServerMetricsSummary& metrics) {
  std::string text = metrics.kv.scrapes == 0
                         ? "usage not read: no scrape fell into the load (--metrics-interval-ms)"
                         : "usage not told by the server";
  if (metrics.kv.usage_peak_pct) {
    text = fmt::format("{:.1f} % at the peak, {:.1f} % on average", *metrics.kv.usage_peak_pct,
                       metrics.kv.usage_mean_pct.value_or(0));
  }
  if (metrics.kv.tokens_peak && metrics.kv_tokens_total) {
    text += fmt::format("; {} of {} tokens", *metrics.kv.tokens_peak, *metrics.kv_tokens_total);
  }
  if (metrics.kv.waiting_peak) {
    text += fmt::format("; at most {} running, {} waiting", metrics.kv.running_peak.value_or(0),
                        *metrics.kv.waiting_peak);
  }
  if (metrics.kv.prefix_hit_pct) {
    text += fmt::format("; prefix hits {:.1f} %", *metrics.kv.prefix_hit_pct);
  }
  std::int64_t at = 0;
  const KvDemand* most = nullptr;
  for (const auto& [level, part] : summary.by_concurrency) {
    const auto& predicted = part.kv_demand.predicted_tokens;
    if (!predicted || (most != nullptr && *predicted <= *most->predicted_tokens)) continue;
    most = &part.kv_demand;
    at = level;
  }
  if (most == nullptr) return text;
  text += fmt::format("; demand by lengths at most {} tokens", *most->predicted_tokens);
  if (most->predicted_pct) text += fmt::format(" ({:.0f} %)", *most->predicted_pct);
  return text + fmt::format(" at concurrency {}", at);
}

}  // namespace

EndingLine describe_fit(const Summary& summary) {
  const auto& pressure = summary.verdict.pressure;
  if (summary.ok_requests == 0) {
    return {"load", "whether it fits cannot be told: no request was answered"};
  }
  if (!pressure) {
    return {"load", summary.server_metrics
                        ? "whether it fits cannot be told from the metrics that this server has"
                        : "whether it fits cannot be told without the server's metrics"};
  }
  if (*pressure == "none") return {"load", describe_room(summary.server_metrics->kv)};
  std::string text =
      *pressure == "cache_eviction" ? "fits, at the cost of the prefix cache: " : "does NOT fit: ";
  for (std::size_t i = 0; i < summary.symptoms.size(); ++i) {
    text += (i > 0 ? "; " : "") + describe_symptom(summary.symptoms[i]);
  }
  return {"load", text + ". " + next_step(*pressure)};
}

std::vector<EndingLine> describe_memory(const Summary& summary) {
  std::vector<EndingLine> lines;
  if (summary.server_metrics) {
    lines.push_back({"KV cache", describe_kv(summary, *summary.server_metrics)});
  }
  if (!summary.memory_breakdown) return lines;
  const bool pool_known = summary.memory_breakdown->kv_bytes_per_token.has_value();
  for (const auto& gpu : summary.memory_breakdown->gpus) {
    lines.push_back({"memory", describe_gpu_parts(gpu, pool_known)});
  }
  return lines;
}

}  // namespace memprof::analysis
