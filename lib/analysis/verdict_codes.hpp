#pragma once

#include "records/summary.hpp"

#include <array>
#include <string_view>

namespace memprof::analysis {

/// A reason's code and how much it weighs. The only place where the two are tied together.
struct VerdictCode {
  std::string_view name;
  Severity severity;
};

namespace code {
inline constexpr VerdictCode kSamplerDied{"sampler_died", Severity::invalid};
inline constexpr VerdictCode kGpuLost{"gpu_lost", Severity::invalid};
inline constexpr VerdictCode kCounterReset{"counter_reset", Severity::invalid};
inline constexpr VerdictCode kMetricsNotOfThisServer{"metrics_not_of_this_server",
                                                     Severity::invalid};
inline constexpr VerdictCode kOtherTraffic{"other_traffic", Severity::invalid};
inline constexpr VerdictCode kClockStepped{"clock_stepped", Severity::invalid};
inline constexpr VerdictCode kSuspended{"suspended", Severity::invalid};
inline constexpr VerdictCode kInterrupted{"interrupted", Severity::invalid};
inline constexpr VerdictCode kClientSaturated{"client_saturated", Severity::invalid};
inline constexpr VerdictCode kRunnerDied{"runner_died", Severity::invalid};
inline constexpr VerdictCode kManyRequestsFailed{"requests_failed", Severity::invalid};
inline constexpr VerdictCode kRequestsFailed{"requests_failed", Severity::warning};
inline constexpr VerdictCode kConcurrencyNotReached{"concurrency_not_reached", Severity::warning};
inline constexpr VerdictCode kPromptTokensOffTarget{"prompt_tokens_off_target", Severity::warning};
inline constexpr VerdictCode kCompletionTokensOffTarget{"completion_tokens_off_target",
                                                        Severity::warning};
inline constexpr VerdictCode kPrefixCacheWarm{"prefix_cache_warm", Severity::warning};
inline constexpr VerdictCode kTicksMissed{"ticks_missed", Severity::warning};
inline constexpr VerdictCode kTooLongForContext{"too_long_for_context", Severity::warning};
inline constexpr VerdictCode kGpuNotOfServer{"gpu_not_of_server", Severity::warning};
inline constexpr VerdictCode kGpuShared{"gpu_shared", Severity::warning};
inline constexpr VerdictCode kInsecureTls{"insecure_tls", Severity::warning};
inline constexpr VerdictCode kNoGpuTrace{"no_gpu_trace", Severity::note};
inline constexpr VerdictCode kNoServerMetrics{"no_server_metrics", Severity::note};
inline constexpr VerdictCode kSchedulerLimit{"scheduler_limit", Severity::note};
inline constexpr VerdictCode kPrefixCachingOff{"prefix_caching_off", Severity::note};
inline constexpr VerdictCode kGpuUnproven{"gpu_unproven", Severity::note};
inline constexpr VerdictCode kKeyOverHttp{"key_over_http", Severity::note};
inline constexpr VerdictCode kSimulated{"simulated", Severity::note};
}  // namespace code

/// All of them, in the order in which a verdict lists them.
inline constexpr std::array kVerdictCodes{
    code::kInterrupted,           code::kRunnerDied,
    code::kSamplerDied,           code::kGpuLost,
    code::kCounterReset,          code::kMetricsNotOfThisServer,
    code::kOtherTraffic,          code::kClockStepped,
    code::kSuspended,             code::kClientSaturated,
    code::kManyRequestsFailed,    code::kRequestsFailed,
    code::kTooLongForContext,     code::kConcurrencyNotReached,
    code::kPromptTokensOffTarget, code::kCompletionTokensOffTarget,
    code::kPrefixCacheWarm,       code::kTicksMissed,
    code::kGpuNotOfServer,        code::kGpuShared,
    code::kInsecureTls,           code::kSimulated,
    code::kNoGpuTrace,            code::kGpuUnproven,
    code::kNoServerMetrics,       code::kSchedulerLimit,
    code::kPrefixCachingOff,      code::kKeyOverHttp,
};

}  // namespace memprof::analysis
