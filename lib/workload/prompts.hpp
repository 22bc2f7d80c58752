#pragma once

#include "records/workload.hpp"
#include "workload/grid.hpp"
#include "workload/words.hpp"

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace memprof::workload {

/// What text costs in tokens, and how many of them each prompt is given.
struct TextFit {
  /// Of each word with a blank before it.
  std::vector<std::int64_t> word_tokens = std::vector<std::int64_t>(kWordCount, 1);
  /// Tokens for the words of a prompt, by 2 × its length's place in the list + (mode is high).
  std::vector<std::int64_t> budgets;
  /// Every prompt begins with the same word, which is not in the budget: a first word has no blank
  /// before it, so its cost is not that of word_tokens.
  bool same_first_word = false;

  [[nodiscard]] std::int64_t& budget(std::size_t input_index, PrefixMode mode) {
    return budgets[2 * input_index + (mode == PrefixMode::high)];
  }
  [[nodiscard]] std::int64_t budget(std::size_t input_index, PrefixMode mode) const {
    return budgets[2 * input_index + (mode == PrefixMode::high)];
  }
};

/// Without a tokenizer to ask: a word is a token, round(input_len × chars_per_token / 8.2) words.
TextFit plain_fit(const WorkloadSpec& spec);

/// The most bytes that a line with a prompt of this length can have.
double max_prompt_bytes(const WorkloadSpec& spec, Tokens input_len);

/// A run of words or ids that starts in its own way: its head spells its number.
struct Section {
  bool high = false;         ///< the first piece comes from the upper half of all pieces
  std::uint64_t number = 0;  ///< below 2^32; spelled by the first pieces, the lowest digit first
  std::uint64_t stream = 0;  ///< key of what follows
  std::int64_t budget = 0;   ///< tokens
};

/// Numbers spelled as digits in base `size` (the first digit within a half), each digit moved about
/// by the seed: two numbers differ within max_digits() digits, at most 7 of them for 64 ids.
class Head {
 public:
  Head(std::uint64_t size, std::uint64_t seed);
  /// Returns the number of digits.
  std::size_t spell(const Section& section, std::array<std::uint64_t, 8>& digits) const;

 private:
  std::uint64_t size_;
  std::size_t count_ = 0;
  std::uint64_t half_stride_ = 1;
  std::uint64_t stride_ = 1;
  std::array<std::uint64_t, 8> offsets_{};
};

/// Makes prompts. A `low` prompt spells its request's index from a low first word, a `high` one
/// starts with the prefix of its length from a high first word, and then spells its number among
/// those that share it: so a low prompt differs from every other within its first 3 words (7 ids),
/// and 1,024 prompts that share a prefix differ at the first word after it.
class PromptWriter {
 public:
  PromptWriter(const WorkloadSpec& spec, const TextFit& fit);

  /// Room that write() needs.
  [[nodiscard]] std::size_t max_bytes() const { return max_bytes_; }
  /// Writes the prompt as a JSON string or array; returns its end.
  char* write(char* out, const GridRequest& request) const;
  /// A text prompt as it is, without quotes.
  [[nodiscard]] std::string text(const GridRequest& request) const;

 private:
  /// What was written, and how much of the budget nothing could be bought for.
  struct Written {
    char* end = nullptr;
    std::int64_t left = 0;
  };
  Written write_words(char* out, const Section& section) const;
  Written write_ids(char* out, const Section& section) const;
  char* write_sections(char* out, const GridRequest& request) const;
  void fill_reach(const std::vector<std::int64_t>& word_tokens);

  struct alignas(16) PaddedWord {
    std::array<char, 12> text{};
    std::uint16_t tokens = 1;
    std::uint8_t size = 0;
  };

  std::uint64_t seed_;
  double share_;
  bool ids_;
  bool same_first_word_;
  std::vector<std::int64_t> budgets_;
  std::uint64_t first_id_ = 0;
  std::uint64_t id_count_ = 0;
  Head head_;
  std::vector<PaddedWord> words_;
  /// For the last tokens of a section: how many of `left` can be spent at most, and the word to
  /// spend them with when the one that was drawn would spoil that.
  std::vector<std::int64_t> reach_;
  std::vector<std::size_t> filler_;
  std::size_t max_bytes_ = 0;
};

}  // namespace memprof::workload
