#include "vllm_api/request_checks.hpp"

#include "vllm_api/python_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

namespace memprof::vllm_api {
namespace {

constexpr std::int64_t kMostSequences = 16384;
constexpr std::size_t kMostPrompts = 1024;
constexpr double kGreedyBelow = 1e-5;  // temperature

MaybeError check_cache_salt(const FieldReader& fields) {
  const auto* salt = fields.find("cache_salt");
  if (salt == nullptr) return {};
  if (!salt->is_string() || salt->get_string().empty()) {
    return bad_parameter("Parameter 'cache_salt' must be a non-empty string if provided.",
                         "cache_salt");
  }
  const std::string_view text = salt->get_string();
  constexpr std::size_t kMostCharacters = 128;
  const auto characters = std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  });
  static constexpr std::string_view kForbidden("@/\\\0", 4);
  if (static_cast<std::size_t>(characters) > kMostCharacters ||
      text.find_first_of(kForbidden) != std::string_view::npos) {
    return bad_parameter(
        R"(Parameter 'cache_salt' must be at most 128 characters and must not contain '@', '/', )"
        R"('\\', or NUL.)",
        "cache_salt");
  }
  return {};
}

}  // namespace

MaybeError check_before_types(const FieldReader& fields, bool chat) {
  const auto* prompt = chat ? nullptr : fields.find("prompt");
  if (!chat) {
    if (prompt != nullptr && prompt->is_array() && prompt->get_array().size() > kMostPrompts &&
        !prompt->get_array().front().is_number()) {
      return bad_parameter(
          fmt::format("prompt list length {} exceeds the maximum allowed count of {}. To increase "
                      "this limit, set the VLLM_MAX_COMPLETION_PROMPTS environment variable.",
                      prompt->get_array().size(), kMostPrompts),
          "prompt");
    }
    const bool empty = prompt == nullptr || (prompt->is_string() && prompt->get_string().empty());
    if (empty && !is_truthy(fields.find("prompt_embeds"))) {
      return bad_parameter("Either prompt or prompt_embeds must be provided and non-empty.",
                           "prompt");
    }
  } else {
    const auto* tools = fields.find("tools");
    if (tools != nullptr && tools->is_array() && tools->get_array().empty()) {
      return bad_parameter(
          "`tools` must not be an empty array. Either provide at least one tool or omit the field "
          "entirely.",
          "tools");
    }
  }
  if (is_truthy(fields.find("stream_options")) && !is_truthy(fields.find("stream"))) {
    return bad_parameter("Stream options can only be defined when `stream=True`.",
                         "stream_options");
  }
  return check_cache_salt(fields);
}

MaybeError check_simulated(const FieldReader& fields, bool chat) {
  static constexpr std::string_view kWhenTrue[] = {"echo", "use_beam_search",
                                                   "continue_final_message"};
  static constexpr std::string_view kWhenGiven[] = {
      "prompt_embeds",          "suffix",             "prompt_logprobs", "logprob_token_ids",
      "truncate_prompt_tokens", "structured_outputs", "chat_template"};
  const auto refuse = [](std::string_view name) {
    return bad_request(fmt::format("`{}` is not simulated.", name), name);
  };
  for (const auto name : kWhenTrue) {
    if (is_truthy(fields.find(name))) return refuse(name);
  }
  for (const auto name : kWhenGiven) {
    if (fields.find(name) != nullptr) return refuse(name);
  }
  const auto* logprobs = fields.find("logprobs");
  if (chat ? is_truthy(logprobs) : logprobs != nullptr) return refuse("logprobs");
  if (const auto* format = fields.find("response_format")) {
    const auto* object = format->if_object();
    const auto* type = object == nullptr ? nullptr : object->if_contains("type");
    if (type == nullptr || *type != "text") return refuse("response_format");
  }
  if (!chat) return {};
  const auto* choice = fields.find("tool_choice");
  if (choice == nullptr ? is_truthy(fields.find("tools")) : *choice == "auto") {
    return bad_request(
        "\"auto\" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set");
  }
  if (choice != nullptr && *choice != "none") return refuse("tool_choice");
  return {};
}

MaybeError check_more_than_context(const Parameters& read, Tokens max_model_len) {
  const Tokens asked = read.max_tokens.value_or(0);
  if (asked <= max_model_len) return {};
  return bad_parameter(
      fmt::format("{}={} cannot be greater than max_model_len={}. Please request fewer output "
                  "tokens.",
                  read.max_tokens_name, asked, max_model_len),
      read.max_tokens_name, std::to_string(asked));
}

MaybeError check_sampling(const CompletionRequest& request, const Parameters& read) {
  const auto in_range = [](double value, double least, double most) {
    return value >= least && value <= most;
  };
  const double temperature = request.temperature;
  const auto text = python_float(temperature);
  if (request.n < 1) return bad_request(fmt::format("n must be at least 1, got {}.", request.n));
  if (request.n > kMostSequences) {
    return bad_request(fmt::format("n must be at most {}, got {}. To increase this limit, set the "
                                   "VLLM_MAX_N_SEQUENCES environment variable.",
                                   kMostSequences, request.n));
  }
  for (const auto& [name, value] : {std::pair{"presence_penalty", read.presence_penalty},
                                    std::pair{"frequency_penalty", read.frequency_penalty}}) {
    if (!in_range(value, -2, 2)) {
      return bad_request(fmt::format("{} must be in [-2, 2], got {}.", name, python_float(value)));
    }
  }
  if (!(read.repetition_penalty > 0)) {
    return bad_request(fmt::format("repetition_penalty must be greater than zero, got {}.",
                                   python_float(read.repetition_penalty)));
  }
  const std::string_view wrong_temperature = !std::isfinite(temperature) ? "a finite number"
                                             : temperature < 0           ? "non-negative"
                                             : temperature > 2           ? "in [0, 2]"
                                                                         : "";
  if (!wrong_temperature.empty()) {
    return bad_parameter(fmt::format("temperature must be {}, got {}.", wrong_temperature, text),
                   "temperature", text);
  }
  if (!(read.top_p > 0 && read.top_p <= 1)) {
    const auto top_p = python_float(read.top_p);
    return bad_parameter(fmt::format("top_p must be in (0, 1], got {}.", top_p), "top_p", top_p);
  }
  if (read.top_k < -1) {
    return bad_request(
        fmt::format("top_k must be 0 (disable), or at least 1, got {}.", read.top_k));
  }
  if (!in_range(read.min_p, 0, 1)) {
    return bad_request(fmt::format("min_p must be in [0, 1], got {}.", python_float(read.min_p)));
  }
  return {};
}

MaybeError check_token_limits(const CompletionRequest& request, Tokens max_tokens) {
  if (max_tokens < 1) {
    return bad_parameter(fmt::format("max_tokens must be at least 1, got {}.", max_tokens),
                         "max_tokens", std::to_string(max_tokens));
  }
  if (request.min_tokens < 0) {
    return bad_request(fmt::format("min_tokens must be greater than or equal to 0, got {}.",
                                   request.min_tokens));
  }
  if (request.min_tokens > max_tokens) {
    return bad_request(
        fmt::format("min_tokens must be less than or equal to max_tokens={}, got {}.", max_tokens,
                    request.min_tokens));
  }
  if (request.temperature < kGreedyBelow && request.n > 1) {
    return bad_request(
        fmt::format("n must be 1 when using greedy sampling, got {}.", request.n));
  }
  return {};
}

}  // namespace memprof::vllm_api
