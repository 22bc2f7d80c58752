#include "clock/ticks.hpp"

#include <algorithm>
#include <cmath>

namespace memprof::clock {
namespace {

/// Nearest-rank percentile; reorders `values`, which must not be empty.
double percentile(std::vector<float>& values, double share) {
  const auto rank = static_cast<std::size_t>(std::ceil(share * static_cast<double>(values.size())));
  const auto at = values.begin() + static_cast<std::ptrdiff_t>(std::max<std::size_t>(rank, 1) - 1);
  std::nth_element(values.begin(), at, values.end());
  return static_cast<double>(*at);
}

}  // namespace

Ticks::Ticks(SinceBoot start, std::chrono::nanoseconds interval)
    : interval_(interval), next_due_(start) {}

void Ticks::take(SinceBoot begun, SinceBoot ended) {
  ++taken_;
  lateness_ms_.push_back(std::chrono::duration<float, std::milli>(begun - next_due_).count());
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
  if (!lateness_ms_.empty()) {
    auto values = lateness_ms_;
    account.lateness_p50_ms = percentile(values, 0.5);
    account.lateness_p99_ms = percentile(values, 0.99);
    account.lateness_max_ms = percentile(values, 1.0);
  }
  return account;
}

}  // namespace memprof::clock
