#pragma once

#include "records/units.hpp"

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace memprof::load {

/// The server's `usage`. A member that is missing, null, or not a whole number >= 0 stays empty.
struct Usage {
  std::optional<Tokens> prompt_tokens;
  std::optional<Tokens> completion_tokens;
  std::optional<Tokens> cached_tokens;  ///< prompt_tokens_details.cached_tokens
};

/// What a chat completion, a completion, or one chunk of either says, as far as a row needs it.
struct CompletionFacts {
  bool has_choices = false;    ///< a `choices` array with at least one element
  bool has_text = false;       ///< non-empty content, reasoning or text in some choice
  bool has_finish_reason = false;
  bool has_error = false;      ///< a top-level `error` that is not null
  std::optional<Usage> usage;
};

/// Reads one JSON document as it comes; nothing of it is stored. Knows OpenAI's shapes as vLLM 0.32
/// writes them.
class CompletionJson {
 public:
  CompletionJson();
  ~CompletionJson();

  void reset();
  /// False: not JSON, nested too deeply, or something after its end.
  bool feed(std::string_view bytes);
  /// The document's end. False: it is not whole.
  bool finish();
  [[nodiscard]] const CompletionFacts& facts() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// The server's own words in an error body: `error.message`, `error`, `message` or `detail`
/// (nested, flat and string bodies of vLLM), else the text itself. One line, <= 300 characters.
std::string error_words(std::string_view body);

}  // namespace memprof::load
