#include "vllm_api/prompts.hpp"

#include "vllm_api/chat_template.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <utility>

namespace memprof::vllm_api {
namespace json = boost::json;
namespace {

constexpr Tokens kMostCharactersPerToken = 11;  // a blank and 10 letters

bool is_whole(const json::value& value) {
  if (value.is_int64() || value.is_uint64()) return true;
  const auto* number = value.if_double();
  return number != nullptr && std::isfinite(*number) && *number == std::floor(*number);
}

bool all(const json::array& array, bool (*is)(const json::value&)) {
  return std::all_of(array.begin(), array.end(), is);
}

void note_ids(FieldReader& fields, const json::value& value, const std::string& place) {
  if (!value.is_array()) {
    fields.note("list_type", place, "Input should be a valid list", value);
    return;
  }
  std::size_t i = 0;
  for (const auto& element : value.get_array()) {
    const auto element_place = fmt::format("{}.{}", place, i++);
    const auto id = fields.read_whole(element, element_place);
    if (id && *id < 0) {
      fields.note("greater_than_equal", element_place,
                  "Input should be greater than or equal to 0", element, "{'ge': 0}");
    }
  }
}

/// Says for each kind that a prompt may be why it is not that.
void note_all(FieldReader& fields, const json::value& prompt) {
  note_ids(fields, prompt, "prompt");
  const auto* array = prompt.if_array();
  const auto for_each = [&](auto&& note) {
    for (std::size_t i = 0; i < array->size(); ++i) note((*array)[i], fmt::format("prompt.{}", i));
  };
  if (array == nullptr) {
    fields.note("list_type", "prompt", "Input should be a valid list", prompt);
  } else {
    for_each([&](const auto& value, const auto& place) { note_ids(fields, value, place); });
  }
  fields.note("string_type", "prompt", "Input should be a valid string", prompt);
  if (array == nullptr) {
    fields.note("list_type", "prompt", "Input should be a valid list", prompt);
    return;
  }
  for_each([&](const auto& value, const auto& place) {
    if (!value.is_string()) {
      fields.note("string_type", place, "Input should be a valid string", value);
    }
  });
}

/// None: not ids, or negative ones.
std::optional<PromptInput> read_ids(const json::array& array) {
  PromptInput input;
  input.ids.reserve(array.size());
  constexpr std::int64_t kMost = std::numeric_limits<TokenId>::max();
  constexpr std::int64_t kBeyondAnyId = std::int64_t{1} << 53;
  for (const auto& value : array) {
    std::int64_t id = kBeyondAnyId;
    if (const auto* number = value.if_int64()) {
      id = *number;
    } else if (const auto* decimal = value.if_double(); decimal != nullptr && is_whole(value)) {
      id = static_cast<std::int64_t>(std::clamp<double>(*decimal, -1, kBeyondAnyId));
    } else if (!value.is_uint64()) {
      return {};
    }
    if (id < 0) return {};
    input.greatest_id = std::max(input.greatest_id, id);
    input.ids.push_back(static_cast<TokenId>(std::min(id, kMost)));
  }
  return input;
}

PromptInput text_input(const json::value& value) {
  PromptInput input;
  input.text = std::string_view(value.get_string());
  return input;
}

/// None: a part that is not text.
std::optional<std::string> joined_parts(const json::array& parts) {
  std::string text;
  bool first = true;
  for (const auto& part : parts) {
    std::optional<std::string_view> piece;
    if (const auto* plain = part.if_string()) {
      piece = *plain;
    } else if (const auto* object = part.if_object()) {
      const auto* type = object->if_contains("type");
      const auto* content = object->if_contains("text");
      const bool is_text = type == nullptr || *type == "text" || *type == "input_text";
      if (is_text && content != nullptr && content->is_string()) piece = content->get_string();
    }
    if (!piece) return {};
    if (!std::exchange(first, false)) text += '\n';
    text += *piece;
  }
  return text;
}

}  // namespace

std::vector<PromptInput> read_prompts(FieldReader& fields, const json::value& prompt) {
  std::vector<PromptInput> inputs;
  if (prompt.is_string()) {
    inputs.push_back(text_input(prompt));
    return inputs;
  }
  const auto* array = prompt.if_array();
  if (array != nullptr && array->empty()) return inputs;
  if (array != nullptr && all(*array, [](const json::value& v) { return v.is_string(); })) {
    for (const auto& value : *array) inputs.push_back(text_input(value));
    return inputs;
  }
  if (array != nullptr && all(*array, [](const json::value& v) { return v.is_array(); })) {
    for (const auto& value : *array) {
      auto ids = read_ids(value.get_array());
      if (!ids) break;
      inputs.push_back(std::move(*ids));
    }
    if (inputs.size() == array->size()) return inputs;
  } else if (array != nullptr) {
    if (auto ids = read_ids(*array)) {
      inputs.push_back(std::move(*ids));
      return inputs;
    }
  }
  note_all(fields, prompt);
  return {};
}

ApiResult<std::vector<ChatMessage>> read_messages(FieldReader& fields) {
  std::vector<ChatMessage> messages;
  const auto* value = fields.find("messages");
  if (value == nullptr) {
    fields.note_missing("messages");
    return messages;
  }
  if (!value->is_array()) {
    fields.note("list_type", "messages", "Input should be a valid list", *value);
    return messages;
  }
  for (const auto& item : value->get_array()) {
    const auto place = fmt::format("messages.{}", messages.size());
    auto& message = messages.emplace_back();
    if (!item.is_object()) {
      fields.note("dict_type", place, "Input should be a valid dictionary", item);
      continue;
    }
    const auto* role = item.get_object().if_contains("role");
    if (role == nullptr) {
      fields.note("missing", place + ".role", "Field required", item);
    } else if (!role->is_string()) {
      fields.note("string_type", place + ".role", "Input should be a valid string", *role);
    } else {
      message.role = role->get_string();
    }
    const auto* content = item.get_object().if_contains("content");
    if (content == nullptr || content->is_null()) continue;
    if (const auto* text = content->if_string()) {
      message.content = std::string_view(*text);
    } else if (content->is_array()) {
      auto joined = joined_parts(content->get_array());
      if (!joined) return bad_request("Content other than text is not simulated.", "messages");
      message.content = std::move(*joined);
    } else {
      fields.note("string_type", place + ".content", "Input should be a valid string", *content);
    }
  }
  return messages;
}

std::vector<TokenId> chat_ids(const Tokenizer& tokenizer, const std::vector<ChatMessage>& messages,
                              bool answer) {
  std::vector<TokenId> ids;
  begin_chat(ids);
  for (const auto& message : messages) {
    append_message(tokenizer, message.role, message.content, ids);
  }
  if (answer) begin_answer(ids);
  return ids;
}

std::optional<ApiError> check_text_length(std::string_view text, Tokens max_model_len) {
  const Tokens most = max_model_len * kMostCharactersPerToken;
  if (std::ssize(text) <= most) return {};
  const auto characters = std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  });
  if (characters <= most) return {};
  return bad_parameter(
      fmt::format("This model's maximum context length is {0} tokens. However, your prompt "
                  "contains {1} characters (more than {2} characters, which is the upper bound for "
                  "{0} input tokens). Please reduce the length of the input prompt.",
                  max_model_len, characters, most),
      "input_text", std::to_string(characters));
}

std::optional<ApiError> check_length(Tokens tokens, bool is_text, Tokens max_model_len) {
  if (tokens <= max_model_len) return {};
  const Tokens counted = is_text ? max_model_len + 1 : tokens;
  return bad_parameter(
      fmt::format("This model's maximum context length is {} tokens. However, your prompt contains "
                  "{}{} input tokens, which exceeds this limit even without any output tokens. "
                  "Please reduce the length of the input prompt.",
                  max_model_len, counted == max_model_len + 1 ? "at least " : "", counted),
      "input_tokens", std::to_string(counted));
}

}  // namespace memprof::vllm_api
