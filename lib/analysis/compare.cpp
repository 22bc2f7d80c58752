#include "analysis/compare.hpp"

#include "formats/json.hpp"
#include "formats/number.hpp"
#include "formats/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <set>

namespace memprof::analysis {
namespace {

constexpr std::size_t kMostBeside = 4;
constexpr std::size_t kLabelWidth = 28;
constexpr std::size_t kColumns = 100;
const std::string kNone = "-";

using Cells = std::vector<std::string>;

/// A line of the table for every run.
struct Line {
  std::string label;
  Cells cells;
};

template <class T>
std::string shown(const std::optional<T>& value) {
  return value ? fmt::to_string(*value) : kNone;
}
std::string shown_pct(const std::optional<double>& value) {
  return value ? fmt::format("{:.1f} %", *value) : kNone;
}
std::string shown_mib(const std::optional<double>& value) {
  return value ? formats::format_mib(*value) : kNone;
}

/// An option's value as it would be typed.
std::string shown_json(const boost::json::value& value) {
  if (value.is_null()) return kNone;
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

std::vector<Line> differing_options(const std::vector<ComparedRun>& runs) {
  std::vector<boost::json::object> all;
  for (const auto& run : runs) all.push_back(options_of(run));
  std::vector<std::string> keys;
  std::set<std::string> known;
  for (const auto& options : all) {
    for (const auto& [key, value] : options) {
      if (known.emplace(key).second) keys.emplace_back(key);
    }
  }
  std::vector<Line> lines;
  for (const auto& key : keys) {
    Line line{key, {}};
    for (const auto& options : all) {
      const auto* value = options.if_contains(key);
      line.cells.push_back(value == nullptr ? kNone : shown_json(*value));
    }
    const bool same = std::all_of(line.cells.begin(), line.cells.end(), [&](const auto& cell) {
      return cell == line.cells.front();
    });
    if (!same) lines.push_back(std::move(line));
  }
  return lines;
}

std::string symptoms_of(const Summary& summary) {
  std::string text;
  for (const auto& symptom : summary.symptoms) {
    if (!text.empty()) text += ", ";
    text += symptom.name;
    if (symptom.first_concurrency) text += fmt::format(" at {}", *symptom.first_concurrency);
  }
  return text.empty() ? kNone : text;
}

template <class Figure>
std::optional<double> largest_gpu(const Summary& summary, const Figure& of) {
  std::optional<double> most;
  for (const auto& gpu : summary.gpus) most = std::max(most, of(gpu));
  return most;
}

std::vector<Line> findings(const std::vector<ComparedRun>& runs) {
  std::vector<Line> lines;
  const auto add = [&](std::string label, const std::function<std::string(const Summary&)>& of) {
    Line line{std::move(label), {}};
    for (const auto& run : runs) line.cells.push_back(of(run.summary));
    const bool measured = std::any_of(line.cells.begin(), line.cells.end(),
                                      [](const auto& cell) { return cell != kNone; });
    if (measured) lines.push_back(std::move(line));
  };
  using OfKv = std::function<std::string(const KvWindow&)>;
  const auto add_kv = [&](std::string label, const OfKv& of) {
    add(std::move(label),
        [&](const Summary& s) { return s.server_metrics ? of(s.server_metrics->kv) : kNone; });
  };
  add("valid", [](const Summary& s) { return s.verdict.valid ? "yes" : "NO"; });
  add("pressure", [](const Summary& s) { return s.verdict.pressure.value_or(kNone); });
  add("symptoms", symptoms_of);
  add("requests ok", [](const Summary& s) { return fmt::to_string(s.ok_requests); });
  add("requests failed", [](const Summary& s) { return fmt::to_string(s.error_requests); });
  add("load time", [](const Summary& s) {
    return s.load.duration_s ? formats::format_duration(*s.load.duration_s) : kNone;
  });
  add("prompt tokens", [](const Summary& s) { return shown(s.load.prompt_tokens); });
  add("completion tokens", [](const Summary& s) { return shown(s.load.completion_tokens); });
  add("in flight, most", [](const Summary& s) { return shown(s.load.max_in_flight); });
  add_kv("KV usage, peak", [](const KvWindow& kv) { return shown_pct(kv.usage_peak_pct); });
  add_kv("KV usage, mean", [](const KvWindow& kv) { return shown_pct(kv.usage_mean_pct); });
  add_kv("KV tokens, peak", [](const KvWindow& kv) { return shown(kv.tokens_peak); });
  add_kv("waiting, most", [](const KvWindow& kv) { return shown(kv.waiting_peak); });
  add_kv("preemptions", [](const KvWindow& kv) { return shown(kv.preemptions); });
  add_kv("prefix hits", [](const KvWindow& kv) { return shown_pct(kv.prefix_hit_pct); });
  add("GPU memory, peak", [](const Summary& s) {
    return shown_mib(largest_gpu(s, [](const GpuSummary& gpu) {
      return gpu.peak_mib ? std::optional(static_cast<double>(*gpu.peak_mib)) : std::nullopt;
    }));
  });
  add("GPU memory over baseline", [](const Summary& s) {
    return shown_mib(largest_gpu(s, [](const GpuSummary& gpu) { return gpu.delta_mib; }));
  });
  std::set<std::int64_t> levels;
  for (const auto& run : runs) {
    for (const auto& [level, part] : run.summary.by_concurrency) levels.insert(level);
  }
  for (const auto level : levels) {
    add(fmt::format("concurrency {}: peak KV", level), [&](const Summary& s) {
      const auto at = s.by_concurrency.find(level);
      return at == s.by_concurrency.end() ? kNone : shown_pct(at->second.kv.usage_peak_pct);
    });
    add(fmt::format("concurrency {}: preempted", level), [&](const Summary& s) {
      const auto at = s.by_concurrency.find(level);
      return at == s.by_concurrency.end() ? kNone : shown(at->second.kv.preemptions);
    });
  }
  return lines;
}

/// As many pieces of `text` as it takes, cut at blanks and commas where there are any.
Cells wrapped(std::string text, std::size_t width) {
  Cells pieces;
  while (text.size() > width) {
    auto cut = text.find_last_of(" ,", width - 1);
    cut = cut == std::string::npos ? width : cut + 1;
    // Never within a character.
    while (cut > 1 && (static_cast<unsigned char>(text[cut]) & 0xC0) == 0x80) --cut;
    pieces.push_back(text.substr(0, cut));
    text.erase(0, cut);
  }
  pieces.push_back(std::move(text));
  return pieces;
}

void append_line(std::string& out, const Line& line, std::size_t from, std::size_t to,
                 std::size_t width) {
  std::vector<Cells> columns{wrapped(line.label, kLabelWidth - 1)};
  std::size_t height = columns.front().size();
  for (auto i = from; i < to; ++i) {
    columns.push_back(wrapped(line.cells[i], width - 1));
    height = std::max(height, columns.back().size());
  }
  for (std::size_t row = 0; row < height; ++row) {
    std::string text;
    for (std::size_t i = 0; i < columns.size(); ++i) {
      const auto cell = row < columns[i].size() ? std::string_view(columns[i][row]) : "";
      text += i == 0 ? fmt::format("{:<{}}", cell, kLabelWidth)
                     : fmt::format("{:<{}}", cell, width);
    }
    text.erase(text.find_last_not_of(' ') + 1);
    out += text + '\n';
  }
}

}  // namespace

std::string compare(const std::vector<ComparedRun>& runs) {
  Line names{"run", {}};
  Line simulated{"SIMULATED", {}};
  bool any_simulated = false;
  for (const auto& run : runs) {
    names.cells.push_back(formats::one_line(run.name, 200));
    simulated.cells.emplace_back(run.summary.simulated ? "yes" : "no");
    any_simulated = any_simulated || run.summary.simulated;
  }
  const auto options = differing_options(runs);
  const auto found = findings(runs);
  std::string out;
  for (std::size_t from = 0; from < runs.size(); from += kMostBeside) {
    const auto to = std::min(runs.size(), from + kMostBeside);
    const auto width = (kColumns - kLabelWidth) / std::min(kMostBeside, runs.size());
    if (from > 0) out += '\n';
    append_line(out, names, from, to, width);
    if (any_simulated) append_line(out, simulated, from, to, width);
    out += options.empty() ? "options that differ: none\n" : "options that differ\n";
    for (const auto& line : options) append_line(out, line, from, to, width);
    out += "findings\n";
    for (const auto& line : found) append_line(out, line, from, to, width);
  }
  return out;
}

}  // namespace memprof::analysis
