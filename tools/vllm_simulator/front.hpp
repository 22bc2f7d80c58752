#pragma once

#include "clock/run_clock.hpp"
#include "completion.hpp"
#include "engine_loop.hpp"
#include "http/server.hpp"
#include "server_log.hpp"
#include "setup.hpp"
#include "vllm_api/completion_request.hpp"
#include "vllm_api/metrics_page.hpp"
#include "vllm_api/tokenizer.hpp"

#include <boost/asio/io_context.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace memprof::simulator_tool {

/// What answers: paths and methods to what the engine, the metrics and the API make of them.
class Front {
 public:
  /// `api_key`: asked for on /v1 when given.
  Front(boost::asio::io_context& io, const Options& options, const Setup& setup,
        std::optional<std::string> api_key, const clock::RunClock& clock);

  /// For http::Server.
  void answer(http::ServerRequest&& request, std::shared_ptr<http::Reply> reply);
  /// Every answer under way fails as vLLM's do when it is told to end.
  void shut_down();

  [[nodiscard]] const EngineLoop& engine() const { return engine_; }
  [[nodiscard]] std::int64_t requests() const { return requests_; }
  [[nodiscard]] std::int64_t aborted() const { return world_.aborted; }

 private:
  void get(const http::ServerRequest& request, http::Reply& reply);
  void post(http::ServerRequest&& request, std::shared_ptr<http::Reply> reply);
  void pause_or_resume(const http::ServerRequest& request, http::Reply& reply);
  void complete(const http::ServerRequest& request, bool chat, std::shared_ptr<http::Reply> reply);
  void metrics(const http::ServerRequest& request, http::Reply& reply) const;
  [[nodiscard]] bool is_let_in(const http::ServerRequest& request) const;
  [[nodiscard]] std::int64_t unix_seconds() const;

  const Options& options_;
  const Setup& setup_;
  std::optional<std::string> api_key_;
  const clock::RunClock& clock_;
  std::int64_t started_;
  EngineLoop engine_;
  ServerLog log_;
  vllm_api::Tokenizer tokenizer_;
  vllm_api::ServedModel model_;
  vllm_api::MetricsPage page_;
  Completion::World world_;
  std::unordered_map<std::uint64_t, std::unique_ptr<Completion>> completions_;
  std::vector<std::uint64_t> over_;  ///< completions that may be destroyed
  std::uint64_t next_number_ = 1;
  std::int64_t requests_ = 0;
  bool shutting_down_ = false;
};

}  // namespace memprof::simulator_tool
