#pragma once

#include "process/child.hpp"

#include <array>
#include <memory>

namespace memprof::process::detail {

/// The one place that includes Boost.Process.
class Launched {
 public:
  virtual ~Launched() = default;
  [[nodiscard]] virtual int pid() const = 0;
  /// Reaps: the process must have ended. A wait status as waitpid(2) gives it.
  virtual int reap() = 0;
  /// Nobody waits for it any more.
  virtual void let_go() = 0;
};

/// `streams`: what becomes 0, 1 and 2; each above 2, or the same number.
Result<std::unique_ptr<Launched>> launch(const Spec& spec, const std::array<int, 3>& streams);

}  // namespace memprof::process::detail
