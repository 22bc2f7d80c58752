#include "analysis/judge.hpp"

#include <fmt/format.h>

namespace memprof::analysis {
namespace {

constexpr Milliseconds kMostLag = 50;
constexpr std::int64_t kEnoughForP99 = 100;
constexpr double kMostOfACore = 0.9;
constexpr Seconds kEnoughToTell = 1;  // shorter than this, a share of a core means little

void judge_client(const RunnerAccount& runner, Reasons& reasons) {
  const auto p50 = runner.start_lag_p50_ms.value_or(0);
  const auto p99 = runner.start_lag_p99_ms.value_or(0);
  const bool late = p50 > kMostLag || (p99 > kMostLag && runner.start_lag_count >= kEnoughForP99);
  if (late) {
    reasons.add(code::kClientSaturated,
                fmt::format("The client sent requests late: start lag {:.0f} ms in the middle, "
                            "{:.0f} ms at p99 (limit {:.0f} ms).",
                            p50, p99, kMostLag),
                p50 > kMostLag ? p50 : p99,
                "Run the client where it has a free core, or with fewer requests in flight.");
    return;
  }
  if (runner.busy_s < kEnoughToTell) return;
  const auto share = runner.busy_cpu_s / runner.busy_s;
  if (share <= kMostOfACore) return;
  reasons.add(code::kClientSaturated,
              fmt::format("The client used {:.0f} % of a core while requests waited: it may have "
                          "been the bottleneck.",
                          100 * share),
              share, "Run fewer requests in flight, or shorter prompts, from this machine.");
}

struct Short {
  std::int64_t level;
  std::int64_t reached;
};

void judge_concurrency(const Evidence& evidence, Reasons& reasons) {
  std::vector<Short> found;
  bool too_few_requests = false;
  for (const auto& [level, part] : evidence.findings.by_concurrency) {
    if (!part.max_in_flight || *part.max_in_flight >= level) continue;
    found.push_back({level, *part.max_in_flight});
    too_few_requests = too_few_requests || part.n_requests < level;
  }
  if (found.empty()) return;
  std::string levels;
  for (const auto& part : found) {
    levels += fmt::format("{}{} of {}", levels.empty() ? "" : ", ", part.reached, part.level);
  }
  reasons.add(
      code::kConcurrencyNotReached,
      fmt::format("Fewer requests were in flight than asked for: at most {}.", levels),
      static_cast<double>(found.back().reached),
      too_few_requests
          ? "A level needs at least as many requests as its number: use --n-per-condition auto."
          : "Requests failed or ended too soon to overlap: ask for longer outputs.");
}

}  // namespace

void judge_load(const Evidence& evidence, Reasons& reasons) {
  if (evidence.traces.runner) judge_client(*evidence.traces.runner, reasons);
  judge_concurrency(evidence, reasons);
}

}  // namespace memprof::analysis
