#pragma once

#include <chrono>
#include <cstdint>

namespace memprof {

/// UTC wall-clock time in whole microseconds; in text always `2026-02-25T10:00:00.123456+00:00`.
using Timestamp = std::chrono::sys_time<std::chrono::microseconds>;

using Tokens = std::int64_t;    ///< tokens of the server's tokenizer
using MiB = std::int64_t;       ///< 2^20 bytes, rounded up as nvidia-smi does
using Seconds = double;         ///< decimal seconds, as options take them
using Milliseconds = double;    ///< decimal milliseconds
using Percent = double;         ///< 0–100

inline Milliseconds milliseconds_between(Timestamp from, Timestamp to) {
  return static_cast<double>((to - from).count()) / 1e3;
}
inline Seconds seconds_between(Timestamp from, Timestamp to) {
  return static_cast<double>((to - from).count()) / 1e6;
}

}  // namespace memprof
