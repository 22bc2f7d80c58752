#include "workload/generate.hpp"

#include "formats/text.hpp"
#include "workload/workload_reader.hpp"

#include <gtest/gtest.h>

#include <openssl/evp.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <string>
#include <vector>

namespace memprof::workload {
namespace {

std::string generate_all(const WorkloadSpec& spec) {
  std::string all;
  generate(spec, plain_fit(spec), [&](std::string_view lines, std::int64_t requests) {
    EXPECT_EQ(std::count(lines.begin(), lines.end(), '\n'), requests);
    EXPECT_TRUE(lines.ends_with('\n'));
    all += lines;
    return true;
  });
  return all;
}

std::string sha256(std::string_view text) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  EVP_Digest(text.data(), text.size(), digest, &size, EVP_sha256(), nullptr);
  std::string hex;
  for (unsigned int i = 0; i < size; ++i) {
    hex += "0123456789abcdef"[digest[i] >> 4];
    hex += "0123456789abcdef"[digest[i] & 15];
  }
  return hex;
}

/// A prompt as a sequence of what stands for tokens: words or ids.
struct Prompt {
  WorkloadRequest request;
  std::vector<std::string> tokens;
};

std::vector<Prompt> prompts_of(const WorkloadSpec& spec) {
  std::vector<Prompt> prompts;
  WorkloadReader reader("-", [&](WorkloadRequest&& request) {
    Prompt prompt{std::move(request), {}};
    if (prompt.request.prompt) {
      for (const auto word : formats::split(*prompt.request.prompt, ' ')) {
        prompt.tokens.emplace_back(word);
      }
    } else {
      for (const auto id : *prompt.request.prompt_token_ids) {
        prompt.tokens.push_back(std::to_string(id));
      }
    }
    prompts.push_back(std::move(prompt));
  });
  const auto fed = reader.feed(generate_all(spec));
  EXPECT_FALSE(fed.has_error()) << (fed.has_error() ? fed.error().message : "");
  EXPECT_FALSE(reader.finish().has_error());
  return prompts;
}

std::size_t in_common(const Prompt& a, const Prompt& b) {
  const auto [end, other] = std::mismatch(a.tokens.begin(), a.tokens.end(), b.tokens.begin(),
                                          b.tokens.end());
  return static_cast<std::size_t>(end - a.tokens.begin());
}

bool is_high(const Prompt& prompt) { return prompt.request.extra.prefix_mode == PrefixMode::high; }

/// Holds what each prefix mode promises for every pair of prompts.
void check_prefixes(const WorkloadSpec& spec, std::size_t most_in_common) {
  const auto prompts = prompts_of(spec);
  for (const auto& a : prompts) {
    for (const auto& b : prompts) {
      if (&a == &b) continue;
      const auto common = in_common(a, b);
      if (is_high(a) && is_high(b) && a.request.input_len == b.request.input_len) {
        const auto shared = static_cast<std::size_t>(
            std::llround(spec.high_prefix_share * static_cast<double>(a.tokens.size())));
        ASSERT_EQ(common, shared) << a.request.req_id << " " << b.request.req_id;
      } else {
        ASSERT_LE(common, most_in_common) << a.request.req_id << " " << b.request.req_id;
      }
    }
  }
}

TEST(Generate, SameBytesAsEver) {
  WorkloadSpec spec;
  EXPECT_EQ(sha256(generate_all(spec)),
            "f83f654682b5cffe6f9f456a75bba701daadc81c4caa4dd5c17019461b23dcdc");
  spec.prompt_format = PromptFormat::token_ids;
  EXPECT_EQ(sha256(generate_all(spec)),
            "f0960dc4391f0c9696147cdaf28f8d7659419e4df7a06adca0ad57b586ed774e");
}

TEST(Generate, SeedChangesEveryPromptAndNothingElse) {
  WorkloadSpec spec;
  spec.input_lens = {64};
  const auto first = prompts_of(spec);
  spec.seed = 1;
  const auto second = prompts_of(spec);
  ASSERT_EQ(first.size(), second.size());
  for (std::size_t i = 0; i < first.size(); ++i) {
    EXPECT_EQ(first[i].request.req_id, second[i].request.req_id);
    EXPECT_EQ(in_common(first[i], second[i]), 0u);
  }
}

TEST(Generate, LaysOutALine) {
  WorkloadSpec spec;
  spec.input_lens = {3};
  spec.output_lens = {7};
  spec.concurrencies = {2};
  spec.n_per_condition = 2;
  spec.prompt_format = PromptFormat::token_ids;
  spec.prefix_modes = {PrefixMode::high};
  const std::string all = generate_all(spec);
  const auto lines = formats::split(all, '\n');
  ASSERT_EQ(lines.size(), 3u);
  EXPECT_TRUE(lines[1].starts_with(
      R"({"req_id": "r_002c_3i_7o_high_01", "input_len": 3, "output_len": 7, )"
      R"("concurrency_group": 2, "extra": {"prefix_mode": "high", "rep": 1}, )"
      R"("prompt_token_ids": [)"))
      << lines[1];
  spec.prompt_format = PromptFormat::text;
  EXPECT_TRUE(generate_all(spec).starts_with(R"({"req_id": "r_002c_3i_7o_high_00", "prompt": ")"));
}

TEST(Generate, PromptsHaveTheirLength) {
  for (const auto format : {PromptFormat::text, PromptFormat::token_ids}) {
    WorkloadSpec spec;
    spec.prompt_format = format;
    spec.input_lens = {1, 2, 3, 5, 17, 1000};
    for (const auto& prompt : prompts_of(spec)) {
      ASSERT_EQ(static_cast<Tokens>(prompt.tokens.size()), prompt.request.input_len);
      for (const auto& token : prompt.tokens) ASSERT_FALSE(token.empty());
    }
  }
  WorkloadSpec spec;
  spec.chars_per_token = 4.1;
  spec.input_lens = {1, 1001};
  for (const auto& prompt : prompts_of(spec)) {
    EXPECT_EQ(prompt.tokens.size(), prompt.request.input_len == 1 ? 1u : 501u);
  }
}

TEST(Generate, TextIsEightAndAFifthCharactersAWord) {
  WorkloadSpec spec;
  const auto prompts = prompts_of(spec);
  for (const auto& prompt : prompts) {
    const auto characters = static_cast<double>(prompt.request.prompt->size() + 1);
    EXPECT_NEAR(characters / static_cast<double>(prompt.tokens.size()), 8.2, 0.1);
  }
}

TEST(Generate, PrefixesAreAsPromised) {
  for (const auto format : {PromptFormat::text, PromptFormat::token_ids}) {
    for (const double share : {0.0, 0.01, 0.5, 0.9}) {
      WorkloadSpec spec;
      spec.prompt_format = format;
      spec.input_lens = {100, 300};
      spec.n_per_condition = 8;
      spec.high_prefix_share = share;
      // With an empty prefix, sharers of the same number begin with the same three.
      check_prefixes(spec, share == 0 ? 3 : 2);
    }
  }
}

TEST(Generate, ALowPromptIsUnlikeAllOthersInAnyVocabulary) {
  WorkloadSpec spec;
  spec.prompt_format = PromptFormat::token_ids;
  spec.vocab_size = 64;  // 32 ids
  spec.input_lens = {40};
  spec.prefix_modes = {PrefixMode::low};
  spec.n_per_condition = 300;
  check_prefixes(spec, 6);
}

TEST(Generate, ThousandsOfSharersDifferSoonAfterThePrefix) {
  WorkloadSpec spec;
  spec.input_lens = {20};
  spec.output_lens = {1};
  spec.concurrencies = {1};
  spec.prefix_modes = {PrefixMode::high};
  spec.n_per_condition = 1024;
  std::set<std::string> after_prefix;
  for (const auto& prompt : prompts_of(spec)) after_prefix.insert(prompt.tokens[18]);
  EXPECT_EQ(after_prefix.size(), 1024u);
  spec.n_per_condition = 5000;
  std::set<std::string> tails;
  for (const auto& prompt : prompts_of(spec)) tails.insert(prompt.tokens[18] + prompt.tokens[19]);
  EXPECT_EQ(tails.size(), 5000u);
}

TEST(Generate, IdsStayAwayFromSpecialOnes) {
  WorkloadSpec spec;
  spec.prompt_format = PromptFormat::token_ids;
  spec.input_lens = {4000};
  spec.vocab_size = 1001;
  std::set<std::int64_t> seen;
  for (const auto& prompt : prompts_of(spec)) {
    seen.insert(prompt.request.prompt_token_ids->begin(), prompt.request.prompt_token_ids->end());
  }
  EXPECT_EQ(*seen.begin(), 250);
  EXPECT_EQ(*seen.rbegin(), 749);
  EXPECT_EQ(seen.size(), 500u);
}

TEST(Generate, StopsWhenTheSinkHasEnough) {
  int calls = 0;
  generate(WorkloadSpec{}, plain_fit(WorkloadSpec{}), [&](std::string_view, std::int64_t) {
    ++calls;
    return calls < 3;
  });
  EXPECT_EQ(calls, 3);
}

}  // namespace
}  // namespace memprof::workload
