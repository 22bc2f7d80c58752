#pragma once

#include "simulator/engine.hpp"

#include <boost/json.hpp>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace memprof::simulator {

/// A file of tests/data/vllm_scheduler: what a real vLLM 0.32 did.
boost::json::value read_case(const std::string& name);
EngineConfig config_of(const boost::json::value& server);
std::vector<TokenId> tokens_of(const boost::json::value& list);

/// An engine that is fed with the recorded tokens, and notes what it does as vLLM logs it.
class Replay {
 public:
  /// context requests, context tokens, generation requests, generation tokens, KV usage in percent
  /// with one decimal.
  using Row = std::vector<std::string>;

  explicit Replay(const EngineConfig& config) : engine_(config) {}

  /// `outputs`: the tokens that it is to generate; beyond them any that no other request has.
  void add(std::int64_t index, const boost::json::value& prompt, Tokens max_tokens,
           const std::string& salt, std::vector<TokenId> outputs);
  void abort(std::int64_t index);
  const Step* plan() { return engine_.plan(0); }
  /// Takes in the oldest step; true when it was not empty.
  bool take();
  /// Plans until one must be taken; not beyond `most` steps with tokens, all told.
  void plan_up_to(std::int64_t most);

  [[nodiscard]] const Engine& engine() const { return engine_; }
  [[nodiscard]] const std::vector<Row>& rows() const { return rows_; }
  [[nodiscard]] std::int64_t steps_done() const {
    return static_cast<std::int64_t>(rows_.size());
  }
  [[nodiscard]] std::int64_t index_of(RequestId id) const { return index_of_.at(id); }
  /// By index, of those that have got a token.
  [[nodiscard]] const std::map<std::int64_t, Tokens>& cached_tokens() const { return cached_; }
  [[nodiscard]] std::map<std::string, double> metrics() const;

 private:
  Engine engine_;
  std::map<std::int64_t, RequestId> id_of_;
  std::map<RequestId, std::int64_t> index_of_;
  std::map<std::int64_t, std::vector<TokenId>> outputs_;
  std::map<std::int64_t, std::size_t> given_;
  std::map<std::int64_t, Tokens> cached_;
  std::vector<Row> rows_;
  std::int64_t planned_ = 0;
  TokenId unseen_ = 1'000'000;
};

Replay::Row row_of(const boost::json::value& recorded);

}  // namespace memprof::simulator
