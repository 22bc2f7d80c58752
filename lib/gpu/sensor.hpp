#pragma once

#include "clock/run_clock.hpp"
#include "gpu/source.hpp"
#include "records/gpu.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <vector>

namespace memprof::gpu {

/// What a sensor's source said to one question.
struct Answer {
  bool came = false;  ///< false: nothing was read
  clock::SinceBoot begun{0};
  clock::SinceBoot ended{0};
  std::vector<GpuMemRow> rows;  ///< without timestamps
  std::vector<std::int64_t> lost;
  /// A look at the processes, at most once a second: the one after the answer before.
  std::vector<ProcessUse> processes;
  std::vector<std::string> warnings;
};

/// A source on a thread of its own, which nobody ever joins: a driver's call that does not return
/// costs ticks, never the end of the tool.
class Sensor {
 public:
  using MakeSource = std::function<std::unique_ptr<GpuSource>(int interrupt_fd)>;

  /// Starts the thread, which makes the source and probes it.
  explicit Sensor(MakeSource make_source);
  /// Tells the source to end and waits for that, but not for longer than kLongestEnd.
  ~Sensor();
  Sensor(const Sensor&) = delete;
  Sensor& operator=(const Sensor&) = delete;

  /// Readable when a result of the probe or an answer is there.
  [[nodiscard]] int fd() const;
  /// What the probe found, once; none as long as it goes on.
  std::optional<Result<std::vector<GpuInfo>>> probed();
  /// Asks for a reading; not before the last answer was taken.
  void ask();
  /// Swaps the answer with `answer`, whose memory is used again. False: none is there.
  bool take(Answer& answer);

  static constexpr std::chrono::milliseconds kLongestEnd{1500};

 private:
  struct State;
  static void run(const std::shared_ptr<State>& state, const MakeSource& make_source);
  std::shared_ptr<State> state_;
};

}  // namespace memprof::gpu
