#pragma once

#include "records/units.hpp"
#include "vllm_api/completion_request.hpp"
#include "vllm_api/tokenizer.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace memprof::vllm_api {

/// What all bytes of one answer share.
struct AnswerIdentity {
  std::string id;              ///< whole: answer_id() makes it
  std::int64_t created = 0;    ///< Unix seconds
  std::string model;           ///< the served name
  std::string fingerprint;     ///< `vllm-0.32.0-09de555e`
  bool prompt_tokens_details = false;  ///< --enable-prompt-tokens-details
};

/// `cmpl-` or `chatcmpl-`, and an id that may be a client's: any bytes.
std::string answer_id(bool chat, std::string_view request_id);

enum class FinishReason { length, stop };

/// Of a prompt's blocks. On completions a list of prompts answers with the last prompt's, a stream
/// with the first one's that came.
struct CachedTokens {
  Tokens cached = 0;   ///< found in the prefix cache
  Tokens created = 0;  ///< full blocks of the prompt that were not; said by chats only
};

/// One choice of an answer that is not streamed.
struct Choice {
  std::vector<TokenId> tokens;
  FinishReason finish = FinishReason::length;
};

/// The body of an answer that is not streamed; as many choices as request.choices().
std::string answer_body(const CompletionRequest& request, const AnswerIdentity& identity,
                        std::span<const Choice> choices, CachedTokens cached);

/// Writes the events of a stream. All calls append to `out`; what does not change between events is
/// put together once. It keeps copies: request and identity may go.
class StreamWriter {
 public:
  StreamWriter(const CompletionRequest& request, const AnswerIdentity& identity);

  /// Before the first token: a chat's role events; nothing on completions.
  void begin(std::string& out);
  /// New tokens of a choice, in one event; with `finish` they are its last.
  void append_tokens(std::string& out, std::int64_t choice, std::span<const TokenId> tokens,
                     std::optional<FinishReason> finish);
  /// After the last token of all choices: usage where it was asked for, and `[DONE]`.
  void end(std::string& out, CachedTokens cached);
  /// The server cannot go on: an error event and `[DONE]`, under a status 200 as vLLM does.
  void fail(std::string& out);

 private:
  void append_usage(std::string& out, Tokens prompt, Tokens completion, bool details) const;
  void append_prompt_ids(std::string& out, std::int64_t choice);

  bool chat_;
  bool include_usage_;
  bool continuous_usage_;
  bool return_token_ids_;
  bool prompt_tokens_details_;
  std::int64_t choices_per_prompt_;
  std::string head_;         ///< `data: {"id":…,"choices":[`
  std::string fingerprint_;  ///< `,"system_fingerprint":"…"`
  std::vector<Tokens> prompt_tokens_;            ///< of each prompt
  std::vector<std::vector<TokenId>> prompt_ids_;  ///< only for return_token_ids
  std::vector<Tokens> completion_tokens_;         ///< of each choice
};

}  // namespace memprof::vllm_api
