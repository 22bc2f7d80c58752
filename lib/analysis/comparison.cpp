#include "analysis/comparison.hpp"

#include "formats/json.hpp"
#include "formats/number.hpp"
#include "formats/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <set>

namespace memprof::analysis {
namespace {

using Cell = std::optional<std::string>;

template <class T>
Cell shown(const std::optional<T>& value) {
  if (!value) return {};
  return fmt::to_string(*value);
}
Cell shown_pct(const std::optional<double>& value) {
  if (!value) return {};
  return fmt::format("{:.1f} %", *value);
}
Cell shown_mib(const std::optional<double>& value) {
  if (!value) return {};
  return formats::format_mib(*value);
}

/// An option's value as it would be typed.
std::string shown_json(const boost::json::value& value) {
  if (value.is_string()) return formats::one_line(std::string_view(value.get_string()), 200);
  if (value.is_double()) return formats::format_number(value.get_double());  // 10, not 1E1
  if (!value.is_array()) return boost::json::serialize(value);
  std::string list;
  for (const auto& each : value.get_array()) list += (list.empty() ? "" : ",") + shown_json(each);
  return list;
}

/// What was asked for: the options, and where a manifest has none (the original scripts') its
/// configuration.
boost::json::object options_of(const ComparedRun& run) {
  auto options = run.manifest.options;
  const auto config = formats::to_json(run.manifest.config);
  for (const auto& [key, value] : config.as_object()) {
    if (!options.contains(key)) options.emplace(key, value);
  }
  options.erase("tag");  // names the run, as its folder does
  // The same figure under two names.
  options.erase("gpu_sample_interval_ms");
  // A simulator that was started for the run has another free port, and so another URL, each time.
  const auto* simulate = options.if_contains("simulate");
  if (simulate != nullptr && *simulate == true) options.erase("base_url");
  options.emplace("server_version", formats::to_json(run.manifest.server.version));
  options.emplace("simulator_speed", formats::to_json(run.manifest.server.simulator_speed));
  options.emplace("server_model", formats::to_json(run.manifest.server.model));
  options.emplace("host", formats::to_json(run.manifest.host.hostname));
  return options;
}

std::vector<ComparedLine> differing_options(const std::vector<ComparedRun>& runs) {
  std::vector<boost::json::object> all;
  all.reserve(runs.size());
  for (const auto& run : runs) all.push_back(options_of(run));
  std::vector<std::string> keys;
  std::set<std::string> known;
  for (const auto& options : all) {
    for (const auto& [key, value] : options) {
      if (known.emplace(key).second) keys.emplace_back(key);
    }
  }
  std::vector<ComparedLine> lines;
  for (const auto& key : keys) {
    ComparedLine line{key, {}};
    for (const auto& options : all) {
      const auto* value = options.if_contains(key);
      const bool given = value != nullptr && !value->is_null();
      line.cells.push_back(given ? Cell(shown_json(*value)) : Cell());
    }
    const bool same = std::all_of(line.cells.begin(), line.cells.end(), [&](const auto& cell) {
      return cell == line.cells.front();
    });
    if (!same) lines.push_back(std::move(line));
  }
  return lines;
}

Cell symptoms_of(const Summary& summary) {
  if (summary.symptoms.empty()) return summary.verdict.pressure ? Cell("none") : Cell();
  std::string text;
  for (const auto& symptom : summary.symptoms) {
    if (!text.empty()) text += ", ";
    text += symptom.name;
    if (symptom.first_concurrency) text += fmt::format(" at {}", *symptom.first_concurrency);
  }
  return text;
}

template <class Figure>
std::optional<double> largest_gpu(const Summary& summary, const Figure& of) {
  std::optional<double> most;
  for (const auto& gpu : summary.gpus) most = std::max(most, of(gpu));
  return most;
}

using OfSummary = std::function<Cell(const Summary&)>;

/// A line, unless no run has the figure.
void add(std::vector<ComparedLine>& lines, const std::vector<ComparedRun>& runs, std::string label,
         const OfSummary& of) {
  ComparedLine line{std::move(label), {}};
  bool measured = false;
  for (const auto& run : runs) {
    line.cells.push_back(of(run.summary));
    measured = measured || line.cells.back().has_value();
  }
  if (measured) lines.push_back(std::move(line));
}

void add_server_figures(std::vector<ComparedLine>& lines, const std::vector<ComparedRun>& runs) {
  const auto add_kv = [&](std::string label, const std::function<Cell(const KvWindow&)>& of) {
    add(lines, runs, std::move(label), [&](const Summary& s) {
      return s.server_metrics ? of(s.server_metrics->kv) : Cell();
    });
  };
  add_kv("KV usage, peak", [](const KvWindow& kv) { return shown_pct(kv.usage_peak_pct); });
  add_kv("KV usage, mean", [](const KvWindow& kv) { return shown_pct(kv.usage_mean_pct); });
  add_kv("KV tokens, peak", [](const KvWindow& kv) { return shown(kv.tokens_peak); });
  add_kv("waiting, most", [](const KvWindow& kv) { return shown(kv.waiting_peak); });
  add_kv("preemptions", [](const KvWindow& kv) { return shown(kv.preemptions); });
  add_kv("prefix hits", [](const KvWindow& kv) { return shown_pct(kv.prefix_hit_pct); });
}

std::vector<ComparedLine> findings(const std::vector<ComparedRun>& runs) {
  std::vector<ComparedLine> lines;
  const auto add_line = [&](std::string label, const OfSummary& of) {
    add(lines, runs, std::move(label), of);
  };
  add_line("valid", [](const Summary& s) { return Cell(s.verdict.valid ? "yes" : "NO"); });
  add_line("pressure", [](const Summary& s) { return s.verdict.pressure; });
  add_line("symptoms", symptoms_of);
  add_line("requests ok", [](const Summary& s) { return Cell(fmt::to_string(s.ok_requests)); });
  add_line("requests failed",
           [](const Summary& s) { return Cell(fmt::to_string(s.error_requests)); });
  add_line("load time", [](const Summary& s) {
    return s.load.duration_s ? Cell(formats::format_duration(*s.load.duration_s)) : Cell();
  });
  add_line("prompt tokens", [](const Summary& s) { return shown(s.load.prompt_tokens); });
  add_line("completion tokens", [](const Summary& s) { return shown(s.load.completion_tokens); });
  add_line("in flight, most", [](const Summary& s) { return shown(s.load.max_in_flight); });
  add_line("in flight, mean", [](const Summary& s) -> Cell {
    if (!s.load.mean_in_flight) return {};
    return fmt::format("{:.1f}", *s.load.mean_in_flight);
  });
  add_server_figures(lines, runs);
  add_line("GPU memory, peak", [](const Summary& s) {
    return shown_mib(largest_gpu(s, [](const GpuSummary& gpu) {
      return gpu.peak_mib ? std::optional(static_cast<double>(*gpu.peak_mib)) : std::nullopt;
    }));
  });
  add_line("GPU memory over baseline", [](const Summary& s) {
    return shown_mib(largest_gpu(s, [](const GpuSummary& gpu) { return gpu.delta_mib; }));
  });
  return lines;
}

std::vector<ComparedLine> level_figures(const std::vector<ComparedRun>& runs) {
  std::set<std::int64_t> levels;
  for (const auto& run : runs) {
    for (const auto& [level, part] : run.summary.by_concurrency) levels.insert(level);
  }
  std::vector<ComparedLine> lines;
  for (const auto level : levels) {
    const auto add_level = [&](std::string_view what,
                               const std::function<Cell(const LevelSummary&)>& of) {
      add(lines, runs, fmt::format("concurrency {}: {}", level, what), [&](const Summary& s) {
        const auto at = s.by_concurrency.find(level);
        return at == s.by_concurrency.end() ? Cell() : of(at->second);
      });
    };
    add_level("in flight", [](const LevelSummary& each) { return shown(each.max_in_flight); });
    add_level("peak KV",
              [](const LevelSummary& each) { return shown_pct(each.kv.usage_peak_pct); });
    add_level("waiting", [](const LevelSummary& each) { return shown(each.kv.waiting_peak); });
    add_level("preempted", [](const LevelSummary& each) { return shown(each.kv.preemptions); });
  }
  return lines;
}

}  // namespace

Comparison compare_findings(const std::vector<ComparedRun>& runs) {
  return {differing_options(runs), findings(runs), level_figures(runs)};
}

}  // namespace memprof::analysis
