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

/// `cmpl-` or `chatcmpl-`, and an id that may be a client's, in UTF-8.
std::string answer_id(bool chat, std::string_view request_id);
/// A header's value in UTF-8: its bytes are read as Latin-1, as the server under vLLM does.
std::string utf8_of_header(std::string_view value);

enum class FinishReason { length, stop };

/// Of a prompt, at its first admission. A body about a list of prompts says the last prompt's, a
/// stream that of the prompt whose first token came first.
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

/// Writes the events of a stream. All calls append to `out`; what all events begin with is put
/// together once. It keeps copies: request and identity may go.
class StreamWriter {
 public:
  StreamWriter(const CompletionRequest& request, const AnswerIdentity& identity);

  /// Before the first token: a chat's role events; nothing on completions.
  void begin(std::string& out) const;
  /// New tokens of a choice, in one event; with `finish` they are its last.
  void append_tokens(std::string& out, std::int64_t choice, std::span<const TokenId> tokens,
                     std::optional<FinishReason> finish);
  /// After the last token of all choices: usage where it was asked for, and `[DONE]`.
  void end(std::string& out, CachedTokens cached) const;
  /// The server cannot go on: an error event and `[DONE]`, under a status 200 as vLLM does.
  static void fail(std::string& out);

 private:
  static constexpr std::string_view kIndexKey = R"({"index":)";

  [[nodiscard]] std::size_t prompt_of(std::int64_t choice) const;
  void append_running_usage(std::string& out, std::int64_t choice) const;
  void append_prompt_ids(std::string& out, std::int64_t choice, bool wanted) const;

  bool chat_;
  bool include_usage_;
  bool continuous_usage_;
  bool return_token_ids_;
  bool prompt_tokens_details_;
  std::int64_t choices_per_prompt_;
  std::string head_;         ///< `data: {"id":…,"choices":[{"index":`
  std::string fingerprint_;  ///< `,"system_fingerprint":"…"`
  std::vector<Tokens> prompt_tokens_;             ///< of each prompt
  std::vector<std::vector<TokenId>> prompt_ids_;  ///< only for return_token_ids
  std::vector<Tokens> completion_tokens_;         ///< of each choice, so far
};

}  // namespace memprof::vllm_api
