#include "vllm_api/completion_request.hpp"

#include "vllm_api/json_body.hpp"
#include "vllm_api/prompts.hpp"
#include "vllm_api/request_checks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace memprof::vllm_api {
namespace {

constexpr Tokens kDefaultMaxTokens = 16;  // of completions

void read_stream_options(FieldReader& fields, CompletionRequest& request) {
  const auto* options = fields.find("stream_options");
  if (options == nullptr) return;
  const auto* object = options->if_object();
  if (object == nullptr) {
    fields.note("model_type", "stream_options",
                "Input should be a valid dictionary or instance of StreamOptions", *options);
    return;
  }
  const auto flag = [&](std::string_view name) {
    const auto* value = object->if_contains(name);
    if (value == nullptr || value->is_null()) return false;
    return fields.read_flag(*value, fmt::format("stream_options.{}", name)).value_or(false);
  };
  request.include_usage = flag("include_usage");
  request.continuous_usage = flag("continuous_usage_stats") && request.include_usage;
}

/// In the order of vLLM's models, which is that of its messages.
Parameters read_parameters(FieldReader& fields, CompletionRequest& request) {
  Parameters read;
  read.model = fields.text("model");
  read.frequency_penalty = fields.number("frequency_penalty").value_or(0);
  read.max_tokens = fields.whole("max_tokens");
  if (request.chat) {
    if (const auto most = fields.whole("max_completion_tokens")) {
      read.max_tokens = most;
      read.max_tokens_name = "max_completion_tokens";
    }
  } else {
    if (!read.max_tokens) read.max_tokens = kDefaultMaxTokens;
    fields.refuse_null("n", "int_type", "Input should be a valid integer");
  }
  request.n = fields.whole("n").value_or(1);
  read.presence_penalty = fields.number("presence_penalty").value_or(0);
  request.seed = fields.whole("seed");
  request.stream = fields.flag("stream").value_or(false);
  read_stream_options(fields, request);
  request.temperature = fields.number("temperature").value_or(1);
  read.top_p = fields.number("top_p").value_or(1);
  read.top_k = fields.whole("top_k").value_or(0);
  read.min_p = fields.number("min_p").value_or(0);
  read.repetition_penalty = fields.number("repetition_penalty").value_or(1);
  fields.refuse_null("ignore_eos", "bool_type", "Input should be a valid boolean");
  request.ignore_eos = fields.flag("ignore_eos").value_or(false);
  fields.refuse_null("min_tokens", "int_type", "Input should be a valid integer");
  request.min_tokens = fields.whole("min_tokens").value_or(0);
  if (request.chat) {
    read.add_generation_prompt = fields.flag("add_generation_prompt").value_or(true);
  }
  fields.refuse_null("request_id", "string_type", "Input should be a valid string");
  if (const auto id = fields.text("request_id")) request.request_id = std::string(*id);
  request.return_token_ids = fields.flag("return_token_ids").value_or(false);
  if (const auto salt = fields.text("cache_salt")) request.cache_salt = std::string(*salt);
  return read;
}

/// How much may be generated for each prompt.
MaybeError share_context(CompletionRequest& request, const Parameters& read,
                         Tokens max_model_len) {
  for (auto& prompt : request.prompts) {
    const Tokens left = max_model_len - std::ssize(prompt.ids);
    prompt.max_tokens = std::min(left, read.max_tokens.value_or(left));
    if (auto error = check_sampling(request, read)) return error;
    if (auto error = check_token_limits(request, prompt.max_tokens)) return error;
  }
  return {};
}

MaybeError add_prompts(CompletionRequest& request, std::vector<PromptInput> inputs,
                       const ServedModel& model, const Tokenizer& tokenizer) {
  if (inputs.empty()) return bad_request("You must pass at least one prompt");
  for (auto& input : inputs) {
    auto& prompt = request.prompts.emplace_back();
    if (input.text) {
      if (auto error = check_text_length(*input.text, model.max_model_len)) return error;
      prompt.ids = tokenizer.ids(*input.text);
    } else {
      prompt.ids = std::move(input.ids);
    }
    const bool is_text = input.text.has_value();
    auto error = check_length(std::ssize(prompt.ids), is_text, model.max_model_len);
    if (error) return error;
  }
  return {};
}

/// What vLLM finds only when it hands the prompts to the engine.
MaybeError check_prompts(const CompletionRequest& request,
                         const std::vector<std::int64_t>& greatest_ids, std::int64_t vocab_size) {
  for (std::size_t i = 0; i < request.prompts.size(); ++i) {
    if (request.prompts[i].ids.empty()) {
      return bad_request("The decoder prompt cannot be empty");
    }
    if (greatest_ids[i] >= vocab_size) {
      return bad_request(fmt::format("Token id {} is out of vocabulary", greatest_ids[i]));
    }
  }
  return {};
}

bool is_served(std::optional<std::string_view> asked, std::string_view served) {
  return !asked || asked->empty() || *asked == served;
}

MaybeError read_text_prompts(CompletionRequest& request, const Parameters& read,
                             std::vector<PromptInput> inputs, const ServedModel& model,
                             const Tokenizer& tokenizer) {
  std::vector<std::int64_t> greatest_ids;
  greatest_ids.reserve(inputs.size());
  for (const auto& input : inputs) greatest_ids.push_back(input.greatest_id);
  if (auto error = check_more_than_context(read, model.max_model_len)) return error;
  if (auto error = add_prompts(request, std::move(inputs), model, tokenizer)) return error;
  if (auto error = share_context(request, read, model.max_model_len)) return error;
  return check_prompts(request, greatest_ids, tokenizer.vocab_size());
}

MaybeError read_chat(CompletionRequest& request, const Parameters& read,
                     const std::vector<ChatMessage>& messages, const ServedModel& model,
                     const Tokenizer& tokenizer) {
  if (messages.empty()) {
    return bad_request(
        "Cannot apply chat template to an empty conversation. Provide at least one message.");
  }
  if (auto error = check_more_than_context(read, model.max_model_len)) return error;
  for (const auto& message : messages) {
    if (auto error = check_text_length(message.content, model.max_model_len)) return error;
  }
  auto& prompt = request.prompts.emplace_back();
  prompt.ids = chat_ids(tokenizer, messages, read.add_generation_prompt);
  if (auto error = check_length(std::ssize(prompt.ids), true, model.max_model_len)) return error;
  return share_context(request, read, model.max_model_len);
}

}  // namespace

