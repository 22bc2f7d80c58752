#pragma once

#include "simulator/scheduler.hpp"

#include <deque>
#include <optional>
#include <utility>
#include <vector>

namespace memprof::simulator {

/// The order in which steps are planned and their tokens taken in. Synchronous: one step at a time.
/// Asynchronous (vLLM's default on GPUs): the next step is planned while one is under way, so the
/// order is plan 1, plan 2, take 1, plan 3, take 2, … Who calls it knows how long steps take:
/// plan() until it returns none, wait for the end of front(), take(), and again.
class Engine {
 public:
  explicit Engine(const EngineConfig& config)
      : scheduler_(config), most_under_way_(config.async_scheduling ? 2 : 1) {}

  RequestId add(NewRequest request, Seconds now) {
    return scheduler_.add(std::move(request), now);
  }
  bool abort(RequestId id) { return scheduler_.abort(id); }

  [[nodiscard]] bool idle() const { return !scheduler_.has_requests() && under_way_.empty(); }
  /// Plans a step, which may be empty; none when the oldest must be taken in first, or there is
  /// nothing to do.
  const Step* plan(Seconds now) {
    const bool full = under_way_.size() == most_under_way_;
    if (full || stuck_ || !scheduler_.has_requests()) return nullptr;
    under_way_.push_back(scheduler_.plan(now));
    stuck_ = under_way_.back().empty();
    return &under_way_.back();
  }
  /// The oldest step under way, whose tokens come next; none when there is none.
  [[nodiscard]] const Step* front() const {
    return under_way_.empty() ? nullptr : &under_way_.front();
  }
  /// Takes in the tokens of front(): `model(id)` → Sampled. Outputs are appended.
  template <class Model>
  void take(Model&& model, Seconds now, std::vector<Output>& outputs) {
    const Step step = std::move(under_way_.front());
    under_way_.pop_front();
    stuck_ = false;
    scheduler_.take(step, std::forward<Model>(model), now, outputs);
  }

  [[nodiscard]] const Scheduler& scheduler() const { return scheduler_; }
  [[nodiscard]] const EngineCounters& counters() const { return scheduler_.counters(); }

 private:
  Scheduler scheduler_;
  std::size_t most_under_way_;
  std::deque<Step> under_way_;
  bool stuck_ = false;  ///< nothing could be planned until something is taken in
};

}  // namespace memprof::simulator
