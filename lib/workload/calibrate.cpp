#include "workload/calibrate.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <optional>
#include <span>
#include <string>

namespace memprof::workload {
namespace {

constexpr std::size_t kWordsAtOnce = 256;
constexpr int kMostCorrections = 6;
constexpr std::int64_t kMostTokensPerWord = 64;
constexpr std::int64_t kProbeWords = 200;

/// The costs of words that stood between separators, each with a blank before it: the distances of
/// the one token that is there once per separator. None when there is no such token.
std::optional<std::vector<std::int64_t>> distances(const std::vector<std::int64_t>& tokens,
                                                   std::size_t words) {
  std::map<std::int64_t, std::vector<std::int64_t>> places;
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    places[tokens[i]].push_back(static_cast<std::int64_t>(i));
  }
  for (const auto token : tokens) {
    const auto& at = places[token];
    if (at.size() != words + 1) continue;
    std::vector<std::int64_t> costs;
    for (std::size_t i = 0; i < words; ++i) costs.push_back(at[i + 1] - at[i] - 1);
    const auto [least, most] = std::minmax_element(costs.begin(), costs.end());
    if (*least >= 1 && *most <= kMostTokensPerWord) return costs;
  }
  return {};
}

/// What each word costs with a blank before it. Where that cannot be told, 1: then lengths are
/// found by correction alone.
Result<std::vector<std::int64_t>> learn_word_tokens(const Tokenizer& tokenize) {
  std::vector<std::int64_t> costs;
  const std::span<const std::string_view> words(kWords);
  for (std::size_t first = 0; first < words.size(); first += kWordsAtOnce) {
    const auto some = words.subspan(first, std::min(kWordsAtOnce, words.size() - first));
    std::string text = "\n";
    for (const auto word : some) text += fmt::format(" {}\n", word);
    const auto tokens = tokenize(text, TextUse::alone);
    if (tokens.has_error()) return tokens.error();
    const auto found = distances(*tokens, some.size());
    if (!found) return std::vector<std::int64_t>(kWordCount, 1);
    costs.insert(costs.end(), found->begin(), found->end());
  }
  return costs;
}

std::int64_t size_of(const std::vector<std::int64_t>& tokens) {
  return static_cast<std::int64_t>(tokens.size());
}

class Fitter {
 public:
  Fitter(const WorkloadSpec& spec, const Tokenizer& tokenize) : spec_(spec), tokenize_(tokenize) {}

  Result<Calibration> run() {
    auto word_tokens = learn_word_tokens(tokenize_);
    if (word_tokens.has_error()) return word_tokens.error();
    TextFit& fit = result_.fit;
    fit.word_tokens = std::move(*word_tokens);
    fit.same_first_word = true;
    result_.tokens_per_word =
        static_cast<double>(std::accumulate(fit.word_tokens.begin(), fit.word_tokens.end(),
                                            std::int64_t{0})) /
        static_cast<double>(kWordCount);
    if (auto learned = learn_overhead(); learned.has_error()) return learned.error();
    for (std::size_t input = 0; input < spec_.input_lens.size(); ++input) {
      for (const auto mode : spec_.prefix_modes) {
        if (auto fitted = fit_length(input, mode); fitted.has_error()) return fitted.error();
      }
    }
    return std::move(result_);
  }

 private:
  Result<std::int64_t> count(std::size_t input, PrefixMode mode, std::int64_t budget) {
    result_.fit.budget(input, mode) = budget;
    const PromptWriter prompts(spec_, result_.fit);
    const auto tokens = tokenize_(prompts.text(first_request(spec_, input, mode)),
                                  TextUse::as_prompt);
    if (tokens.has_error()) return tokens.error();
    return size_of(*tokens);
  }

  /// What a prompt of some words takes beyond what its words cost.
  Result<void> learn_overhead() {
    result_.fit.budgets.assign(2 * spec_.input_lens.size(), 1);
    std::string text(kWords[0]);
    std::int64_t cost = 0;
    for (std::size_t word = 1; word <= kProbeWords; ++word) {
      text += fmt::format(" {}", kWords[word]);
      cost += result_.fit.word_tokens[word];
    }
    const auto tokens = tokenize_(text, TextUse::as_prompt);
    if (tokens.has_error()) return tokens.error();
    const auto shorter = tokenize_(text.substr(0, text.find(' ')), TextUse::as_prompt);
    if (shorter.has_error()) return shorter.error();
    // Where words add up both say the same; else the shorter is nearer to what every prompt has.
    result_.overhead = std::min(size_of(*shorter), std::max<std::int64_t>(
                                                       0, size_of(*tokens) - cost));
    return {};
  }

  Result<void> fit_length(std::size_t input, PrefixMode mode) {
    const Tokens wanted = spec_.input_lens[input];
    const auto least = *std::min_element(result_.fit.word_tokens.begin(),
                                         result_.fit.word_tokens.end());
    if (wanted < result_.overhead + least) {
      return Error{ExitCode::usage,
                   fmt::format("--input-lens: {} tokens leave no room for a word: the server's "
                               "own part of each prompt takes {}",
                               wanted, result_.overhead)};
    }
    std::int64_t budget = wanted - result_.overhead;
    std::optional<std::int64_t> best;  // the budget of the longest that is not too long
    Tokens best_count = 0;
    for (int i = 0; i <= kMostCorrections && budget >= 1; ++i) {
      const auto counted = count(input, mode, budget);
      if (counted.has_error()) return counted.error();
      if (*counted <= wanted && (!best || *counted > best_count)) {
        best = budget;
        best_count = *counted;
      }
      if (*counted == wanted || (i > 0 && best == budget && nearest_below(*counted, wanted))) break;
      budget = corrected(budget, *counted, wanted);
    }
    if (!best) {
      best = 1;
      const auto counted = count(input, mode, *best);
      if (counted.has_error()) return counted.error();
      best_count = *counted;
    }
    result_.fit.budget(input, mode) = *best;
    result_.checks.push_back({wanted, mode, best_count});
    return {};
  }

  /// Fewer tokens are missing than the cheapest word costs.
  [[nodiscard]] bool nearest_below(Tokens counted, Tokens wanted) const {
    return wanted - counted < *std::min_element(result_.fit.word_tokens.begin(),
                                                result_.fit.word_tokens.end());
  }

  [[nodiscard]] std::int64_t corrected(std::int64_t budget, Tokens counted, Tokens wanted) const {
    const double per_unit = static_cast<double>(std::max<Tokens>(1, counted - result_.overhead)) /
                            static_cast<double>(budget);
    const double step = static_cast<double>(wanted - counted) / std::max(per_unit, 1e-6);
    return budget + static_cast<std::int64_t>(std::floor(step));
  }

  const WorkloadSpec& spec_;
  const Tokenizer& tokenize_;
  Calibration result_;
};

}  // namespace

double Calibration::deviation() const {
  double largest = 0;
  for (const auto& check : checks) {
    largest = std::max(largest, std::abs(static_cast<double>(check.counted) /
                                             static_cast<double>(check.input_len) -
                                         1));
  }
  return largest;
}

Result<Calibration> calibrate(const WorkloadSpec& spec, const Tokenizer& tokenize) {
  return Fitter(spec, tokenize).run();
}

}  // namespace memprof::workload