ApiResult<CompletionRequest> parse_completion_request(std::string_view body, bool chat,
                                                      const ServedModel& model,
                                                      const Tokenizer& tokenizer) {
  const auto parsed = parse_json_body(body);
  if (parsed.has_error()) return parsed.error();
  FieldReader fields(parsed->get_object());
  if (auto error = check_before_types(fields, chat)) return *error;

  CompletionRequest request;
  request.chat = chat;
  std::vector<ChatMessage> messages;
  std::vector<PromptInput> inputs;
  if (chat) {
    auto read = read_messages(fields);
    if (read.has_error()) return read.error();
    messages = std::move(*read);
  } else if (const auto* prompt = fields.find("prompt")) {
    inputs = read_prompts(fields, *prompt);
  }
  const Parameters read = read_parameters(fields, request);
  if (!fields.ok()) return fields.error();
  if (!is_served(read.model, model.name)) return unknown_model(*read.model, model.name);
  if (auto error = check_simulated(fields, chat)) return *error;

  auto error = chat ? read_chat(request, read, messages, model, tokenizer)
                    : read_text_prompts(request, read, std::move(inputs), model, tokenizer);
  if (error) return *error;
  return request;
}

ApiResult<std::string> answer_tokenize(std::string_view body, const ServedModel& model,
                                       const Tokenizer& tokenizer) {
  const auto parsed = parse_json_body(body);
  if (parsed.has_error()) return parsed.error();
  FieldReader fields(parsed->get_object());
  const auto asked = fields.text("model");
  const bool answer = fields.flag("add_generation_prompt").value_or(true);
  std::vector<TokenId> ids;
  if (fields.find("messages") != nullptr) {
    const auto messages = read_messages(fields);
    if (messages.has_error()) return messages.error();
    ids = chat_ids(tokenizer, *messages, answer);
  } else if (const auto prompt = fields.text("prompt")) {
    ids = tokenizer.ids(*prompt);
  } else if (fields.find("prompt") == nullptr) {
    fields.note_missing("prompt");
  }
  if (!fields.ok()) return fields.error();
  if (!is_served(asked, model.name)) return unknown_model(*asked, model.name);
  return fmt::format(R"({{"count":{},"max_model_len":{},"tokens":[{}],"token_strs":null}})",
                     ids.size(), model.max_model_len, fmt::join(ids, ","));
}

}  // namespace memprof::vllm_api
