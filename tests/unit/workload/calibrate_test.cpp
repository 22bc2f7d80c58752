#include "workload/calibrate.hpp"

#include "formats/text.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include <string>

namespace memprof::workload {
namespace {

/// A made-up tokenizer: pieces of at most `letters` letters, a word's blank goes with its first
/// piece; `added` tokens around a prompt.
struct FakeServer {
  std::size_t letters = 4;
  std::size_t added = 10;
  bool newline_is_token = true;
  bool joins_words = false;  ///< two short words in a row make one token
  int questions = 0;

  Result<std::vector<std::int64_t>> operator()(std::string_view text, TextUse use) {
    ++questions;
    std::vector<std::int64_t> tokens(use == TextUse::as_prompt ? added : 0, 1);
    bool last_was_short = false;
    for (std::size_t at = 0; at < text.size();) {
      if (text[at] == '\n') {
        if (newline_is_token) tokens.push_back(2);
        ++at;
        continue;
      }
      std::size_t end = at + 1;
      while (end < text.size() && text[end] != ' ' && text[end] != '\n') ++end;
      const bool is_short = end - at <= 6;
      if (joins_words && last_was_short && is_short) {
        last_was_short = false;
      } else {
        for (std::size_t i = at; i < end; i += letters) tokens.push_back(1000 + text[i]);
        last_was_short = is_short;
      }
      at = end;
    }
    return tokens;
  }
};

/// Counts every prompt of the workload.
void expect_deviations(const WorkloadSpec& spec, FakeServer server, const TextFit& fit,
                       double most) {
  const PromptWriter prompts(spec, fit);
  for_each_request(spec, [&](const GridRequest& request) {
    const auto tokens = server(prompts.text(request), TextUse::as_prompt).value().size();
    EXPECT_LE(std::abs(static_cast<double>(tokens) / static_cast<double>(request.input_len) - 1),
              most)
        << request.input_len << " but " << tokens;
    return true;
  });
}

WorkloadSpec small_grid() {
  WorkloadSpec spec;
  spec.input_lens = {37, 100, 1001, 5000};
  spec.n_per_condition = 3;
  return spec;
}

TEST(Calibrate, IsExactWhereWordsAddUp) {
  const auto spec = small_grid();
  for (const std::size_t letters : {2, 3, 4, 5, 20}) {
    FakeServer server{.letters = letters};
    const auto calibration = calibrate(spec, std::ref(server)).value();
    EXPECT_EQ(calibration.deviation(), 0) << letters;
    EXPECT_EQ(calibration.checks.size(), 8u);
    expect_deviations(spec, server, calibration.fit, 0);
    EXPECT_LT(server.questions, 30);
  }
}

TEST(Calibrate, KnowsWhatTheServerAdds) {
  FakeServer server{.letters = 20, .added = 25};
  const auto calibration = calibrate(small_grid(), std::ref(server)).value();
  EXPECT_EQ(calibration.overhead, 26);  // and the first word
  EXPECT_EQ(calibration.tokens_per_word, 1);
}

TEST(Calibrate, IsTheNearestBelowWhereNothingIsExact) {
  const auto spec = small_grid();
  const Tokenizer doubled = [](std::string_view text, TextUse) {
    // Every word takes two tokens, the template one: even lengths cannot be had.
    std::vector<std::int64_t> tokens{1};
    for (const auto line : formats::split(text, '\n')) {
      const auto words = formats::split(formats::trim(line), ' ');
      if (words[0].empty()) continue;
      for (std::size_t i = 0; i < words.size(); ++i) {
        tokens.push_back(100 + words[i][0]);
        tokens.push_back(200 + words[i].back());
      }
      if (text.find('\n') != std::string_view::npos) tokens.push_back(2);
    }
    if (text.find('\n') != std::string_view::npos) tokens[0] = 2;
    return Result<std::vector<std::int64_t>>(tokens);
  };
  const auto calibration = calibrate(spec, doubled).value();
  for (const auto& check : calibration.checks) {
    EXPECT_EQ(check.counted, check.input_len % 2 == 1 ? check.input_len : check.input_len - 1);
  }
  EXPECT_NEAR(calibration.deviation(), 0.01, 1e-9);
}

TEST(Calibrate, CorrectsByTheCountWhereWordsDoNotAddUp) {
  WorkloadSpec spec;
  spec.input_lens = {1001, 5000};
  for (const bool newline : {true, false}) {
    FakeServer server{.newline_is_token = newline, .joins_words = true};
    const auto calibration = calibrate(spec, std::ref(server)).value();
    EXPECT_LT(calibration.deviation(), 0.005);
    for (const auto& check : calibration.checks) EXPECT_LE(check.counted, check.input_len);
    expect_deviations(spec, server, calibration.fit, 0.03);
  }
}

TEST(Calibrate, RefusesALengthWithoutRoomForAWord) {
  WorkloadSpec spec;
  spec.input_lens = {100, 12};
  FakeServer server{.letters = 4, .added = 12};
  const auto calibration = calibrate(spec, std::ref(server));
  ASSERT_TRUE(calibration.has_error());
  EXPECT_EQ(calibration.error().code, ExitCode::usage);
  EXPECT_NE(calibration.error().message.find("--input-lens: 12 tokens"), std::string::npos);
}

TEST(Calibrate, PassesOnWhatTheTokenizerSays) {
  for (int good = 0; good < 15; ++good) {
    FakeServer server;
    const Tokenizer failing = [&](std::string_view text, TextUse use)
        -> Result<std::vector<std::int64_t>> {
      if (server.questions == good) return Error{ExitCode::environment, "gone"};
      return server(text, use);
    };
    const auto calibration = calibrate(small_grid(), failing);
    ASSERT_TRUE(calibration.has_error()) << good;
    EXPECT_EQ(calibration.error().message, "gone");
  }
}

TEST(Calibrate, KeepsPrefixesApart) {
  const auto spec = small_grid();
  FakeServer server;
  const auto calibration = calibrate(spec, std::ref(server)).value();
  const PromptWriter prompts(spec, calibration.fit);
  const auto a = prompts.text(first_request(spec, 3, PrefixMode::high));
  GridRequest other = first_request(spec, 3, PrefixMode::high);
  other.sharer = 1;
  const auto b = prompts.text(other);
  const auto common = static_cast<std::size_t>(
      std::mismatch(a.begin(), a.end(), b.begin(), b.end()).first - a.begin());
  EXPECT_NEAR(static_cast<double>(common) / static_cast<double>(a.size()), 0.9, 0.01);
}

}  // namespace
}  // namespace memprof::workload
