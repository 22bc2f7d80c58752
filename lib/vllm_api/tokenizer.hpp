#pragma once

#include "simulator/block_hash.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace memprof::vllm_api {

using simulator::TokenId;

inline constexpr std::int64_t kDefaultVocabSize = 128256;
/// Special tokens, the words, and as many again for other text.
inline constexpr std::int64_t kLeastVocabSize = 4608;

/// Ids below are special tokens: they have no text.
inline constexpr TokenId kFirstWordToken = 256;
/// Ends an answer by itself (finish_reason "stop").
inline constexpr TokenId kEndOfTurnToken = 9;

/// Text to token ids and back, the same on every machine; not a real vocabulary. A word of
/// workload::kWords is one token, with a blank before it, or without one at the start of a text.
/// Other text is cut into pieces of at most 4 bytes, whose ids are hashes: two may share one. So an
/// answer of words, sent again behind its prompt, comes back as the same ids.
class Tokenizer {
 public:
  /// At least kLeastVocabSize.
  explicit Tokenizer(std::int64_t vocab_size = kDefaultVocabSize);

  [[nodiscard]] std::int64_t vocab_size() const { return vocab_size_; }
  /// Appends the ids of `text`, which may be any bytes.
  void append_ids(std::string_view text, std::vector<TokenId>& ids) const;
  [[nodiscard]] std::vector<TokenId> ids(std::string_view text) const;

  /// The token of a word, counted round: any number is good.
  [[nodiscard]] static TokenId word_token(std::uint64_t number);
  /// Appends a token's text: ` word` of a word, nothing of a special token, `<ID>` of any other id.
  /// It can stand in a JSON string as it is.
  static void append_text(std::string& out, TokenId token);

 private:
  std::int64_t vocab_size_;
};

}  // namespace memprof::vllm_api
