#pragma once

#include "simulator/scheduler.hpp"
#include "vllm_api/tokenizer.hpp"

#include <cstdint>
#include <span>

namespace memprof::simulator_tool {

/// What stands in for a model: the next token follows from all tokens before it, so that greedy
/// answers repeat, a prompt with its answer sent again goes on as the answer did, and both hit the
/// prefix cache as they would on a real server.
class Sampling {
 public:
  /// `stream`: 0 for greedy answers; another number gives another answer.
  Sampling(std::span<const simulator::TokenId> prompt, std::uint64_t stream)
      : state_(stream * 0x9e3779b97f4a7c15u) {
    for (const auto token : prompt) step(token);
  }

  /// Ends the answer with a chance of `stop_rate`.
  simulator::Sampled next(double stop_rate) {
    const bool stop = static_cast<double>(state_ >> 11) * 0x1p-53 < stop_rate;
    const auto token =
        stop ? vllm_api::kEndOfTurnToken : vllm_api::Tokenizer::word_token(state_ >> 17);
    step(token);
    return {token, stop};
  }

 private:
  void step(simulator::TokenId token) {
    state_ = simulator::detail::mix(state_, static_cast<std::uint32_t>(token) + 1u);
  }

  std::uint64_t state_;
};

}  // namespace memprof::simulator_tool
