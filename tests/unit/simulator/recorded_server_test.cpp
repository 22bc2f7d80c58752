// Real vLLM 0.32 servers whose arrivals are known to the step: every row of their log, every
// counter and every request's cached tokens must come out.
#include "recorded_case.hpp"

#include <gtest/gtest.h>

#include <limits>

namespace memprof::simulator {
namespace {

class RecordedServer : public testing::TestWithParam<const char*> {
 protected:
  void apply(const boost::json::value& event) {
    const auto& fields = event.as_object();
    if (const auto* add = fields.if_contains("add")) {
      const auto index = add->to_number<std::int64_t>();
      const auto& request = case_.at("requests").at(static_cast<std::size_t>(index));
      const auto& salt = request.at("cache_salt");
      replay_.add(index, request.at("prompt"), request.at("max_tokens").to_number<Tokens>(),
                  salt.is_null() ? "" : std::string(salt.as_string()),
                  tokens_of(request.at("output_token_ids")));
    } else {
      replay_.abort(fields.at("abort").to_number<std::int64_t>());
    }
  }

  /// The server was paused after this many steps, next; none: not any more.
  std::int64_t next_pause() const {
    std::int64_t next = std::numeric_limits<std::int64_t>::max();
    const auto& points = case_.at("points").as_array();
    for (std::size_t i = 0; i + 1 < points.size(); ++i) {
      const auto at = points[i].at("after_steps").to_number<std::int64_t>();
      if (at > replay_.steps_done()) next = std::min(next, at);
    }
    return next;
  }

  void check_points() {
    for (const auto& point : case_.at("points").as_array()) {
      if (point.at("after_steps").to_number<std::int64_t>() != replay_.steps_done()) continue;
      const auto now = replay_.metrics();
      for (const auto& [name, value] : point.at("metrics").as_object()) {
        EXPECT_EQ(now.at(std::string(name)), value.to_number<double>())
            << name << " after " << replay_.steps_done();
      }
    }
  }

  void run() {
    const auto& events = case_.at("events").as_array();
    std::size_t next = 0;
    const auto due = [&](std::size_t i) {
      return events[i].at("after_steps").to_number<std::int64_t>();
    };
    for (;;) {
      if (replay_.engine().front() == nullptr) {  // paused, or idle
        check_points();
        const bool idle = replay_.engine().idle();
        const auto by = idle && next < events.size()
                            ? std::max(due(next), replay_.steps_done())
                            : replay_.steps_done();
        while (next < events.size() && due(next) <= by) apply(events[next++]);
      }
      replay_.plan_up_to(next_pause());
      if (replay_.engine().front() == nullptr) break;
      replay_.take();
    }
    EXPECT_EQ(next, events.size());
    check_points();
  }

  boost::json::value case_ = read_case(GetParam());
  Replay replay_{config_of(case_.at("server"))};
};

TEST_P(RecordedServer, IsMetRowForRow) {
  run();
  const auto& steps = case_.at("steps").as_array();
  ASSERT_EQ(replay_.rows().size(), steps.size());
  for (std::size_t i = 0; i < steps.size(); ++i) {
    ASSERT_EQ(replay_.rows()[i], row_of(steps[i])) << "step " << i + 1;
  }
  const auto& requests = case_.at("requests").as_array();
  for (std::size_t i = 0; i < requests.size(); ++i) {
    const auto& cached = requests[i].at("cached_tokens");
    if (cached.is_null()) continue;
    EXPECT_EQ(replay_.cached_tokens().at(static_cast<std::int64_t>(i)),
              cached.to_number<Tokens>())
        << "request " << i;
  }
  EXPECT_EQ(replay_.engine().counters().preemptions,
            case_.at("preemptions").to_number<std::int64_t>());
}

INSTANTIATE_TEST_SUITE_P(
    Synchronous, RecordedServer,
    testing::Values("exact_aborts", "exact_at_once_equal", "exact_at_once_shared",
                    "exact_budget_seqs", "exact_caching_off", "exact_copies", "exact_evict",
                    "exact_head_blocks", "exact_long_prefill", "exact_no_reserve", "exact_preempt",
                    "exact_preempt_shared", "exact_reserve", "exact_watermark", "single_sync"),
    [](const auto& test) { return std::string(test.param); });

INSTANTIATE_TEST_SUITE_P(
    Asynchronous, RecordedServer,
    testing::Values("async_aborts", "async_at_once_equal", "async_at_once_shared",
                    "async_budget_seqs", "async_caching_off", "async_copies", "async_evict",
                    "async_head_blocks", "async_long_prefill", "async_no_reserve", "async_preempt",
                    "async_preempt_shared", "async_reserve", "async_watermark", "burst_async",
                    "single_async"),
    [](const auto& test) { return std::string(test.param); });

}  // namespace
}  // namespace memprof::simulator
