#pragma once

#include "records/units.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace memprof::clock {

/// Time since boot, suspended time included (CLOCK_BOOTTIME): what deadlines are counted in.
using SinceBoot = std::chrono::nanoseconds;

/// Ties time since boot to UTC, once for a whole run.
struct Anchor {
  std::chrono::nanoseconds utc_minus_boot{0};
};

/// The environment variable by which the orchestrator gives its anchor to its children, so that a
/// run has one clock: a whole number of nanoseconds.
inline constexpr const char* kAnchorVariable = "MEMPROF_CLOCK_ANCHOR";

Anchor take_anchor();
std::string to_text(Anchor anchor);
std::optional<Anchor> parse_anchor(std::string_view text);

/// Stamps that never run backwards: time since boot, anchored to the wall clock once. A step of the
/// wall clock during the run does not show in the stamps, but in wall_clock_shift().
class RunClock {
 public:
  explicit RunClock(Anchor anchor);
  /// With the anchor from kAnchorVariable when it is set and valid, else with a new one.
  static RunClock from_environment();

  [[nodiscard]] Timestamp now() const { return at(since_boot()); }
  [[nodiscard]] Timestamp at(SinceBoot time) const;
  /// How far the wall clock has moved since the anchor was taken, in milliseconds; slewing by NTP
  /// gives fractions, a step gives its size.
  [[nodiscard]] Milliseconds wall_clock_shift_ms() const;
  /// How long the machine was suspended since this clock was made.
  [[nodiscard]] Seconds suspended_s() const;
  [[nodiscard]] Anchor anchor() const { return anchor_; }

  static SinceBoot since_boot();

 private:
  Anchor anchor_;
  std::chrono::nanoseconds suspended_before_;
};

/// User + system CPU seconds of this process.
Seconds process_cpu_seconds();

}  // namespace memprof::clock
