#pragma once

#include "records/units.hpp"
#include "vllm_api/api_error.hpp"
#include "vllm_api/tokenizer.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace memprof::vllm_api {

/// What a request is checked against.
struct ServedModel {
  std::string name;  ///< the only one served
  Tokens max_model_len = 4096;
};

/// A prompt and how much may be generated for it.
struct CompletionPrompt {
  std::vector<TokenId> ids;  ///< at least one, fewer than the context
  Tokens max_tokens = 1;     ///< ≥ 1; cut so that prompt and answer fit into the context
};

/// A request for /v1/completions or /v1/chat/completions that can be served.
struct CompletionRequest {
  bool chat = false;
  std::vector<CompletionPrompt> prompts;  ///< chat: one
  std::int64_t n = 1;                     ///< answers for each prompt; choice = prompt × n + i
  Tokens min_tokens = 0;                  ///< 0 ≤ min_tokens ≤ each max_tokens
  bool ignore_eos = false;
  bool stream = false;
  bool include_usage = false;
  bool continuous_usage = false;  ///< only with include_usage
  bool return_token_ids = false;
  std::string cache_salt;  ///< empty: none
  std::optional<std::int64_t> seed;
  double temperature = 1;
  /// Given in the body; the header `X-Request-Id` goes before it. None: the server's own.
  std::optional<std::string> request_id;

  [[nodiscard]] std::int64_t choices() const {
    return static_cast<std::int64_t>(prompts.size()) * n;
  }
};

/// Reads a body of /v1/completions (or of /v1/chat/completions, `chat`), any bytes. What vLLM
/// refuses is refused with its status and words, in its order. Fields that it does not know are
/// passed over, and so are those that change the text but not its length: top_p, penalties, tools
/// that may be called, … Stop strings and stop_token_ids are passed over too: an answer ends at
/// max_tokens, or when the caller says so. What would make an answer wrong is a 400 that says "is
/// not simulated": logprobs, echo, suffix, beam search, prompt embeddings, truncated prompts, tool
/// calls, structured outputs, content other than text.
ApiResult<CompletionRequest> parse_completion_request(std::string_view body, bool chat,
                                                      const ServedModel& model,
                                                      const Tokenizer& tokenizer);

/// Reads a body of /tokenize: a `prompt` or `messages`; the answer to it.
ApiResult<std::string> answer_tokenize(std::string_view body, const ServedModel& model,
                                       const Tokenizer& tokenizer);

}  // namespace memprof::vllm_api
