#pragma once

#include "clock/run_clock.hpp"

namespace memprof::cli {

/// SIGINT and SIGTERM as something to wait for. The first is noted; a second ends the process at
/// once with 128 + its number. One per process.
class StopSignal {
 public:
  StopSignal();
  ~StopSignal();
  StopSignal(const StopSignal&) = delete;
  StopSignal& operator=(const StopSignal&) = delete;

  /// Becomes readable when a signal has come; for poll(2) and Asio. Do not read from it.
  [[nodiscard]] int fd() const;
  /// The signal's number, 0 when none has come.
  [[nodiscard]] int number() const;
  /// Sleeps until `deadline` (time since boot) with the precision of a timer. False: a signal came.
  bool sleep_until(clock::SinceBoot deadline);

 private:
  int timer_ = -1;
};

}  // namespace memprof::cli
