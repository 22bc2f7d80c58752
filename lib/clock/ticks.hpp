#pragma once

#include "clock/lateness.hpp"
#include "clock/run_clock.hpp"
#include "records/account.hpp"

#include <cstdint>

namespace memprof::clock {

/// Absolute deadlines: tick n is due at start + n × interval, so there is no drift; ticks that have
/// passed unseen are skipped and counted, so there is no burst. due = taken + missed, always.
/// Knows no clock: times are parameters.
class Ticks {
 public:
  /// `interval` > 0. The first tick is due at `start`.
  Ticks(SinceBoot start, std::chrono::nanoseconds interval);

  /// When the next reading is to begin.
  [[nodiscard]] SinceBoot next_due() const { return next_due_; }
  /// A reading for the tick that is due began at `begun` (>= next_due()) and came back at `ended`:
  /// the tick is taken, ticks whose whole interval has passed by `ended` are missed.
  void take(SinceBoot begun, SinceBoot ended);
  /// Nothing came of the tick that is due; it and all before `now` are missed.
  void miss(SinceBoot now);
  /// Percentiles over all taken ticks.
  [[nodiscard]] TickAccount account() const;

 private:
  void skip_to_after(SinceBoot now);

  std::chrono::nanoseconds interval_;
  SinceBoot next_due_;
  std::int64_t taken_ = 0;
  std::int64_t missed_ = 0;
  Lateness lateness_;
};

}  // namespace memprof::clock
