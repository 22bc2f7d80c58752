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

/// What `clock` reads more than `base`. Of five pairs the one with the least time between its
/// readings is the truest: a preempted process would put its pause into the difference.
std::chrono::nanoseconds difference(clockid_t clock, clockid_t base) {
  std::chrono::nanoseconds best{0};
  auto least = std::chrono::nanoseconds::max();
  for (int i = 0; i < 5; ++i) {
    const auto before = read_clock(base);
    const auto between = read_clock(clock);
    const auto after = read_clock(base);
    if (after - before < least) {
      least = after - before;
      best = between - (before + (after - before) / 2);
    }
  }
  return best;
}

/// Since boot: what CLOCK_MONOTONIC leaves out.
std::chrono::nanoseconds suspended() { return difference(CLOCK_BOOTTIME, CLOCK_MONOTONIC); }

}  // namespace

Anchor take_anchor() { return {difference(CLOCK_REALTIME, CLOCK_BOOTTIME)}; }

std::string to_text(Anchor anchor) { return std::to_string(anchor.utc_minus_boot.count()); }

std::optional<Anchor> parse_anchor(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return {};
  return Anchor{std::chrono::nanoseconds(value)};
}

RunClock::RunClock(Anchor anchor) : anchor_(anchor), suspended_before_(suspended()) {}

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

Seconds RunClock::suspended_s() const {
  const auto grown = std::chrono::duration<double>(suspended() - suspended_before_).count();
  return grown < 0.001 ? 0 : grown;  // less is the error of the readings
}

SinceBoot RunClock::since_boot() { return read_clock(CLOCK_BOOTTIME); }

Seconds process_cpu_seconds() {
  return std::chrono::duration<double>(read_clock(CLOCK_PROCESS_CPUTIME_ID)).count();
}

}  // namespace memprof::clock
