#include "analysis/ending.hpp"
#include "analysis/ending_memory.hpp"
#include "formats/described.hpp"
#include "formats/text.hpp"
#include "report/html.hpp"
#include "report/sections.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace memprof::report {
namespace {

constexpr std::size_t kMostProblems = 20;
constexpr auto kNotMeasured = "not measured";

std::string tile(std::string_view label, const std::string& value) {
  return fmt::format("<div{}><dt>{}</dt><dd>{}</dd></div>\n",
                     value == kNotMeasured ? " class=\"absent\"" : "", escape(label),
                     escape(value));
}

template <class T>
std::string count_or_absent(const std::optional<T>& value) {
  return value ? fmt::to_string(*value) : kNotMeasured;
}

std::string percent_or_absent(const std::optional<double>& value) {
  return value ? fmt::format("{:.1f} %", *value) : kNotMeasured;
}

std::string gpu_peak(const Summary& summary) {
  const GpuSummary* most = nullptr;
  for (const auto& gpu : summary.gpus) {
    if (gpu.peak_mib && (most == nullptr || *gpu.peak_mib > *most->peak_mib)) most = &gpu;
  }
  if (most == nullptr) return kNotMeasured;
  auto text = formats::format_mib(static_cast<double>(*most->peak_mib));
  if (most->peak_pct) text += fmt::format(", {:.0f}\u00a0%", *most->peak_pct);
  return text;
}

std::string tiles(const Summary& summary) {
  const auto kv = summary.server_metrics ? summary.server_metrics->kv : KvWindow{};
  std::string out = "<dl class=\"tiles\">\n";
  out += tile("KV cache at its peak", percent_or_absent(kv.usage_peak_pct));
  out += tile("Preemptions", count_or_absent(kv.preemptions));
  out += tile("Most waiting", count_or_absent(kv.waiting_peak));
  out += tile("Prefix cache hits", percent_or_absent(kv.prefix_hit_pct));
  out += tile("Most memory on a GPU", gpu_peak(summary));
  out += tile("Requests ok", fmt::format("{} of {}", summary.ok_requests, summary.total_requests));
  return out + "</dl>\n";
}

/// What a reader might take for zero, or miss.
std::string not_measured(const Summary& summary) {
  std::vector<std::string> parts;
  if (gpu_peak(summary) == kNotMeasured) {
    parts.emplace_back("device memory (no reading of a GPU: this page says nothing about it)");
  }
  if (!summary.server_metrics) {
    parts.emplace_back("KV cache, running and waiting requests, preemptions (the server's own "
                       "metrics were not recorded)");
  } else {
    if (!summary.server_metrics->kv.usage_peak_pct) parts.emplace_back("KV cache usage");
    if (!summary.server_metrics->kv.preemptions) parts.emplace_back("preemptions");
    if (!summary.server_metrics->kv.waiting_peak) parts.emplace_back("waiting requests");
  }
  if (parts.empty()) return "";
  return paragraph(fmt::format("Not measured: {}.", fmt::join(parts, "; ")), "absent");
}

/// The answer. Green and red only where it can be relied upon.
std::string fit(const Summary& summary) {
  const auto& pressure = summary.verdict.pressure;
  auto words = analysis::describe_fit(summary).text;
  if (!words.empty() && words[0] >= 'a' && words[0] <= 'z') words[0] += 'A' - 'a';
  const bool is_known = pressure && summary.verdict.valid;
  const bool is_good = is_known && *pressure == "none" && summary.server_metrics &&
                       summary.server_metrics->kv.usage_peak_pct;
  const bool is_bad = is_known && *pressure != "none";
  return fmt::format("<p class=\"fit {}\"><b>Pressure: {}{}.</b> {}</p>\n",
                     is_good ? "good" : is_bad ? "bad" : "open",
                     escape(pressure.value_or("not known")),
                     pressure && !is_known ? ", by figures that must not be used" : "",
                     escape(words, 1000));
}

}  // namespace

std::string reasons(const Summary& summary) {
  std::string out;
  for (const auto& reason : summary.verdict.reasons) {
    const auto severity = formats::enum_name(reason.severity);
    out += fmt::format("<li class=\"{}\"><b>{}</b> <code>{}</code> {} <em>{}</em></li>\n", severity,
                       severity, escape(reason.code), escape(reason.text, 1000),
                       escape(reason.advice, 1000));
  }
  for (std::size_t i = 0; i < std::min(kMostProblems, summary.problems.size()); ++i) {
    out += fmt::format("<li class=\"warning\"><b>file</b> {}</li>\n", escape(summary.problems[i]));
  }
  return out.empty() ? "" : "<ul class=\"reasons\">\n" + out + "</ul>\n";
}

std::string answer(const Summary& summary) {
  return fmt::format("<p class=\"verdict {}\">{}</p>\n",
                     summary.verdict.valid ? "valid" : "invalid",
                     escape("Verdict: " + analysis::describe_verdict(summary))) +
         fit(summary);
}

std::string verdict_section(const Summary& summary, const Manifest& manifest) {
  auto out = answer(summary);
  out += tiles(summary) + not_measured(summary) + reasons(summary);
  for (const auto& line : analysis::describe_memory(summary)) {
    if (line.label == "KV cache") out += paragraph(line.label + ": " + line.text);
  }
  if (manifest.results.duration_s) {
    std::string time = "The run took " + formats::format_duration(*manifest.results.duration_s);
    if (summary.load.duration_s) {
      time += ", the load " + formats::format_duration(*summary.load.duration_s);
    }
    out += paragraph(time + ".");
  }
  return section("verdict", "Does the load fit?", out);
}

}  // namespace memprof::report
