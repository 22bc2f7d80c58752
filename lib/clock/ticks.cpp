#include "clock/ticks.hpp"

namespace memprof::clock {

Ticks::Ticks(SinceBoot start, std::chrono::nanoseconds interval)
    : interval_(interval), next_due_(start) {}

void Ticks::take(SinceBoot begun, SinceBoot ended) {
  ++taken_;
  lateness_.add(begun - next_due_);
  next_due_ += interval_;
  skip_to_after(ended);
}

void Ticks::miss(SinceBoot now) {
  ++missed_;
  next_due_ += interval_;
  skip_to_after(now);
}

void Ticks::skip_to_after(SinceBoot now) {
  // A tick that is late by less than an interval is still taken, late: its lateness says so.
  if (now < next_due_ + interval_) return;
  const auto passed = (now - next_due_) / interval_;
  missed_ += passed;
  next_due_ += passed * interval_;
}

TickAccount Ticks::account() const {
  TickAccount account;
  account.interval_ms = std::chrono::duration<double, std::milli>(interval_).count();
  account.due = taken_ + missed_;
  account.taken = taken_;
  account.missed = missed_;
  account.lateness_p50_ms = lateness_.percentile_ms(50);
  account.lateness_p99_ms = lateness_.percentile_ms(99);
  account.lateness_max_ms = lateness_.percentile_ms(100);
  return account;
}

}  // namespace memprof::clock
