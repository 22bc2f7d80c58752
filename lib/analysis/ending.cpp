#include "analysis/ending.hpp"

#include "analysis/ending_memory.hpp"
#include "formats/described.hpp"
#include "formats/number.hpp"
#include "formats/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <string_view>
#include <vector>

namespace memprof::analysis {
namespace {

constexpr std::size_t kColumns = 100;
constexpr std::size_t kMostLevels = 12;
constexpr std::size_t kMostProblems = 3;
constexpr auto kNone = "-";

/// `first` begins the first line, blanks of the same width those after it.
void append_wrapped(std::string& out, std::string_view first, std::string_view text) {
  const auto plain = formats::one_line(text, 1000);
  std::string line(first);
  bool fresh = true;
  for (const auto word : formats::split(plain, ' ')) {
    if (!fresh && line.size() + 1 + word.size() > kColumns) {
      out += line + '\n';
      line.assign(first.size(), ' ');
      fresh = true;
    }
    if (!fresh) line += ' ';
    line += word;
    fresh = false;
  }
  out += line + '\n';
}

void append(std::string& out, const EndingLine& line) {
  append_wrapped(out, fmt::format("{:<11}", line.label), line.text);
}

std::string counted(std::int64_t count, std::string_view noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

void append_verdict(std::string& out, const Summary& summary, const Manifest& manifest) {
  append_wrapped(out, "verdict    ",
                 fmt::format("{} (run {})", describe_verdict(summary), manifest.run_id));
  for (const auto& reason : summary.verdict.reasons) {
    const auto label = fmt::format("  {:<9}", formats::enum_name(reason.severity));
    append_wrapped(out, label, fmt::format("{}: {} {}", reason.code, reason.text, reason.advice));
  }
}

void append_problems(std::string& out, const Summary& summary) {
  for (std::size_t i = 0; i < std::min(kMostProblems, summary.problems.size()); ++i) {
    append_wrapped(out, "  file     ", summary.problems[i]);
  }
  if (summary.problems.size() > kMostProblems) {
    out += fmt::format("  file     and {} more in summary.json\n",
                       summary.problems.size() - kMostProblems);
  }
}

std::string describe_gpu(const GpuSummary& gpu) {
  std::string text = fmt::format("{}{}: ", gpu.gpu_idx, gpu.name ? " (" + *gpu.name + ")" : "");
  if (!gpu.peak_mib) return text + "no reading of its memory";
  text += "peak " + formats::format_mib(static_cast<double>(*gpu.peak_mib));
  if (gpu.total_mib) {
    text += " of " + formats::format_mib(static_cast<double>(*gpu.total_mib));
    if (gpu.peak_pct) text += fmt::format(" ({:.1f} %)", *gpu.peak_pct);
  }
  if (!gpu.baseline_mib) return text + ", baseline not measured";
  return text + fmt::format(", baseline {}, {} {} it", formats::format_mib(*gpu.baseline_mib),
                            formats::format_mib(std::abs(*gpu.delta_mib)),
                            *gpu.delta_mib < 0 ? "below" : "above");
}

void append_gpus(std::string& out, const Summary& summary) {
  const bool measured = std::any_of(summary.gpus.begin(), summary.gpus.end(),
                                    [](const GpuSummary& gpu) { return gpu.peak_mib.has_value(); });
  if (!measured) {
    out += "GPU        memory not measured: this run says nothing about it\n";
    return;
  }
  for (const auto& gpu : summary.gpus) append_wrapped(out, "GPU        ", describe_gpu(gpu));
}

void append_requests(std::string& out, const Summary& summary) {
  auto text = fmt::format("{} ok, {} failed", summary.ok_requests, summary.error_requests);
  const auto without = summary.requests_without_row.value_or(0);
  if (without > 0) text += fmt::format(", {} without a row", without);
  if (!summary.error_kinds.empty()) {
    const auto& kind = summary.error_kinds.front();
    text += fmt::format("; {} of them {}", kind.n_requests, kind.status);
    if (!kind.error_detail.empty()) text += ": " + kind.error_detail;
  }
  append_wrapped(out, "requests   ", text);
}

std::string peak_of(const std::vector<GpuWindow>& gpus) {
  std::optional<MiB> peak;
  for (const auto& gpu : gpus) {
    if (gpu.peak_mib) peak = std::max(peak.value_or(0), *gpu.peak_mib);
  }
  return peak ? formats::format_mib(static_cast<double>(*peak)) : kNone;
}

void append_levels(std::string& out, const Summary& summary) {
  if (summary.by_concurrency.empty()) return;
  const bool metrics = summary.server_metrics.has_value();
  out += fmt::format("concurrency{:>7} {:>8} {:>6} {:>9} {:>6} {:>11} {:>13}", "asked", "reached",
                     "mean", "requests", "ok", "time", "peak GPU mem");
  out += metrics ? fmt::format(" {:>8} {:>10}\n", "peak KV", "preempted") : "\n";
  std::size_t shown = 0;
  for (const auto& [asked, level] : summary.by_concurrency) {
    if (++shown > kMostLevels) {
      out += fmt::format("{:>18} and {} more in summary.json\n", "...",
                         summary.by_concurrency.size() - kMostLevels);
      break;
    }
    const auto reached = level.max_in_flight ? fmt::to_string(*level.max_in_flight) : kNone;
    const auto mean = level.mean_in_flight ? fmt::format("{:.1f}", *level.mean_in_flight) : kNone;
    const auto time = level.duration_s ? formats::format_duration(*level.duration_s) : kNone;
    out += fmt::format("{:>18} {:>8} {:>6} {:>9} {:>6} {:>11} {:>13}", asked, reached, mean,
                       level.n_requests, level.n_ok, time, peak_of(level.gpus));
    if (metrics) {
      const auto& kv = level.kv;
      out += fmt::format(" {:>8} {:>10}",
                         kv.usage_peak_pct ? fmt::format("{:.1f} %", *kv.usage_peak_pct) : kNone,
                         kv.preemptions ? fmt::to_string(*kv.preemptions) : kNone);
    }
    out += '\n';
  }
}

}  // namespace

std::string describe_verdict(const Summary& summary) {
  std::array<std::int64_t, 3> counts{};
  for (const auto& reason : summary.verdict.reasons) {
    ++counts.at(static_cast<std::size_t>(reason.severity));
  }
  std::string words = summary.verdict.valid ? "valid" : "NOT VALID, do not use these figures";
  if (summary.verdict.valid && summary.simulated) words += ", of a simulated server";
  if (counts[1] > 0) words += ", " + counted(counts[1], "warning");
  if (counts[2] > 0) words += ", " + counted(counts[2], "note");
  return words;
}

std::string describe_simulated(const Summary& summary) {
  std::string by;
  if (summary.server.simulator) by = "by " + *summary.server.simulator;
  if (summary.server.simulator_speed) {
    by += " at speed " + formats::format_number(*summary.server.simulator_speed);
  }
  return fmt::format("{}{}no figure here is of a real server or its GPUs", by,
                     by.empty() ? "" : ": ");
}

std::string describe_ending(const Summary& summary, const Manifest& manifest,
                            const std::string& dir) {
  std::string out;
  if (summary.simulated) append_wrapped(out, "SIMULATED  ", describe_simulated(summary));
  append_verdict(out, summary, manifest);
  append_problems(out, summary);
  append(out, describe_fit(summary));
  append_gpus(out, summary);
  for (const auto& line : describe_memory(summary)) append(out, line);
  append_requests(out, summary);
  append_levels(out, summary);
  if (manifest.results.duration_s) {
    out += "time       " + formats::format_duration(*manifest.results.duration_s);
    if (summary.load.duration_s) {
      out += ", of which load " + formats::format_duration(*summary.load.duration_s);
    }
    out += '\n';
  }
  out += "files      " + formats::one_line(dir, 4096) + '\n';
  return out;
}

}  // namespace memprof::analysis
