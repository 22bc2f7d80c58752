#include "front.hpp"

#include "gpu_page.hpp"
#include "vllm_api/documents.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <utility>

namespace memprof::simulator_tool {
namespace {

constexpr std::string_view kJson = "application/json";
constexpr std::string_view kFingerprint = "vllm-0.32.0-simulated";

vllm_api::CacheConfig cache_config(const Options& options, const Setup& setup) {
  vllm_api::CacheConfig config;
  config.block_size = setup.engine.block_size;
  config.num_gpu_blocks = setup.engine.num_gpu_blocks;
  config.num_gpu_blocks_override = options.num_gpu_blocks_override;
  config.max_model_len = setup.engine.max_model_len;
  config.enable_prefix_caching = setup.engine.enable_prefix_caching;
  config.gpu_memory_utilization = options.gpu_memory_utilization;
  return config;
}

void send_error(http::Reply& reply, const vllm_api::ApiError& error) {
  reply.send(error.status, kJson, error.body);
}

bool is_known(std::string_view path) {
  constexpr std::string_view kPaths[]{"/health",   "/ping",           "/version",
                                      "/v1/models", "/metrics",        "/simulator/gpus",
                                      "/tokenize",  "/v1/completions", "/v1/chat/completions",
                                      "/pause",     "/resume"};
  return std::find(std::begin(kPaths), std::end(kPaths), path) != std::end(kPaths);
}

}  // namespace

Front::Front(boost::asio::io_context& io, const Options& options, const Setup& setup,
             std::optional<std::string> api_key, const clock::RunClock& clock)
    : options_(options),
      setup_(setup),
      api_key_(std::move(api_key)),
      clock_(clock),
      started_(unix_seconds()),
      engine_(io, setup.engine, setup.step_time, options.speed),
      log_(setup, clock),
      tokenizer_(setup.preset.vocab_size),
      model_{setup.model, setup.engine.max_model_len},
      page_(setup.model, cache_config(options, setup), static_cast<double>(started_),
            static_cast<double>(started_)),
      world_{engine_, page_, setup.engine.block_size, options.stop_rate, 0, 0} {
  log_.start_up(options);
  engine_.on_step = [this](const StepReport& report) {
    page_.observe_step(std::exchange(world_.step_tokens, 0));
    if (options_.enable_logging_iteration_details) {
      log_.iteration(report, engine_.counters().kv_cache_usage);
    }
    for (const auto number : std::exchange(over_, {})) completions_.erase(number);
  };
}

std::int64_t Front::unix_seconds() const {
  return std::chrono::floor<std::chrono::seconds>(clock_.now()).time_since_epoch().count();
}

void Front::answer(http::ServerRequest&& request, std::shared_ptr<http::Reply> reply) {
  const auto path = request.path();
  if (path.starts_with("/v1/") && !is_let_in(request)) {
    send_error(*reply, vllm_api::unauthorized());
  } else if (request.method == "POST") {
    post(std::move(request), std::move(reply));
  } else if (request.method == "GET" || request.method == "HEAD") {
    get(request, *reply);
  } else {
    send_error(*reply, is_known(path) ? vllm_api::method_not_allowed() : vllm_api::not_found());
  }
}

bool Front::is_let_in(const http::ServerRequest& request) const {
  if (!api_key_) return true;
  const auto given = request.header("authorization");
  return given && (*given == "Bearer " + *api_key_ || *given == "bearer " + *api_key_);
}

void Front::get(const http::ServerRequest& request, http::Reply& reply) {
  const auto path = request.path();
  if (path == "/health" || path == "/ping") {
    reply.send(shutting_down_ ? 503 : 200, "", "");
  } else if (path == "/version") {
    reply.send(200, kJson, vllm_api::version_document());
  } else if (path == "/v1/models") {
    reply.send(200, kJson,
               vllm_api::models_document(setup_.model, setup_.model, setup_.engine.max_model_len,
                                         unix_seconds(), "0000000000000000"));
  } else if (path.starts_with("/metrics")) {
    metrics(request, reply);
  } else if (path == "/simulator/gpus") {
    reply.send(200, kJson, gpu_page(setup_, options_.speed, engine_.busy_seconds()));
  } else {
    send_error(reply, is_known(path) ? vllm_api::method_not_allowed() : vllm_api::not_found());
  }
}

void Front::metrics(const http::ServerRequest& request, http::Reply& reply) const {
  // As on vLLM, the path with a slash is another handler, with a filter and an older type.
  const bool plain = request.path() == "/metrics";
  const auto names = request.query_values("name[]");
  const auto text = plain || names.empty() ? page_.render(engine_.counters())
                                           : page_.render(engine_.counters(), names);
  reply.send(200,
             plain ? "text/plain; version=1.0.0; charset=utf-8"
                   : "text/plain; version=0.0.4; charset=utf-8",
             text);
}

void Front::post(http::ServerRequest&& request, std::shared_ptr<http::Reply> reply) {
  const auto path = request.path();
  const bool chat = path == "/v1/chat/completions";
  if (path == "/pause" || path == "/resume") return pause_or_resume(request, *reply);
  if (!chat && path != "/v1/completions" && path != "/tokenize") {
    send_error(*reply, is_known(path) ? vllm_api::method_not_allowed() : vllm_api::not_found());
    return;
  }
  const auto type = request.header("content-type");
  if (!type || type->find("json") == std::string_view::npos) {
    send_error(*reply, vllm_api::wrong_content_type());
  } else if (path == "/tokenize") {
    const auto answer = vllm_api::answer_tokenize(request.body, model_, tokenizer_);
    if (answer.has_value()) {
      reply->send(200, kJson, *answer);
    } else {
      send_error(*reply, answer.error());
    }
  } else {
    complete(request, chat, std::move(reply));
  }
}

/// vLLM's development endpoints: a load can be put together before its first step.
void Front::pause_or_resume(const http::ServerRequest& request, http::Reply& reply) {
  const bool pause = request.path() == "/pause";
  if (pause && request.query_values("mode") != std::vector<std::string>{"keep"}) {
    reply.send(400, kJson, R"({"error":"only mode=keep is simulated"})");
    return;
  }
  pause ? engine_.pause() : engine_.resume();
  reply.send(200, kJson, pause ? R"({"status":"paused"})" : R"({"status":"resumed"})");
}

void Front::complete(const http::ServerRequest& request, bool chat,
                     std::shared_ptr<http::Reply> reply) {
  if (shutting_down_) {
    send_error(*reply, vllm_api::shutting_down());
    return;
  }
  auto asked = vllm_api::parse_completion_request(request.body, chat, model_, tokenizer_);
  if (!asked.has_value()) {
    send_error(*reply, asked.error());
    return;
  }
  const auto& most = options_.max_num_queued_reqs;
  if (most && engine_.requests() + asked->choices() > *most) {
    page_.count_rejection();
    send_error(*reply, vllm_api::too_many_requests_queued());
    return;
  }
  const auto number = next_number_++;
  requests_ += asked->choices();
  const auto given_id = request.header("x-request-id");
  const auto id = given_id ? vllm_api::utf8_of_header(*given_id)
                           : asked->request_id.value_or(fmt::format("{:016x}", number));
  vllm_api::AnswerIdentity identity{vllm_api::answer_id(chat, id), unix_seconds(), setup_.model,
                                    std::string(kFingerprint),
                                    !options_.no_enable_prompt_tokens_details};
  auto completion = std::make_unique<Completion>(world_, std::move(*asked), std::move(identity),
                                                 std::move(reply), number);
  const auto& added = completions_.emplace(number, std::move(completion)).first->second;
  added->start([this, number] { over_.push_back(number); });
}

void Front::shut_down() {
  shutting_down_ = true;
  log_.shutting_down();
  for (auto& [number, completion] : completions_) completion->fail();
}

}  // namespace memprof::simulator_tool
