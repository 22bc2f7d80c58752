#include "clock/run_clock.hpp"

#include <charconv>
#include <cstdlib>
#include <ctime>

namespace memprof::clock {
namespace {

std::chrono::nanoseconds read_clock(clockid_t id) {
  timespec time{};
  ::clock_gettime(id, &time);
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

}  // namespace

Anchor take_anchor() {
  // The pair with the least time between its two readings is the truest: a preempted process would
  // put its pause into the anchor.
  Anchor best;
  auto least = std::chrono::nanoseconds::max();
  for (int i = 0; i < 5; ++i) {
    const auto before = read_clock(CLOCK_BOOTTIME);
    const auto utc = read_clock(CLOCK_REALTIME);
    const auto after = read_clock(CLOCK_BOOTTIME);
    if (after - before < least) {
      least = after - before;
      best.utc_minus_boot = utc - (before + (after - before) / 2);
    }
  }
  return best;
}

std::string to_text(Anchor anchor) { return std::to_string(anchor.utc_minus_boot.count()); }

std::optional<Anchor> parse_anchor(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return {};
  return Anchor{std::chrono::nanoseconds(value)};
}

RunClock RunClock::from_environment() {
  if (const char* text = std::getenv(kAnchorVariable)) {
    if (const auto anchor = parse_anchor(text)) return RunClock(*anchor);
  }
  return RunClock(take_anchor());
}

Timestamp RunClock::at(SinceBoot time) const {
  return Timestamp(
      std::chrono::floor<std::chrono::microseconds>(time + anchor_.utc_minus_boot));
}

Milliseconds RunClock::wall_clock_shift_ms() const {
  const auto shift = take_anchor().utc_minus_boot - anchor_.utc_minus_boot;
  return std::chrono::duration<double, std::milli>(shift).count();
}

SinceBoot RunClock::since_boot() { return read_clock(CLOCK_BOOTTIME); }

Seconds process_cpu_seconds() {
  return std::chrono::duration<double>(read_clock(CLOCK_PROCESS_CPUTIME_ID)).count();
}

}  // namespace memprof::clock
