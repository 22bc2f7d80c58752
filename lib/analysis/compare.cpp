#include "analysis/compare.hpp"

#include "formats/text.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace memprof::analysis {
namespace {

constexpr std::size_t kMostBeside = 4;
constexpr std::size_t kLabelWidth = 28;
constexpr std::size_t kColumns = 100;
constexpr auto kNone = "-";

using Cells = std::vector<std::string>;

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

void append_line(std::string& out, const ComparedLine& line, std::size_t from, std::size_t to,
                 std::size_t width) {
  std::vector<Cells> columns{wrapped(line.label, kLabelWidth - 1)};
  std::size_t height = columns.front().size();
  for (auto i = from; i < to; ++i) {
    columns.push_back(wrapped(line.cells[i].value_or(kNone), width - 1));
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
  ComparedLine names{"run", {}};
  ComparedLine simulated{"SIMULATED", {}};
  bool any_simulated = false;
  for (const auto& run : runs) {
    names.cells.emplace_back(formats::one_line(run.name, 200));
    simulated.cells.emplace_back(run.summary.simulated ? "yes" : "no");
    any_simulated = any_simulated || run.summary.simulated;
  }
  const auto found = compare_findings(runs);
  const auto& options = found.options;
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
    for (const auto* lines : {&found.findings, &found.levels}) {
      for (const auto& line : *lines) append_line(out, line, from, to, width);
    }
  }
  return out;
}

}  // namespace memprof::analysis
