// vLLM 0.32's own Scheduler and AsyncScheduler, driven turn by turn.
#include "recorded_case.hpp"

#include <gtest/gtest.h>

namespace memprof::simulator {
namespace {

using Pairs = std::vector<std::pair<std::int64_t, Tokens>>;

class Classes {
 public:
  explicit Classes(const boost::json::value& recorded)
      : case_(recorded), replay_(config_of(recorded.at("server"))) {}

  void run() {
    const auto& turns = case_.at("turns").as_array();
    for (std::size_t i = 0; i < turns.size(); ++i) {
      SCOPED_TRACE("turn " + std::to_string(i));
      for (const auto& index : turns[i].at(0).as_array()) add(index.to_number<std::int64_t>());
      for (const auto& index : turns[i].at(1).as_array()) {
        replay_.abort(index.to_number<std::int64_t>());
      }
      const Step* step = replay_.plan();
      EXPECT_EQ(step == nullptr ? Pairs{} : planned(*step), recorded_plan(turns[i].at(2)));
      const bool goes_on = step != nullptr && step == replay_.engine().front() &&
                           !step->empty() && config_of(case_.at("server")).async_scheduling;
      if (!goes_on && replay_.engine().front() != nullptr) replay_.take();
      const auto& scheduler = replay_.engine().scheduler();
      EXPECT_EQ(scheduler.pool().free_blocks(), turns[i].at(3).to_number<std::int64_t>());
      EXPECT_EQ(scheduler.running(), turns[i].at(4).to_number<std::int64_t>());
      EXPECT_EQ(scheduler.waiting(), turns[i].at(5).to_number<std::int64_t>());
      EXPECT_EQ(scheduler.counters().preemptions, turns[i].at(6).to_number<std::int64_t>());
      if (testing::Test::HasFailure()) return;
    }
    const auto& totals = case_.at("totals");
    const auto& counters = replay_.engine().counters();
    EXPECT_EQ(counters.prefix_cache_queries, totals.at("queries").to_number<std::int64_t>());
    EXPECT_EQ(counters.prefix_cache_hits, totals.at("hits").to_number<std::int64_t>());
    EXPECT_EQ(replay_.engine().scheduler().preemptions(),
              totals.at("preemptions").to_number<std::int64_t>());
    check_cached();
  }

 private:
  void add(std::int64_t index) {
    const auto& request = case_.at("requests").at(static_cast<std::size_t>(index));
    replay_.add(index, request.at("prompt"), request.at("max_tokens").to_number<Tokens>(), "",
                tokens_of(request.at("output_token_ids")));
  }

  Pairs planned(const Step& step) const {
    Pairs pairs;
    for (const auto& part : step.planned) {
      pairs.emplace_back(replay_.index_of(part.id), part.tokens);
    }
    return pairs;
  }

  static Pairs recorded_plan(const boost::json::value& plan) {
    Pairs pairs;
    for (const auto& pair : plan.as_array()) {
      pairs.emplace_back(pair.at(0).to_number<std::int64_t>(), pair.at(1).to_number<Tokens>());
    }
    return pairs;
  }

  void check_cached() const {
    const auto& requests = case_.at("requests").as_array();
    for (std::size_t i = 0; i < requests.size(); ++i) {
      const auto& cached = requests[i].at("cached_tokens");
      if (cached.is_null()) continue;
      EXPECT_EQ(replay_.cached_tokens().at(static_cast<std::int64_t>(i)),
                cached.to_number<Tokens>());
    }
  }

  const boost::json::value& case_;
  Replay replay_;
};

class RecordedClasses : public testing::TestWithParam<const char*> {};

TEST_P(RecordedClasses, AreMetTurnForTurn) {
  const auto cases = read_case(GetParam());
  for (std::size_t i = 0; i < cases.as_array().size(); ++i) {
    SCOPED_TRACE("workload " + std::to_string(i));
    Classes(cases.at(i)).run();
    if (HasFailure()) return;
  }
}

INSTANTIATE_TEST_SUITE_P(Modes, RecordedClasses,
                         testing::Values("classes_sync", "classes_async"),
                         [](const auto& test) { return std::string(test.param); });

}  // namespace
}  // namespace memprof::simulator
