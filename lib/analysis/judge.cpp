#include "analysis/judge.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>

namespace memprof::analysis {
namespace {

constexpr Milliseconds kMostClockShift = 100;

std::string how_it_ended(const ChildRecord& child) {
  if (!child.pid) return "could not be started";
  if (child.signal) return fmt::format("was ended by signal {}", *child.signal);
  if (child.exit_code) return fmt::format("ended by itself with exit code {}", *child.exit_code);
  return "did not end when it was told to";
}

void judge_children(const Evidence& evidence, Reasons& reasons) {
  for (const auto& child : evidence.manifest.children) {
    if (child.ended_as_told) continue;
    std::optional<double> value;
    if (child.exit_code) value = static_cast<double>(*child.exit_code);
    if (child.signal) value = 128 + static_cast<double>(*child.signal);
    const auto advice =
        fmt::format("Read logs/{}.log for its last words, then run again.", child.name);
    if (child.name.ends_with("_sampler")) {
      reasons.add(code::kSamplerDied,
                  fmt::format("{} {}: its trace has no rows from then on.", child.name,
                              how_it_ended(child)),
                  value, advice);
    } else {
      reasons.add(code::kRunnerDied,
                  fmt::format("{} {}: the load is not the one that was asked for.", child.name,
                              how_it_ended(child)),
                  value, advice);
    }
  }
}

void judge_missing_rows(const Evidence& evidence, Reasons& reasons) {
  const auto missing = evidence.findings.requests_without_row.value_or(0);
  const auto& children = evidence.manifest.children;
  const bool said = std::any_of(children.begin(), children.end(), [](const ChildRecord& child) {
    return !child.ended_as_told && !child.name.ends_with("_sampler");
  });
  if (missing == 0 || said || evidence.manifest.interrupted) return;
  reasons.add(code::kRunnerDied,
              fmt::format("{} of {} requests have no row in request_trace.csv.", missing,
                          evidence.traces.workload_requests.value_or(0)),
              static_cast<double>(missing),
              "Read logs/request_runner.log for its last words, then run again.");
}

void judge_clock(const Evidence& evidence, Reasons& reasons) {
  Milliseconds shift = evidence.manifest.wall_clock_shift_ms.value_or(0);
  const auto worse = [&](Milliseconds other) {
    if (std::abs(other) > std::abs(shift)) shift = other;
  };
  if (evidence.traces.runner) worse(evidence.traces.runner->process.wall_clock_shift_ms);
  const auto& sampler = evidence.manifest.samplers.gpu_mem_sampler;
  if (sampler) worse(sampler->wall_clock_shift_ms);
  if (evidence.traces.server_sampler) {
    worse(evidence.traces.server_sampler->process.wall_clock_shift_ms);
  }
  if (std::abs(shift) <= kMostClockShift) return;
  reasons.add(code::kClockStepped,
              fmt::format("The wall clock moved by {:.0f} ms during the run: times of other "
                          "machines and logs do not match these traces.",
                          shift),
              shift, "Let the clock settle (chronyc tracking, timedatectl), then run again.");
}

void judge_suspension(const Evidence& evidence, Reasons& reasons) {
  const auto suspended = evidence.manifest.suspended_s.value_or(0);
  if (suspended <= 0) return;
  reasons.add(code::kSuspended,
              fmt::format("This machine was suspended for {:.1f} s during the run: nothing was "
                          "read meanwhile, and requests waited or timed out.",
                          suspended),
              suspended, "Keep it awake (systemd-inhibit), then run again.");
}

}  // namespace

void Reasons::add(VerdictCode code, std::string text, std::optional<double> value,
                  std::string advice) {
  reasons_.push_back({std::string(code.name), code.severity, std::move(text), value,
                      std::move(advice)});
}

std::vector<Reason> Reasons::sorted() && {
  const auto rank = [](const Reason& reason) {
    const auto at = std::find_if(kVerdictCodes.begin(), kVerdictCodes.end(),
                                 [&](const VerdictCode& code) { return code.name == reason.code; });
    return std::pair(reason.severity, std::distance(kVerdictCodes.begin(), at));
  };
  std::stable_sort(reasons_.begin(), reasons_.end(),
                   [&](const Reason& a, const Reason& b) { return rank(a) < rank(b); });
  return std::move(reasons_);
}

void judge_run(const Evidence& evidence, Reasons& reasons) {
  const Manifest& manifest = evidence.manifest;
  if (manifest.interrupted) {
    reasons.add(code::kInterrupted,
                fmt::format("The run was interrupted: {} requests were through by then.",
                            evidence.findings.ok_requests),
                std::nullopt, "Run again and let it end; what is here covers a part only.");
  }
  judge_children(evidence, reasons);
  judge_missing_rows(evidence, reasons);
  judge_clock(evidence, reasons);
  judge_suspension(evidence, reasons);
  if (manifest.simulated) {
    reasons.add(code::kSimulated, "The server was a simulator: its figures are a model's.",
                std::nullopt, "For real ones, measure a real server next to its GPUs.");
  }
  if (manifest.server.insecure_tls) {
    reasons.add(code::kInsecureTls,
                "The server's certificate was not checked: it may have been another server.",
                std::nullopt, "Give its certificate with --ca-file instead of --insecure.");
  }
  if (manifest.server.key_over_http) {
    reasons.add(code::kKeyOverHttp,
                "A key or header value went to another machine without encryption.", std::nullopt,
                "Use https URLs, or secrets that may be seen.");
  }
}

Verdict judge(const RunTraces& traces, const Manifest& manifest, const Summary& findings,
              const ServerSigns& signs) {
  const Evidence evidence{traces, manifest, findings, signs};
  Reasons reasons;
  judge_run(evidence, reasons);
  judge_load(evidence, reasons);
  judge_requests(evidence, reasons);
  judge_gpu(evidence, reasons);
  judge_server(evidence, reasons);
  Verdict verdict;
  verdict.pressure = signs.pressure;
  verdict.reasons = std::move(reasons).sorted();
  verdict.valid =
      std::none_of(verdict.reasons.begin(), verdict.reasons.end(), [](const Reason& reason) {
        return reason.severity == Severity::invalid;
      });
  return verdict;
}

}  // namespace memprof::analysis
