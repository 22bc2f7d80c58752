#include "workload/prompts.hpp"

#include "workload/draws.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <numeric>
#include <utility>

namespace memprof::workload {
namespace {

constexpr double kCharsPerWord = 8.2;         // of the word list, blank included
constexpr double kMostBytesPerWord = 11;      // blank and 10 letters
constexpr double kMostBytesPerId = 12;        // `, ` and 10 digits
constexpr double kMostBytesBeside = 1024;     // the line's other keys
constexpr std::size_t kFirstWord = 0;         // of a fitted prompt

/// Keys of streams that have nothing to do with each other.
std::uint64_t stream_key(std::uint64_t seed, std::uint64_t kind, std::uint64_t a, std::uint64_t b) {
  return Draws::mix(Draws::mix(Draws::mix(seed * 4 + kind) + a) + b);
}

std::uint64_t coprime_near_golden_section(std::uint64_t size) {
  auto stride = std::max<std::uint64_t>(1, size * 618 / 1000);
  while (std::gcd(stride, size) != 1) ++stride;
  return stride;
}

/// `random` scaled to [0, size), by its upper bits.
std::uint64_t below(std::uint64_t size, std::uint64_t random) {
  return ((random >> 32) * size) >> 32;
}

std::int64_t shared_part(double share, std::int64_t budget) {
  const auto shared = std::llround(share * static_cast<double>(budget));
  return share < 1 ? std::min<std::int64_t>(shared, budget - 1) : shared;
}

}  // namespace

TextFit plain_fit(const WorkloadSpec& spec) {
  TextFit fit;
  for (const auto input_len : spec.input_lens) {
    const auto words = spec.prompt_format == PromptFormat::token_ids
                           ? input_len
                           : std::llround(static_cast<double>(input_len) * spec.chars_per_token /
                                          kCharsPerWord);
    fit.budgets.insert(fit.budgets.end(), 2, std::max<std::int64_t>(1, words));
  }
  return fit;
}

double max_prompt_bytes(const WorkloadSpec& spec, Tokens input_len) {
  const auto tokens = static_cast<double>(input_len);
  return kMostBytesBeside + (spec.prompt_format == PromptFormat::token_ids
                                 ? tokens * kMostBytesPerId
                                 : tokens * std::max(1.0, spec.chars_per_token / kCharsPerWord) *
                                       kMostBytesPerWord);
}

Head::Head(std::uint64_t size, std::uint64_t seed)
    : size_(size),
      half_stride_(coprime_near_golden_section(size / 2)),
      stride_(coprime_near_golden_section(size)) {
  Draws draws(stream_key(seed, 3, 0, 0));
  for (auto& offset : offsets_) offset = draws.next() % size;
  const std::uint64_t half = size / 2;
  auto numbers = static_cast<double>(half);
  for (count_ = 1; numbers < 4294967296.0; ++count_) numbers *= static_cast<double>(size);
}

std::size_t Head::spell(const Section& section, std::array<std::uint64_t, 8>& digits) const {
  const std::uint64_t half = size_ / 2;
  digits[0] = (section.number % half * half_stride_ + offsets_[0]) % half + section.high * half;
  std::uint64_t rest = section.number / half;
  for (std::size_t i = 1; i < count_; ++i) {
    digits[i] = (rest % size_ * stride_ + offsets_[i]) % size_;
    rest /= size_;
  }
  return count_;
}

PromptWriter::PromptWriter(const WorkloadSpec& spec, const TextFit& fit)
    : seed_(spec.seed),
      share_(spec.high_prefix_share),
      ids_(spec.prompt_format == PromptFormat::token_ids),
      same_first_word_(fit.same_first_word),
      budgets_(fit.budgets),
      first_id_(static_cast<std::uint64_t>(spec.vocab_size) / 4),
      id_count_(static_cast<std::uint64_t>(spec.vocab_size) / 2),
      head_(ids_ ? id_count_ : kWordCount, spec.seed),
      words_(kWordCount) {
  for (std::size_t i = 0; i < kWordCount; ++i) {
    auto& word = words_[i];
    word.text[0] = ' ';
    std::copy(kWords[i].begin(), kWords[i].end(), word.text.begin() + 1);
    word.size = static_cast<std::uint8_t>(kWords[i].size() + 1);
    word.tokens = static_cast<std::uint16_t>(fit.word_tokens[i]);
  }
  fill_reach(fit.word_tokens);
  const auto longest = static_cast<double>(*std::max_element(budgets_.begin(), budgets_.end()));
  max_bytes_ = static_cast<std::size_t>(
      longest * (ids_ ? kMostBytesPerId : kMostBytesPerWord) + kMostBytesBeside);
}

void PromptWriter::fill_reach(const std::vector<std::int64_t>& word_tokens) {
  const auto most = *std::max_element(word_tokens.begin(), word_tokens.end());
  // Whole numbers of words reach every sum from here on that their common divisor allows.
  reach_.assign(static_cast<std::size_t>(most * most + most + 1), 0);
  filler_.assign(reach_.size(), kWordCount);
  for (std::size_t left = 1; left < reach_.size(); ++left) {
    for (std::size_t word = 0; word < kWordCount; ++word) {
      const auto tokens = static_cast<std::size_t>(word_tokens[word]);
      if (tokens > left) continue;
      const auto spent = word_tokens[word] + reach_[left - tokens];
      if (spent <= reach_[left]) continue;
      reach_[left] = spent;
      filler_[left] = word;
    }
  }
}

PromptWriter::Written PromptWriter::write_words(char* out, const Section& section) const {
  std::int64_t left = section.budget;
  std::int64_t unspent = 0;
  const auto fast_until = static_cast<std::int64_t>(reach_.size()) - 1;
  const auto put = [&](std::size_t index) {
    const PaddedWord* word = &words_[index];
    if (left <= fast_until) {
      const auto at = static_cast<std::size_t>(left);
      if (word->tokens > left || word->tokens + reach_[at - word->tokens] < reach_[at]) {
        if (filler_[at] == kWordCount) {
          unspent = std::exchange(left, 0);  // the nearest below
          return;
        }
        word = &words_[filler_[at]];
      }
    }
    std::memcpy(out, word, sizeof *word);  // its end is overwritten by the next
    out += word->size;
    left -= word->tokens;
  };
  std::array<std::uint64_t, 8> digits{};
  const std::size_t count = head_.spell(section, digits);
  for (std::size_t i = 0; i < count && left > 0; ++i) put(digits[i]);
  Draws draws(section.stream);
  while (left > 0) {
    auto bits = draws.next();
    for (int i = 0; i < 5 && left > 0; ++i, bits >>= 11) put(bits & (kWordCount - 1));
  }
  return {out, unspent};
}

PromptWriter::Written PromptWriter::write_ids(char* out, const Section& section) const {
  const auto put = [&](std::uint64_t index) {
    *out++ = ',';
    *out++ = ' ';
    out = std::to_chars(out, out + 20, first_id_ + index).ptr;
  };
  std::array<std::uint64_t, 8> digits{};
  const auto count = std::min<std::int64_t>(
      static_cast<std::int64_t>(head_.spell(section, digits)), section.budget);
  for (std::int64_t i = 0; i < count; ++i) put(digits[static_cast<std::size_t>(i)]);
  Draws draws(section.stream);
  for (std::int64_t i = count; i < section.budget; ++i) put(below(id_count_, draws.next()));
  return {out, 0};
}

char* PromptWriter::write_sections(char* out, const GridRequest& request) const {
  const auto write = [&](const Section& section) {
    const Written written = ids_ ? write_ids(out, section) : write_words(out, section);
    out = written.end;
    return written.left;
  };
  const auto index = static_cast<std::uint64_t>(request.index);
  const auto input = static_cast<std::uint64_t>(request.input_index);
  const bool high = request.prefix_mode == PrefixMode::high;
  const std::int64_t budget = budgets_[2 * request.input_index + high];
  if (!high) {
    write({false, index, stream_key(seed_, 0, index, 0), budget});
  } else {
    const auto sharer = static_cast<std::uint64_t>(request.sharer);
    const auto shared = shared_part(share_, budget);
    const auto left = write({true, input, stream_key(seed_, 1, input, 0), shared});
    write({true, sharer, stream_key(seed_, 2, input, sharer), budget - shared + left});
  }
  return out;
}

char* PromptWriter::write(char* out, const GridRequest& request) const {
  char* const begin = out;
  if (ids_) {
    // The first id's `, ` becomes `[`.
    out = write_sections(out, request);
    *begin = ' ';
    begin[1] = '[';
    *out++ = ']';
    return out;
  }
  if (same_first_word_) {
    *out = ' ';
    out = std::copy(kWords[kFirstWord].begin(), kWords[kFirstWord].end(), out + 1);
  }
  out = write_sections(out, request);
  *begin = '"';  // instead of the first word's blank
  *out++ = '"';
  return out;
}

std::string PromptWriter::text(const GridRequest& request) const {
  std::string prompt(max_bytes_, '\0');
  const char* const end = write(prompt.data(), request);
  prompt.resize(static_cast<std::size_t>(end - prompt.data()) - 1);
  prompt.erase(0, 1);
  return prompt;
}

}  // namespace memprof::workload
