#pragma once

#include "vllm_api/tokenizer.hpp"

#include <string_view>
#include <vector>

namespace memprof::vllm_api {

/// A chat in token ids. It costs beside its contents: one token at its beginning, five for each
/// message, and four that begin the answer, so 10 for a single message. They are special tokens,
/// whose number no content changes: the same first messages give the same first ids.

void begin_chat(std::vector<TokenId>& ids);
/// Roles that are not known are "other" roles, all alike.
void append_message(const Tokenizer& tokenizer, std::string_view role, std::string_view content,
                    std::vector<TokenId>& ids);
/// The beginning of an answer; what is sent again as an assistant's message begins the same way.
void begin_answer(std::vector<TokenId>& ids);

}  // namespace memprof::vllm_api
