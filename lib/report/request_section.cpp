#include "formats/described.hpp"
#include "formats/text.hpp"
#include "report/html.hpp"
#include "report/sections.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

namespace memprof::report {
namespace {

constexpr std::size_t kMostRows = 500;
constexpr std::size_t kMostFailed = 200;
constexpr std::size_t kMostCharacters = 60;  ///< of a name

std::string seconds_cell(const std::optional<Timestamp>& from, const std::optional<Timestamp>& to) {
  if (!from || !to) return std::string(kAbsent);
  return fmt::format("{:.3f}", seconds_between(*from, *to));
}

/// Those that failed, then those that took longest, in the order of the trace.
std::vector<std::size_t> choose(const std::vector<RequestTraceRow>& rows) {
  std::vector<std::size_t> all(rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) all[i] = i;
  if (rows.size() <= kMostRows) return all;
  const auto took = [&](std::size_t i) {
    const auto& row = rows[i];
    return row.start_ts && row.end_ts ? (*row.end_ts - *row.start_ts).count() : -1;
  };
  std::vector<std::size_t> chosen;
  std::vector<std::size_t> others;
  for (const auto i : all) {
    (!rows[i].ok() && chosen.size() < kMostFailed ? chosen : others).push_back(i);
  }
  const auto count = static_cast<std::ptrdiff_t>(kMostRows - chosen.size());
  std::partial_sort(others.begin(), others.begin() + count, others.end(),
                    [&](std::size_t a, std::size_t b) { return took(a) > took(b); });
  chosen.insert(chosen.end(), others.begin(), others.begin() + count);
  std::sort(chosen.begin(), chosen.end());
  return chosen;
}

std::string error_table(const Summary& summary) {
  if (summary.error_kinds.empty()) return "";
  Table table("Failures, most frequent first", {{"status"}, {"requests", true}, {"in words"}});
  for (const auto& kind : summary.error_kinds) {
    table.add({kind.status, fmt::to_string(kind.n_requests), kind.error_detail});
  }
  return table.html();
}

}  // namespace

std::string request_section(const Summary& summary, const analysis::RunTraces& traces) {
  const auto& rows = traces.requests;
  if (rows.empty()) {
    return section("requests", "Requests", paragraph("No request has a row.", "absent"));
  }
  Table table("Requests; a heading sorts, – is not measured",
              {{"request"}, {"concurrency", true}, {"input", true}, {"output", true}, {"prefix"},
               {"status"}, {"first token, s", true}, {"took, s", true}, {"prompt tokens", true},
               {"tokens generated", true}, {"cached tokens", true}, {"in flight at start", true}},
              true);
  const auto chosen = choose(rows);
  for (const auto i : chosen) {
    const auto& row = rows[i];
    table.add({formats::one_line(row.req_id, kMostCharacters),
               fmt::to_string(row.concurrency_group), fmt::to_string(row.input_len),
               fmt::to_string(row.output_len),
               row.prefix_mode ? std::string(formats::enum_name(*row.prefix_mode))
                               : std::string(kAbsent),
               formats::one_line(row.status, kMostCharacters),
               seconds_cell(row.start_ts, row.first_token_ts),
               seconds_cell(row.start_ts, row.end_ts), cell(row.prompt_tokens),
               cell(row.completion_tokens), cell(row.cached_tokens), cell(row.in_flight_at_start)});
  }
  std::string html = error_table(summary);
  if (chosen.size() < rows.size()) {
    html += paragraph(fmt::format("{} of {} requests: up to {} that failed, and those that took "
                                  "longest. request_trace.csv has all.",
                                  chosen.size(), rows.size(), kMostFailed));
  }
  return section("requests", "Requests",
                 html + folded("The requests as a table", table.html()));
}

}  // namespace memprof::report
