#include "vllm_api/chat_template.hpp"

namespace memprof::vllm_api {
namespace {

// The layout of Llama 3; its special tokens under numbers of our own.
constexpr TokenId kBeginOfText = 1;
constexpr TokenId kStartHeader = 2;
constexpr TokenId kEndHeader = 3;
constexpr TokenId kEndOfLines = 4;

TokenId role_token(std::string_view role) {
  static constexpr std::string_view kRoles[] = {"user",      "assistant", "system",
                                                "developer", "tool",      "function"};
  TokenId token = 16;
  for (const auto known : kRoles) {
    if (role == known) break;
    ++token;
  }
  return token;
}

void append_header(std::string_view role, std::vector<TokenId>& ids) {
  ids.insert(ids.end(), {kStartHeader, role_token(role), kEndHeader, kEndOfLines});
}

}  // namespace

void begin_chat(std::vector<TokenId>& ids) { ids.push_back(kBeginOfText); }

void append_message(const Tokenizer& tokenizer, std::string_view role, std::string_view content,
                    std::vector<TokenId>& ids) {
  append_header(role, ids);
  tokenizer.append_ids(content, ids);
  ids.push_back(kEndOfTurnToken);
}

void begin_answer(std::vector<TokenId>& ids) { append_header("assistant", ids); }

}  // namespace memprof::vllm_api
