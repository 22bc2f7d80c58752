#include "analysis/judge.hpp"
#include "analysis/statistics.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <string_view>
#include <utility>

namespace memprof::analysis {
namespace {

constexpr double kMostFailedShare = 0.01;
constexpr double kTolerance = 0.1 + 1e-9;  // exactly 10 % is on target, whatever rounding does
/// Tokens that any two prompts may share: a chat template's head, and the few that two random
/// prompts begin with alike. Block rounding only ever takes hits away.
constexpr Tokens kSharedByAll = 128;

using Lengths = std::pair<Tokens, Tokens>;

std::set<Lengths> announced(const Manifest& manifest) {
  std::set<Lengths> lengths;
  for (const auto& part : manifest.too_long_for_context) {
    lengths.emplace(part.input_len, part.output_len);
  }
  return lengths;
}

void judge_failures(const Evidence& evidence, Reasons& reasons) {
  const auto too_long = announced(evidence.manifest);
  std::int64_t failed = 0;
  std::map<std::string_view, std::int64_t> kinds;
  const RequestTraceRow* example = nullptr;
  for (const auto& row : evidence.traces.requests) {
    if (row.ok() || too_long.contains({row.input_len, row.output_len})) continue;
    // `interrupted` says it already.
    if (evidence.manifest.interrupted && row.status == "error:cancelled") continue;
    ++failed;
    const auto count = ++kinds[row.status];
    if (example == nullptr || count > kinds[example->status]) example = &row;
  }
  if (failed == 0) return;
  const auto total = static_cast<double>(evidence.findings.total_requests);
  const bool many = static_cast<double>(failed) > std::max(1.0, kMostFailedShare * total);
  reasons.add(many ? code::kManyRequestsFailed : code::kRequestsFailed,
              fmt::format("{} of {} requests failed, most with {}{}.", failed,
                          evidence.findings.total_requests, example->status,
                          example->error_detail.empty()
                              ? ""
                              : fmt::format(" ({})", example->error_detail)),
              static_cast<double>(failed),
              "See status and error_detail in request_trace.csv, and the server's log.");
}

void judge_context(const Evidence& evidence, Reasons& reasons) {
  std::int64_t requests = 0;
  Tokens longest = 0;
  for (const auto& part : evidence.manifest.too_long_for_context) {
    requests += part.n_requests;
    longest = std::max(longest, part.input_len + part.output_len);
  }
  if (requests == 0) return;
  const auto& limit = evidence.manifest.server.max_model_len;
  reasons.add(code::kTooLongForContext,
              fmt::format("{} requests of up to {} tokens are longer than the server's context{}.",
                          requests, longest, limit ? fmt::format(" of {}", *limit) : ""),
              static_cast<double>(requests),
              "Leave out the longest --input-lens, or start the server with a larger "
              "--max-model-len.");
}

/// Tokens per token asked for, by the length asked for; the worst of them.
struct OffTarget {
  std::map<Tokens, Mean> ratios;

