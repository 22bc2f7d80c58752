#include "analysis/judge.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace memprof::analysis {
namespace {

void judge_absence(const Evidence& evidence, Reasons& reasons) {
  const bool asked = evidence.manifest.files.server_metrics_trace.has_value();
  reasons.add(code::kNoServerMetrics,
              fmt::format("The server's own metrics were not recorded{}: whether it ran short of "
                          "KV cache is not judged.",
                          asked ? ", no scrape had any" : ""),
              std::nullopt,
              "Watch the server's log for preemptions and its KV cache usage while this runs.");
}

/// What the server counted while our requests ran, and what they used.
void judge_counters(const Evidence& evidence, const ServerMetricsSummary& metrics,
                    Reasons& reasons) {
  const LoadSummary& load = evidence.findings.load;
  struct Count {
    std::string_view what;
    std::optional<Tokens> server;
    std::optional<Tokens> ours;
  };
  const std::array counts{Count{"prompt", metrics.prompt_tokens, load.prompt_tokens},
                          Count{"generated", metrics.generation_tokens, load.completion_tokens}};
  const auto& rows = evidence.traces.requests;
  const bool all_told =
      evidence.traces.runner && evidence.traces.runner->repeats == 0 &&
      evidence.findings.requests_without_row.value_or(0) == 0 &&
      std::all_of(rows.begin(), rows.end(), [](const RequestTraceRow& row) {
        return !row.start_ts || (row.prompt_tokens && row.completion_tokens);
      });
  for (const auto& count : counts) {
    if (!count.server || !count.ours) continue;
    const auto beyond = *count.server - *count.ours;
    if (beyond < 0) {
      reasons.add(code::kMetricsNotOfThisServer,
                  fmt::format("The metrics count {} {} tokens, our requests used {}: they are "
                              "those of another server.",
                              *count.server, count.what, *count.ours),
                  static_cast<double>(beyond),
                  "Give the --metrics-url of the server that answers the requests; behind a load "
                  "balancer measure one server at a time.");
      return;
    }
    if (beyond > 0 && all_told) {
      reasons.add(code::kOtherTraffic,
                  fmt::format("The server counted {} {} tokens, {} more than our requests used: "
                              "somebody else used it too.",
                              *count.server, count.what, beyond),
                  static_cast<double>(beyond), "Run again when nobody else uses the server.");
      return;
    }
  }
}

void judge_traffic(const Evidence& evidence, const ServerMetricsSummary& metrics,
                   Reasons& reasons) {
  const auto others = evidence.signs.requests_of_others;
  if (others > 0) {
    reasons.add(code::kOtherTraffic,
                fmt::format("The server had up to {} requests more than ours at once: somebody "
                            "else used it too.",
                            others),
                static_cast<double>(others), "Run again when nobody else uses the server.");
  } else if (metrics.resets == 0) {
    judge_counters(evidence, metrics, reasons);
  }
}

void judge_ticks(const Evidence& evidence, Reasons& reasons) {
  if (!evidence.traces.server_sampler) return;
  const auto& ticks = evidence.traces.server_sampler->ticks;
  if (ticks.due == 0) return;
  const auto share = static_cast<double>(ticks.missed) / static_cast<double>(ticks.due);
  if (share <= kMostMissedShare) return;
  reasons.add(code::kTicksMissed,
              fmt::format("{} of {} scrapes of the server's metrics were missed ({:.1f} %): peaks "
                          "may be too low.",
                          ticks.missed, ticks.due, 100 * share),
              share, "Use a longer --metrics-interval-ms, or leave the machine more CPU.");
}

}  // namespace

void judge_server(const Evidence& evidence, Reasons& reasons) {
  if (!evidence.findings.server_metrics) {
    judge_absence(evidence, reasons);
    return;
  }
  const auto& metrics = *evidence.findings.server_metrics;
  if (metrics.resets > 0) {
    reasons.add(code::kCounterReset,
                "The server was restarted, or its counters were reset, while it was measured.",
                static_cast<double>(metrics.resets),
                "Look into the server's log for the reason, then run again.");
  }
  judge_traffic(evidence, metrics, reasons);
  judge_ticks(evidence, reasons);
  if (evidence.signs.waiting_with_room > 0) {
    reasons.add(code::kSchedulerLimit,
                fmt::format("Requests waited in {} scrape{} though KV blocks were free: the "
                            "server's own limits held them back, not its memory.",
                            evidence.signs.waiting_with_room,
                            evidence.signs.waiting_with_room == 1 ? "" : "s"),
                static_cast<double>(evidence.signs.waiting_with_room),
                "Raise --max-num-seqs or --max-num-batched-tokens of the server to use that room.");
  }
  if (!evidence.signs.prefix_caching.value_or(true)) {
    reasons.add(code::kPrefixCachingOff,
                "The server has no prefix cache: shared prefixes are computed and held for each "
                "request.",
                std::nullopt, "Start it without --no-enable-prefix-caching to let requests share.");
  }
}

}  // namespace memprof::analysis
