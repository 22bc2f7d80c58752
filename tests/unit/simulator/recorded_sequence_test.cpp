// Servers that answered several cases one after the other on a warm cache.
#include "recorded_case.hpp"

#include <gtest/gtest.h>

#include <map>

namespace memprof::simulator {
namespace {

/// Prompts of one list do not all arrive before the first step: how many did, as recorded.
std::size_t at_first_step(const std::string& name, std::size_t prompts) {
  static const std::map<std::string, std::size_t> kSeen{
      {"batch_room", 1}, {"preempt", 1}, {"wait", 1}, {"no_caching", 1}};
  const auto at = kSeen.find(name);
  return at == kSeen.end() ? prompts : std::min(prompts, at->second);
}

class Sequence {
 public:
  explicit Sequence(const EngineConfig& config) : replay_(config) {}

  void run(const std::string& name, const boost::json::value& recorded) {
    SCOPED_TRACE(name);
    const auto before = replay_.metrics();
    const auto first_row = replay_.rows().size();
    const auto& expected = recorded.at("expected");
    const auto& requests = recorded.at("requests").as_array();
    for (std::size_t i = 0; i < requests.size(); ++i) {
      const auto cached = send(name, requests[i], expected.at("per_request").at(i));
      EXPECT_EQ(cached, expected.at("per_request").at(i).at("cached_tokens").to_number<Tokens>())
          << "request " << i;
    }
    const auto now = replay_.metrics();
    for (const auto& [key, grown] : expected.at("counters").as_object()) {
      const auto counter = std::string(key) + "_total";
      EXPECT_EQ(now.at(counter) - before.at(counter), grown.to_number<double>()) << counter;
    }
    const auto& steps = expected.at("steps").as_array();
    ASSERT_EQ(replay_.rows().size() - first_row, steps.size());
    for (std::size_t i = 0; i < steps.size(); ++i) {
      ASSERT_EQ(replay_.rows()[first_row + i], row_of(steps[i])) << "step " << i + 1;
    }
  }

 private:
  /// Returns the cached tokens that vLLM's usage shows: the last prompt's alone.
  Tokens send(const std::string& name, const boost::json::value& request,
              const boost::json::value& answer) {
    const auto& prompts = request.at("prompts").as_array();
    const auto& outputs = answer.at("output_token_ids");
    const auto* salt = request.as_object().if_contains("cache_salt");
    const auto first = at_first_step(name, prompts.size());
    std::int64_t index = 0;
    for (std::size_t i = 0; i < prompts.size(); ++i) {
      if (i == first) step();
      index = next_index_++;
      replay_.add(index, prompts[i], request.at("max_tokens").to_number<Tokens>(),
                  salt == nullptr || salt->is_null() ? "" : std::string(salt->as_string()),
                  outputs.is_null() ? std::vector<TokenId>{} : tokens_of(outputs.at(i)));
    }
    while (!replay_.engine().idle()) step();
    return replay_.cached_tokens().at(index);
  }

  void step() {
    replay_.plan();
    replay_.take();
  }

  Replay replay_;
  std::int64_t next_index_ = 0;
};

void run_all(const std::vector<std::string>& names) {
  std::optional<Sequence> server;
  for (const auto& name : names) {
    const auto recorded = read_case(name);
    if (!server) server.emplace(config_of(recorded.at("server")));
    server->run(name, recorded);
    if (testing::Test::HasFailure()) return;
  }
}

TEST(RecordedSequence, OfAServerWithAWarmCache) {
  run_all({"boundaries", "resend", "eviction", "eviction_shared", "salt", "batch_shared",
           "batch_room", "preempt", "wait"});
}

TEST(RecordedSequence, OfAServerWithASmallBudget) { run_all({"budget", "max_seqs"}); }

TEST(RecordedSequence, OfAServerWithoutPrefixCaching) { run_all({"no_caching"}); }

}  // namespace
}  // namespace memprof::simulator
