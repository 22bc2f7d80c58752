#include "engine_loop.hpp"

#include <algorithm>
#include <utility>

namespace memprof::simulator_tool {
namespace {

using clock::RunClock;
using clock::SinceBoot;
using namespace std::chrono_literals;

constexpr auto kTooLate = 1s;

}  // namespace

EngineLoop::EngineLoop(boost::asio::io_context& io, const simulator::EngineConfig& config,
                       const simulator::StepTime& step_time, double speed)
    : timer_(io),
      engine_(config),
      step_time_(step_time),
      speed_(speed),
      started_(RunClock::since_boot()) {}

simulator::RequestId EngineLoop::add(simulator::NewRequest request, TokenSink& sink) {
  const auto now = RunClock::since_boot();
  const auto id = engine_.add(std::move(request), simulated(now));
  sinks_.emplace(id, &sink);
  if (!front_begun_ && !handing_out_) advance(now);
  return id;
}

void EngineLoop::abort(simulator::RequestId id) {
  sinks_.erase(id);
  engine_.abort(id);
}

void EngineLoop::resume() {
  paused_ = false;
  if (!front_begun_ && !handing_out_) advance(RunClock::since_boot());
}

Seconds EngineLoop::simulated(SinceBoot time) const {
  return std::chrono::duration<double>(time - started_).count() * speed_;
}

Seconds EngineLoop::busy_seconds() const {
  auto busy = busy_;
  if (front_begun_) {
    const auto now = std::min(RunClock::since_boot(), front_end_);
    busy += std::max<std::chrono::nanoseconds>(0ns, now - *front_begun_);
  }
  return std::chrono::duration<double>(busy).count();
}

void EngineLoop::advance(SinceBoot now) {
  for (;;) {
    while (!paused_ && engine_.plan(simulated(now)) != nullptr) {
    }
    const auto* front = engine_.front();
    if (front == nullptr) {
      front_begun_.reset();
      return;
    }
    if (!front->empty()) break;
    outputs_.clear();
    engine_.take([](simulator::RequestId) { return simulator::Sampled{}; }, 0, outputs_);
  }
  front_begun_ = now;
  front_end_ = now + std::chrono::nanoseconds(static_cast<std::int64_t>(
                         step_time_.of(*engine_.front()) / speed_ * 1e9));
  timer_.expires_after(front_end_ - RunClock::since_boot());
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error) step_is_over();
  });
}

void EngineLoop::step_is_over() {
  const auto late = RunClock::since_boot() - front_end_;
  lateness_.add(late);
  auto now = front_end_;
  if (late > kTooLate) {
    ++slips_;
    now += late;
  }
  busy_ += front_end_ - *front_begun_;
  hand_out(now);
  advance(now);
}

void EngineLoop::hand_out(SinceBoot now) {
  const simulator::Step step = *engine_.front();
  outputs_.clear();
  engine_.take(
      [this](simulator::RequestId id) { return sinks_.at(id)->next_token(); }, simulated(now),
      outputs_);
  ++steps_;
  handing_out_ = true;
  for (const auto& output : outputs_) {
    const auto at = sinks_.find(output.id);
    if (at == sinks_.end()) continue;
    TokenSink* sink = at->second;
    if (output.finished) sinks_.erase(at);
    sink->take(output);
  }
  handing_out_ = false;
  if (on_step) on_step({step, step_time_.of(step)});
}

}  // namespace memprof::simulator_tool