  void add(std::optional<Tokens> tokens, Tokens asked) {
    if (tokens && asked > 0) {
      ratios[asked].add(static_cast<double>(*tokens) / static_cast<double>(asked));
    }
  }
  [[nodiscard]] std::optional<std::pair<Tokens, double>> worst() const {
    std::optional<std::pair<Tokens, double>> found;
    for (const auto& [asked, mean] : ratios) {
      const auto ratio = *mean.value();
      if (std::abs(ratio - 1) <= kTolerance) continue;
      if (!found || std::abs(ratio - 1) > std::abs(found->second - 1)) found = {asked, ratio};
    }
    return found;
  }
};

void judge_lengths(const Evidence& evidence, Reasons& reasons) {
  OffTarget prompt;
  OffTarget completion;
  for (const auto& row : evidence.traces.requests) {
    if (!row.ok()) continue;
    prompt.add(row.prompt_tokens, row.input_len);
    completion.add(row.completion_tokens, row.output_len);
  }
  if (const auto worst = prompt.worst()) {
    const auto [asked, ratio] = *worst;
    reasons.add(code::kPromptTokensOffTarget,
                fmt::format("Prompts of input_len {} had {:.0f} tokens on average ({:.2f} times "
                            "that).",
                            asked, ratio * static_cast<double>(asked), ratio),
                ratio,
                "Use --calibrate yes, which fits prompts to the server's tokenizer and chat "
                "template.");
  }
  if (const auto worst = completion.worst()) {
    const auto [asked, ratio] = *worst;
    reasons.add(code::kCompletionTokensOffTarget,
                fmt::format("Answers of output_len {} had {:.0f} tokens on average ({:.2f} times "
                            "that).",
                            asked, ratio * static_cast<double>(asked), ratio),
                ratio, "Use --exact-output, which lets the model not stop early.");
  }
}

/// What all prompts may have in common. A chat template with a long system prompt of its own shows
/// in what every prompt has above its input_len.
double shared_by_all(const std::vector<RequestTraceRow>& rows) {
  std::optional<Tokens> above;
  for (const auto& row : rows) {
    if (!row.prompt_tokens) continue;
    above = std::min(above.value_or(*row.prompt_tokens), *row.prompt_tokens - row.input_len);
  }
  return static_cast<double>(kSharedByAll + std::max<Tokens>(0, above.value_or(0)));
}

/// The most that a generated prompt's prefix can be in the cache already: nothing of a `low` one,
/// the shared part of a `high` one once another of its length has started.
void judge_prefix_cache(const Evidence& evidence, Reasons& reasons) {
  const auto& options = evidence.manifest.options;
  const auto* workload = options.if_contains("workload");
  if (workload != nullptr && workload->is_string()) return;  // shares what its author chose
  const auto* share_option = options.if_contains("high_prefix_share");
  const double share = share_option != nullptr && share_option->is_number()
                           ? share_option->to_number<double>()
                           : WorkloadSpec{}.high_prefix_share;

  std::vector<const RequestTraceRow*> rows;
  for (const auto& row : evidence.traces.requests) {
    if (row.start_ts && row.prefix_mode) rows.push_back(&row);
  }
  std::stable_sort(rows.begin(), rows.end(), [](const auto* a, const auto* b) {
    return *a->start_ts < *b->start_ts;
  });
  const auto by_all = shared_by_all(evidence.traces.requests);
  std::set<Tokens> started;
  std::vector<double> excess;
  for (const auto* row : rows) {
    const bool high = *row->prefix_mode == PrefixMode::high;
    const bool shared = high && !started.insert(row->input_len).second;
    if (!row->cached_tokens || !row->prompt_tokens) continue;
    const auto most = by_all + (shared ? share * static_cast<double>(*row->prompt_tokens) : 0);
    const auto above = static_cast<double>(*row->cached_tokens) - most;
    if (above > 0) excess.push_back(above);
  }
  // A request that was sent twice may hit what its first sending left.
  const auto repeats = evidence.traces.runner ? evidence.traces.runner->repeats : 0;
  if (static_cast<std::int64_t>(excess.size()) <= repeats) return;
  double tokens = 0;
  for (const auto value : excess) tokens += value;
  reasons.add(code::kPrefixCacheWarm,
              fmt::format("{} requests found {:.0f} tokens more in the prefix cache than this "
                          "workload can have put there.",
                          excess.size(), tokens),
              tokens,
              "Use --cache-salt per-run or another --seed, or restart the server, to start cold.");
}

}  // namespace

void judge_requests(const Evidence& evidence, Reasons& reasons) {
  judge_failures(evidence, reasons);
  judge_context(evidence, reasons);
  judge_lengths(evidence, reasons);
  judge_prefix_cache(evidence, reasons);
}

}  // namespace memprof::analysis
