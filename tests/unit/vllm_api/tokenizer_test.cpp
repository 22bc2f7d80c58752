#include "vllm_api/tokenizer.hpp"

#include "vllm_api/chat_template.hpp"
#include "workload/words.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

namespace memprof::vllm_api {
namespace {

std::string text_of(const std::vector<TokenId>& ids) {
  std::string text;
  for (const auto id : ids) Tokenizer::append_text(text, id);
  return text;
}

TEST(Tokenizer, EveryWordIsOneTokenOfItsOwn) {
  const Tokenizer tokenizer;
  std::set<TokenId> seen;
  for (const auto word : workload::kWords) {
    const auto ids = tokenizer.ids(std::string(" ") + std::string(word));
    ASSERT_EQ(ids.size(), 1u) << word;
    EXPECT_EQ(tokenizer.ids(word), ids) << word;
    EXPECT_EQ(text_of(ids), " " + std::string(word));
    EXPECT_GE(ids[0], kFirstWordToken);
    seen.insert(ids[0]);
  }
  EXPECT_EQ(seen.size(), workload::kWordCount);
}

TEST(Tokenizer, WordsComeBackAsTheSameIds) {
  const Tokenizer tokenizer;
  std::vector<TokenId> ids;
  for (std::uint64_t i = 0; i < 5000; ++i) ids.push_back(Tokenizer::word_token(i * 7919));
  EXPECT_EQ(tokenizer.ids(text_of(ids)), ids);
  EXPECT_EQ(tokenizer.ids(text_of(ids).substr(1)), ids);  // as clients send it: no blank first
}

TEST(Tokenizer, APromptAndItsAnswerSentAgainBeginWithThePrompt) {
  const Tokenizer tokenizer;
  const std::string prompt = "abandoned abdomen";
  auto ids = tokenizer.ids(prompt);
  ASSERT_EQ(ids.size(), 2u);
  const std::vector<TokenId> answer{Tokenizer::word_token(11), Tokenizer::word_token(12)};
  ids.insert(ids.end(), answer.begin(), answer.end());
  EXPECT_EQ(tokenizer.ids(prompt + text_of(answer)), ids);
}

TEST(Tokenizer, OtherTextIsCutIntoPiecesOfAtMostFourBytes) {
  const Tokenizer tokenizer;
  EXPECT_EQ(tokenizer.ids("").size(), 0u);
  EXPECT_EQ(tokenizer.ids("Hello").size(), 2u);
  EXPECT_EQ(tokenizer.ids("Hello, world!").size(), 4u);  // "Hell" "o," " wor" "ld!"
  EXPECT_EQ(tokenizer.ids("  abandoned").size(), 2u);
  EXPECT_EQ(tokenizer.ids(" abandonedly").size(), 3u);   // not the word
  EXPECT_EQ(tokenizer.ids(" abandoned, abdomen").size(), 3u);
  EXPECT_EQ(tokenizer.ids(std::string(1000, 'x')).size(), 250u);
  EXPECT_NE(tokenizer.ids("abc1"), tokenizer.ids("abc2"));
}

TEST(Tokenizer, IdsStayInTheVocabulary) {
  for (const std::int64_t size : {kLeastVocabSize, std::int64_t{8192}, kDefaultVocabSize}) {
    const Tokenizer tokenizer(size);
    std::string text;
    std::uint32_t bits = 1;
    for (int i = 0; i < 20000; ++i) {
      bits = bits * 1664525u + 1013904223u;
      text += static_cast<char>(bits >> 24);
    }
    std::set<TokenId> seen;
    for (const auto id : tokenizer.ids(text)) {
      ASSERT_GE(id, kFirstWordToken);
      ASSERT_LT(id, size);
      seen.insert(id);
    }
    EXPECT_GT(seen.size(), 1500u);  // hashes are spread
  }
}

TEST(Tokenizer, AnyIdHasAText) {
  EXPECT_EQ(text_of({0, kEndOfTurnToken, 255}), "");
  EXPECT_EQ(text_of({kFirstWordToken}), " abandoned");
  EXPECT_EQ(text_of({128255}), "<128255>");
}

TEST(ChatTemplate, CostsTenTokensForOneMessageAndFiveMoreForEach) {
  const Tokenizer tokenizer;
  const auto chat = [&](const std::vector<std::string>& contents) {
    std::vector<TokenId> ids;
    begin_chat(ids);
    for (const auto& content : contents) append_message(tokenizer, "user", content, ids);
    begin_answer(ids);
    return ids;
  };
  EXPECT_EQ(chat({""}).size(), 10u);
  EXPECT_EQ(chat({"abandoned"}).size(), 11u);
  EXPECT_EQ(chat({"abandoned", "abdomen abolition"}).size(), 18u);
}

TEST(ChatTemplate, AnAnswerSentAgainBeginsAsItBegan) {
  const Tokenizer tokenizer;
  std::vector<TokenId> first;
  begin_chat(first);
  append_message(tokenizer, "system", "abolition", first);
  append_message(tokenizer, "user", "abandoned", first);
  auto next = first;
  begin_answer(first);
  const std::vector<TokenId> answer{Tokenizer::word_token(5), Tokenizer::word_token(6)};
  first.insert(first.end(), answer.begin(), answer.end());

  append_message(tokenizer, "assistant", text_of(answer), next);
  append_message(tokenizer, "user", "abdomen", next);
  begin_answer(next);
  ASSERT_GT(next.size(), first.size());
  EXPECT_TRUE(std::equal(first.begin(), first.end(), next.begin()));
}

}  // namespace
}  // namespace memprof::vllm_api
