#pragma once

#include "records/units.hpp"
#include "vllm_api/json_body.hpp"
#include "vllm_api/tokenizer.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace memprof::vllm_api {

/// A prompt as it was sent: text, or token ids.
struct PromptInput {
  std::optional<std::string_view> text;  ///< part of the body
  std::vector<TokenId> ids;              ///< when it is not text
  std::int64_t greatest_id = 0;          ///< of them; `ids` holds it only when it fits
};

/// The field `prompt` of completions: a text, token ids, or a list of either. Problems are noted
/// with `fields`, and the list is empty then.
std::vector<PromptInput> read_prompts(FieldReader& fields, const boost::json::value& prompt);

struct ChatMessage {
  std::string_view role;  ///< part of the body
  std::string content;    ///< texts, joined by newlines
};

/// The field `messages`. Problems are noted with `fields`; content that is not text is an error.
ApiResult<std::vector<ChatMessage>> read_messages(FieldReader& fields);

/// The ids of a chat, with the beginning of an answer when `answer`.
std::vector<TokenId> chat_ids(const Tokenizer& tokenizer, const std::vector<ChatMessage>& messages,
                              bool answer);

/// A text that cannot fit into the context, by its characters alone: none when it may.
std::optional<ApiError> check_text_length(std::string_view text, Tokens max_model_len);
/// A prompt that does not fit into the context. vLLM counts a text's tokens only up to the first
/// that is too many.
std::optional<ApiError> check_length(Tokens tokens, bool is_text, Tokens max_model_len);

}  // namespace memprof::vllm_api
