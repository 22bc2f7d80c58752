#include "vllm_api/tokenizer.hpp"

#include "workload/words.hpp"

#include <algorithm>
#include <array>
#include <cassert>
#include <charconv>
#include <cstddef>
#include <cstring>

namespace memprof::vllm_api {
namespace {

using workload::kWordCount;

constexpr std::size_t kMostLetters = 10;  // of a word
constexpr std::size_t kMostPieceBytes = 4;
constexpr TokenId kFirstPieceToken = kFirstWordToken + static_cast<TokenId>(kWordCount);

static_assert(kLeastVocabSize > kFirstPieceToken);

constexpr bool is_letter(char c) { return c >= 'a' && c <= 'z'; }

/// Words by their letters, 5 bits each.
class WordTable {
 public:
  WordTable() {
    for (std::size_t i = 0; i < kWordCount; ++i) {
      std::uint64_t key = 0;
      for (const char c : workload::kWords[i]) key = append_letter(key, c);
      auto& slot = slots_[free_slot(key)];
      slot = {key, kFirstWordToken + static_cast<TokenId>(i)};
      auto& text = texts_[i];
      text.bytes[0] = ' ';
      std::copy(workload::kWords[i].begin(), workload::kWords[i].end(), text.bytes.begin() + 1);
      text.size = workload::kWords[i].size() + 1;
    }
  }

  static std::uint64_t append_letter(std::uint64_t key, char letter) {
    return key << 5 | static_cast<std::uint64_t>(letter - 'a' + 1);
  }
  /// 0: no such word.
  [[nodiscard]] TokenId find(std::uint64_t key) const { return slots_[free_slot(key)].token; }
  [[nodiscard]] std::string_view text(TokenId token) const {
    const auto& text = texts_[static_cast<std::size_t>(token - kFirstWordToken)];
    return {text.bytes.data(), text.size};
  }

 private:
  struct Slot {
    std::uint64_t key = 0;
    TokenId token = 0;
  };
  struct Text {
    std::array<char, kMostLetters + 1> bytes{};
    std::size_t size = 0;
  };
  static constexpr std::size_t kSlots = 4 * kWordCount;

  /// The key's slot, or the empty one where it would be.
  [[nodiscard]] std::size_t free_slot(std::uint64_t key) const {
    std::size_t at = (key * 0x9e3779b97f4a7c15u) >> 32 & (kSlots - 1);
    while (slots_[at].key != 0 && slots_[at].key != key) at = (at + 1) & (kSlots - 1);
    return at;
  }

  std::array<Slot, kSlots> slots_{};
  std::array<Text, kWordCount> texts_{};
};

const WordTable& word_table() {
  static const WordTable kTable;
  return kTable;
}

/// Letters at the front of `text`, one more than a word can have at most.
struct Run {
  std::size_t letters = 0;
  std::uint64_t key = 0;
};
Run letters_of(std::string_view text) {
  Run run;
  const std::size_t most = std::min(text.size(), kMostLetters + 1);
  while (run.letters < most && is_letter(text[run.letters])) {
    run.key = WordTable::append_letter(run.key, text[run.letters]);
    ++run.letters;
  }
  return run;
}

/// At most 4 bytes, up to the next blank.
std::size_t piece_length(std::string_view text) {
  const std::size_t most = std::min(text.size(), kMostPieceBytes);
  std::size_t length = 1;
  while (length < most && text[length] != ' ') ++length;
  return length;
}

}  // namespace

Tokenizer::Tokenizer(std::int64_t vocab_size) : vocab_size_(vocab_size) {
  assert(vocab_size >= kLeastVocabSize);
}

void Tokenizer::append_ids(std::string_view text, std::vector<TokenId>& ids) const {
  const auto& words = word_table();
  const auto pieces = static_cast<std::uint64_t>(vocab_size_ - kFirstPieceToken);
  for (std::size_t at = 0; at < text.size();) {
    if (at == 0 || text[at] == ' ') {
      const std::size_t begin = at + (text[at] == ' ' ? 1 : 0);
      const Run run = letters_of(text.substr(begin));
      if (run.letters > 0 && run.letters <= kMostLetters) {
        if (const TokenId token = words.find(run.key); token != 0) {
          ids.push_back(token);
          at = begin + run.letters;
          continue;
        }
      }
    }
    const std::size_t length = piece_length(text.substr(at));
    std::uint32_t bytes = 0;
    std::memcpy(&bytes, text.data() + at, length);
    const std::uint64_t hash =
        simulator::detail::mix(simulator::detail::mix(length, bytes), 0) >> 32;
    ids.push_back(kFirstPieceToken + static_cast<TokenId>(hash * pieces >> 32));
    at += length;
  }
}

std::vector<TokenId> Tokenizer::ids(std::string_view text) const {
  std::vector<TokenId> ids;
  ids.reserve(text.size() / 8);
  append_ids(text, ids);
  return ids;
}

TokenId Tokenizer::word_token(std::uint64_t number) {
  return kFirstWordToken + static_cast<TokenId>(number % kWordCount);
}

void Tokenizer::append_text(std::string& out, TokenId token) {
  if (token < kFirstWordToken) return;
  if (token < kFirstPieceToken) {
    out += word_table().text(token);
    return;
  }
  std::array<char, 16> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), token).ptr;
  out += '<';
  out.append(digits.data(), end);
  out += '>';
}

}  // namespace memprof::vllm_api
