#pragma once

#include "clock/lateness.hpp"
#include "clock/run_clock.hpp"
#include "simulator/engine.hpp"
#include "simulator/step_time.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/unordered/unordered_flat_map.hpp>

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

namespace memprof::simulator_tool {

/// Who a request is for. It must live until its last token, or until it is aborted.
class TokenSink {
 public:
  virtual ~TokenSink() = default;
  virtual simulator::Sampled next_token() = 0;
  /// May add requests and abort any.
  virtual void take(const simulator::Output& output) = 0;
};

/// What a step was, when its tokens have gone out.
struct StepReport {
  const simulator::Step& step;
  Seconds duration = 0;  ///< simulated
};

/// Runs an engine in wall-clock time, `speed` times faster: a step's tokens go out when its time is
/// over. Steps follow one another without a gap while there is work, on absolute deadlines: one
/// that is late does not move the next, unless it is later than a second.
class EngineLoop {
 public:
  EngineLoop(boost::asio::io_context& io, const simulator::EngineConfig& config,
             const simulator::StepTime& step_time, double speed);

  /// Called after each step with tokens in it.
  std::function<void(const StepReport&)> on_step;

  simulator::RequestId add(simulator::NewRequest request, TokenSink& sink);
  void abort(simulator::RequestId id);
  /// No further step is planned until resume(); what is under way ends. Requests are taken in.
  void pause() { paused_ = true; }
  void resume();

  [[nodiscard]] const simulator::EngineCounters& counters() const { return engine_.counters(); }
  /// Requests that run or wait.
  [[nodiscard]] std::int64_t requests() const { return static_cast<std::int64_t>(sinks_.size()); }
  /// Wall-clock seconds in which a step was under way.
  [[nodiscard]] Seconds busy_seconds() const;
  [[nodiscard]] std::int64_t steps() const { return steps_; }
  /// As they happened; the counter moves later.
  [[nodiscard]] std::int64_t preemptions() const { return engine_.scheduler().preemptions(); }
  [[nodiscard]] std::int64_t evictions() const { return engine_.scheduler().pool().evictions(); }
  /// How late the tokens of the steps went out.
  [[nodiscard]] const clock::Lateness& lateness() const { return lateness_; }
  /// How often the schedule was given up and begun anew, because it was a second behind.
  [[nodiscard]] std::int64_t slips() const { return slips_; }

 private:
  void advance(clock::SinceBoot now);
  void step_is_over();
  void hand_out(clock::SinceBoot now);
  [[nodiscard]] Seconds simulated(clock::SinceBoot time) const;

  boost::asio::steady_timer timer_;
  simulator::Engine engine_;
  simulator::StepTime step_time_;
  double speed_;
  clock::SinceBoot started_;
  boost::unordered_flat_map<simulator::RequestId, TokenSink*> sinks_;
  std::vector<simulator::Output> outputs_;
  std::optional<clock::SinceBoot> front_begun_;  ///< of the step under way
  clock::SinceBoot front_end_{0};
  std::chrono::nanoseconds busy_{0};
  bool handing_out_ = false;
  bool paused_ = false;
  std::int64_t steps_ = 0;
  std::int64_t slips_ = 0;
  clock::Lateness lateness_;
};

}  // namespace memprof::simulator_tool
