#include "analysis/ending_memory.hpp"
#include "formats/text.hpp"
#include "report/html.hpp"
#include "report/sections.hpp"
#include "report/svg.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace memprof::report {
namespace {

constexpr std::size_t kMostGpus = 64;

using Parts = std::vector<BarPart>;

void add(Parts& parts, std::string_view label, std::string_view css_class,
         const std::optional<double>& mib) {
  if (mib && *mib > 0) parts.push_back({std::string(label), std::string(css_class), *mib});
}

/// What the pool is made of, as far as it is told.
void add_pool(Parts& parts, const GpuBreakdown& gpu) {
  if (!gpu.kv_in_use.mib) return add(parts, "KV pool", "c1", gpu.kv_pool.mib);
  add(parts, "KV pool: in use at its peak", "c1", gpu.kv_in_use.mib);
  add(parts, "KV pool: the rest", "c1 pale", *gpu.kv_pool.mib - *gpu.kv_in_use.mib);
}

Parts parts_of(const GpuBreakdown& gpu, const GpuSummary* summary) {
  Parts parts;
  add(parts, "reserved by the driver", "c7", gpu.reserved.mib);
  if (gpu.kv_pool.mib && gpu.weights_and_runtime.mib) {
    if (gpu.weights.mib) {
      const double graphs = std::max(0.0, gpu.graphs.mib.value_or(0));
      add(parts, "weights", "c0", gpu.weights.mib);
      add(parts, "CUDA graphs", "c4", gpu.graphs.mib);
      add(parts, "runtime and activations", "c5",
          *gpu.weights_and_runtime.mib - *gpu.weights.mib - graphs);
    } else {
      add(parts, "weights and runtime", "c0", gpu.weights_and_runtime.mib);
    }
    add_pool(parts, gpu);
  } else if (summary != nullptr && summary->peak_mib) {
    add(parts, "in use at the peak (weights and KV cache are not told apart)", "c0",
        static_cast<double>(*summary->peak_mib));
    if (gpu.total.mib && !gpu.free.mib) {
      add(parts, gpu.reserved.mib ? "free" : "free, or reserved by the driver", "free",
          *gpu.total.mib - static_cast<double>(*summary->peak_mib) - gpu.reserved.mib.value_or(0));
    }
  }
  add(parts, "free", "free", gpu.free.mib);
  return parts;
}

std::string gpu_bar(const GpuBreakdown& gpu, const GpuSummary* summary) {
  const auto parts = parts_of(gpu, summary);
  const auto name = summary != nullptr && summary->name ? " (" + *summary->name + ")" : "";
  const auto title = fmt::format("GPU {}{}: {}", gpu.gpu_idx, name,
                                 gpu.total.mib ? formats::format_mib(*gpu.total.mib)
                                               : std::string("size not measured"));
  std::string out = fmt::format("<figure class=\"wide\">\n<figcaption>{}</figcaption>\n{}"
                                "<ul class=\"legend\">",
                                escape(title), stacked_bar(parts, title));
  for (const auto& part : parts) {
    out += fmt::format("<li><i class=\"key {}\"></i>{}</li>", part.css_class,
                       escape(fmt::format("{}: {}", part.label, formats::format_mib(part.value))));
  }
  return out + "</ul>\n</figure>\n";
}

std::string source(const MemoryPart& part) { return part.source.value_or(std::string(kAbsent)); }

std::string breakdown_table(const MemoryBreakdown& breakdown) {
  Table table("Where each GPU's memory was at its peak, and how each figure is known",
              {{"GPU"}, {"part"}, {"memory", true}, {"known from"}});
  std::size_t shown = 0;
  for (const auto& gpu : breakdown.gpus) {
    if (++shown > kMostGpus) break;
    const auto index = fmt::to_string(gpu.gpu_idx);
    const auto row = [&](std::string_view what, const MemoryPart& part) {
      table.add({index, std::string(what), mib_cell(part.mib), source(part)});
    };
    row("total", gpu.total);
    row("reserved by the driver", gpu.reserved);
    row("weights and runtime", gpu.weights_and_runtime);
    row("of these weights", gpu.weights);
    row("of these CUDA graphs", gpu.graphs);
    row("KV pool", gpu.kv_pool);
    row("of the pool in use at its peak", gpu.kv_in_use);
    row("free", gpu.free);
  }
  return table.html();
}

std::string gpu_table(const Summary& summary) {
  Table table("Memory of each GPU over the run; – is not measured",
              {{"GPU"}, {"name"}, {"readings", true}, {"total", true}, {"baseline", true},
               {"mean", true}, {"95th percentile", true}, {"peak", true}, {"added", true}});
  for (std::size_t i = 0; i < std::min(kMostGpus, summary.gpus.size()); ++i) {
    const auto& gpu = summary.gpus[i];
    table.add({fmt::to_string(gpu.gpu_idx), gpu.name.value_or(std::string(kAbsent)),
               fmt::to_string(gpu.samples), mib_cell(gpu.total_mib), mib_cell(gpu.baseline_mib),
               mib_cell(gpu.mean_mib), mib_cell(gpu.p95_mib), mib_cell(gpu.peak_mib),
               mib_cell(gpu.delta_mib)});
  }
  return table.empty() ? "" : folded("Device memory as a table", table.html());
}

}  // namespace

std::string memory_section(const Summary& summary) {
  std::string out;
  const auto& breakdown = summary.memory_breakdown;
  if (!breakdown || breakdown->gpus.empty()) {
    out += paragraph("Not measured: device memory.", "absent");
  } else {
    for (std::size_t i = 0; i < std::min(kMostGpus, breakdown->gpus.size()); ++i) {
      const auto& gpu = breakdown->gpus[i];
      const auto found =
          std::find_if(summary.gpus.begin(), summary.gpus.end(),
                       [&](const GpuSummary& each) { return each.gpu_idx == gpu.gpu_idx; });
      out += gpu_bar(gpu, found == summary.gpus.end() ? nullptr : &*found);
    }
    if (breakdown->gpus.size() > kMostGpus) {
      out += paragraph(fmt::format("{} more GPUs are in summary.json.",
                                   breakdown->gpus.size() - kMostGpus));
    }
    for (const auto& line : analysis::describe_memory(summary)) {
      if (line.label == "memory") out += paragraph(line.text);
    }
    out += folded("The breakdown as a table", breakdown_table(*breakdown));
  }
  if (breakdown && breakdown->kv_tokens_total) {
    out += paragraph(fmt::format("The KV cache holds {} tokens ({}).", *breakdown->kv_tokens_total,
                                 breakdown->kv_tokens_source.value_or("source not known")));
  }
  return section("memory", "Where the memory is", out + gpu_table(summary));
}

}  // namespace memprof::report
