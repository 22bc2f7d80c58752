#pragma once

#include "engine_loop.hpp"
#include "http/server.hpp"
#include "vllm_api/answers.hpp"
#include "vllm_api/completion_request.hpp"
#include "vllm_api/metrics_page.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace memprof::simulator_tool {

/// A request on its way through the engine, and the answer to it: an engine request per choice.
class Completion {
 public:
  struct World {
    EngineLoop& engine;
    vllm_api::MetricsPage& metrics;
    std::int64_t block_size = 1;
    double stop_rate = 0;
    std::int64_t aborted = 0;          ///< counted here
    Tokens step_tokens = 0;            ///< of the step that is handed out, as vLLM counts them
  };

  /// `number` sets this request's sampling apart from others' where it is not greedy.
  Completion(World& world, vllm_api::CompletionRequest request, vllm_api::AnswerIdentity identity,
             std::shared_ptr<http::Reply> reply, std::uint64_t number);
  ~Completion();
  Completion(const Completion&) = delete;
  Completion& operator=(const Completion&) = delete;

  /// Hands it to the engine. `on_end` is called once, when the answer is whole or its client gone;
  /// it must not destroy this, but soon after may.
  void start(std::function<void()> on_end);
  /// The server is going down: the answer that vLLM gives then.
  void fail();

 private:
  class Sink;

  void take(Sink& sink, const simulator::Output& output);
  void observe(Sink& sink, const simulator::FinishedRequest& record);
  void note_cached(const Sink& sink, const simulator::FinishedRequest& record);
  void note_end(Sink& sink, const simulator::FinishedRequest& record);
  void end();
  void client_is_gone();
  void close();

  World& world_;
  vllm_api::CompletionRequest request_;
  vllm_api::AnswerIdentity identity_;
  std::shared_ptr<http::Reply> reply_;
  std::optional<vllm_api::StreamWriter> writer_;  ///< streamed
  std::vector<vllm_api::Choice> choices_;         ///< not streamed
  std::vector<std::unique_ptr<Sink>> sinks_;
  std::int64_t open_ = 0;  ///< choices without their last token
  std::optional<vllm_api::CachedTokens> cached_;
  std::string piece_;
  std::function<void()> on_end_;
  bool ended_ = false;
};

}  // namespace memprof::simulator_tool
