#include "vllm_api/completion_request.hpp"

#include "vllm_api/json_body.hpp"
#include "vllm_api/prompts.hpp"
#include "vllm_api/python_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>

namespace memprof::vllm_api {
namespace json = boost::json;
namespace {

using MaybeError = std::optional<ApiError>;

constexpr std::int64_t kMostSequences = 16384;
constexpr std::size_t kMostPrompts = 1024;
constexpr Tokens kDefaultMaxTokens = 16;  // of completions
constexpr double kGreedyBelow = 1e-5;     // temperature

/// A 400 as vLLM words it when one parameter is to blame.
ApiError refused(std::string_view message, std::string_view parameter) {
  return bad_request(fmt::format("{} (parameter={})", message, parameter), parameter);
}
ApiError refused(std::string_view message, std::string_view parameter, std::string_view value) {
  return bad_request(fmt::format("{} (parameter={}, value={})", message, parameter, value),
                     parameter);
}

MaybeError check_cache_salt(const FieldReader& fields) {
  const auto* salt = fields.find("cache_salt");
  if (salt == nullptr) return {};
  if (!salt->is_string() || salt->get_string().empty()) {
    return refused("Parameter 'cache_salt' must be a non-empty string if provided.", "cache_salt");
  }
  const std::string_view text = salt->get_string();
  constexpr std::size_t kMostCharacters = 128;
  const auto characters = std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  });
  static constexpr std::string_view kForbidden("@/\\\0", 4);
  if (static_cast<std::size_t>(characters) > kMostCharacters ||
      text.find_first_of(kForbidden) != std::string_view::npos) {
    return refused(
        R"(Parameter 'cache_salt' must be at most 128 characters and must not contain '@', '/', )"
        R"('\\', or NUL.)",
        "cache_salt");
  }
  return {};
}

/// What vLLM looks at before it looks at types.
MaybeError check_before_types(const FieldReader& fields, bool chat) {
  const auto* prompt = chat ? nullptr : fields.find("prompt");
  if (!chat) {
    if (prompt != nullptr && prompt->is_array() && prompt->get_array().size() > kMostPrompts &&
        !prompt->get_array().front().is_number()) {
      return refused(
          fmt::format("prompt list length {} exceeds the maximum allowed count of {}. To increase "
                      "this limit, set the VLLM_MAX_COMPLETION_PROMPTS environment variable.",
                      prompt->get_array().size(), kMostPrompts),
          "prompt");
    }
    const bool empty = prompt == nullptr || (prompt->is_string() && prompt->get_string().empty());
    if (empty && !is_truthy(fields.find("prompt_embeds"))) {
      return refused("Either prompt or prompt_embeds must be provided and non-empty.", "prompt");
    }
  } else {
    const auto* tools = fields.find("tools");
    if (tools != nullptr && tools->is_array() && tools->get_array().empty()) {
      return refused(
          "`tools` must not be an empty array. Either provide at least one tool or omit the field "
          "entirely.",
          "tools");
    }
  }
  if (is_truthy(fields.find("stream_options")) && !is_truthy(fields.find("stream"))) {
    return refused("Stream options can only be defined when `stream=True`.", "stream_options");
  }
  return check_cache_salt(fields);
}

/// What is asked for that would make an answer wrong; none when it can be simulated.
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

/// Fields that an answer's length, memory and form depend on, and those with a range.
struct Parameters {
  std::optional<std::string_view> model;
  std::optional<Tokens> max_tokens;
  std::string_view max_tokens_name = "max_tokens";
  double presence_penalty = 0;
  double frequency_penalty = 0;
  double repetition_penalty = 1;
  double top_p = 1;
  std::int64_t top_k = 0;
  double min_p = 0;
  bool add_generation_prompt = true;
};

void read_stream_options(FieldReader& fields, CompletionRequest& request) {
  const auto* options = fields.find("stream_options");
  if (options == nullptr) return;
  if (!options->is_object()) {
    fields.note("model_attributes_type", "stream_options",
                "Input should be a valid dictionary or object to extract fields from", *options);
    return;
  }
  FieldReader reader(options->get_object());
  request.include_usage = reader.flag("include_usage").value_or(false);
  request.continuous_usage =
      request.include_usage && reader.flag("continuous_usage_stats").value_or(false);
  if (!reader.ok()) {
    fields.note("bool_parsing", "stream_options",
                "Input should be a valid boolean, unable to interpret input", *options);
  }
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
  } else if (!read.max_tokens) {
    read.max_tokens = kDefaultMaxTokens;
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

MaybeError check_more_than_context(const Parameters& read, Tokens max_model_len) {
  const Tokens asked = read.max_tokens.value_or(0);
  if (asked <= max_model_len) return {};
  return refused(fmt::format("{}={} cannot be greater than max_model_len={}. Please request fewer "
                             "output tokens.",
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
    return refused(fmt::format("temperature must be {}, got {}.", wrong_temperature, text),
                   "temperature", text);
  }
  if (!(read.top_p > 0 && read.top_p <= 1)) {
    const auto top_p = python_float(read.top_p);
    return refused(fmt::format("top_p must be in (0, 1], got {}.", top_p), "top_p", top_p);
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
    return refused(fmt::format("max_tokens must be at least 1, got {}.", max_tokens), "max_tokens",
                   std::to_string(max_tokens));
  }
  if (request.min_tokens < 0) {
    return bad_request(fmt::format("min_tokens must be greater than or equal to 0, got {}.",
                                   request.min_tokens));
  }
  if (request.min_tokens > max_tokens) {
    return bad_request(fmt::format("min_tokens must be less than or equal to max_tokens={}, got {}.",
                                   max_tokens, request.min_tokens));
  }
  if (request.temperature < kGreedyBelow && request.n > 1) {
    return bad_request(
        fmt::format("n must be 1 when using greedy sampling, got {}.", request.n));
  }
  return {};
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
    fields.note("missing", "prompt", "Field required", *parsed);
  }
  if (!fields.ok()) return fields.error();
  if (!is_served(asked, model.name)) return unknown_model(*asked, model.name);
  return fmt::format(R"({{"count":{},"max_model_len":{},"tokens":[{}],"token_strs":null}})",
                     ids.size(), model.max_model_len, fmt::join(ids, ","));
}

}  // namespace memprof::vllm_api
