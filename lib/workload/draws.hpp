#pragma once

#include <cstdint>

namespace memprof::workload {

/// Random numbers that are the same on every machine: number n of a stream is a mix of the stream's
/// key and n (SplitMix64, Steele, Lea and Flood 2014), so that any stream starts at no cost.
class Draws {
 public:
  explicit Draws(std::uint64_t key) : state_(key) {}

  std::uint64_t next() {
    state_ += 0x9E3779B97F4A7C15u;
    return mix(state_);
  }

  static std::uint64_t mix(std::uint64_t x) {
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
    return x ^ (x >> 31);
  }

 private:
  std::uint64_t state_;
};

}  // namespace memprof::workload
