#pragma once

#include "records/units.hpp"
#include "simulator/scheduler.hpp"

namespace memprof::simulator {

/// How long a step takes: a sum of what reading the weights, computing prompts, and reading the KV
/// cache cost. It decides which requests meet, not how much memory each takes.
struct StepTime {
  Seconds per_step = 0;
  Seconds per_prefill_token = 0;
  Seconds per_sequence = 0;
  Seconds per_kv_token = 0;

  [[nodiscard]] Seconds of(const Step& step) const {
    if (step.empty()) return 0;
    return per_step + per_prefill_token * static_cast<double>(step.prefill_tokens) +
           per_sequence * static_cast<double>(step.planned.size()) +
           per_kv_token * static_cast<double>(step.kv_tokens);
  }
};

}  // namespace memprof::simulator
