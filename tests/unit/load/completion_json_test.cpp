#include "load/completion_json.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace memprof::load {
namespace {

std::optional<CompletionFacts> read(std::string_view text, std::size_t cut = std::string::npos) {
  CompletionJson json;
  const auto front = text.substr(0, cut);
  if (!json.feed(front) || !json.feed(text.substr(front.size())) || !json.finish()) return {};
  return json.facts();
}

std::string usage(const std::string& members) {
  const std::string text = R"({"usage":{)" + members + "}}";
  const auto facts = read(text);
  if (!facts || !facts->usage) return "none";
  const auto show = [](const auto& value) { return value ? std::to_string(*value) : "-"; };
  const auto shown = [&](const Usage& value) {
    return show(value.prompt_tokens) + "," + show(value.completion_tokens) + "," +
           show(value.cached_tokens);
  };
  for (std::size_t cut = 1; cut < text.size(); ++cut) {
    const auto split = read(text, cut);
    if (!split || !split->usage || shown(*split->usage) != shown(*facts->usage)) {
      return "split differs";
    }
  }
  return shown(*facts->usage);
}

TEST(CompletionJson, UsageThatIsNotAWholeNumberStaysEmpty) {
  EXPECT_EQ(usage(R"("prompt_tokens":1,"completion_tokens":2,"prompt_tokens_details":)"
                  R"({"cached_tokens":3})"),
            "1,2,3");
  EXPECT_EQ(usage(R"("prompt_tokens":0,"completion_tokens":0)"), "0,0,-");
  EXPECT_EQ(usage(""), "-,-,-");
  for (const char* odd : {"-1", "1.5", "2.0", "1e3", "\"7\"", "null", "true", "[1]", "{\"a\":1}",
                          "18446744073709551615", "99999999999999999999999"}) {
    const auto members = R"("prompt_tokens":)" + std::string(odd) + R"(,"completion_tokens":2)";
    EXPECT_EQ(usage(members), "-,2,-")
        << odd;
  }
  EXPECT_EQ(usage(R"("prompt_tokens_details":null)"), "-,-,-");
  EXPECT_EQ(usage(R"("prompt_tokens_details":5)"), "-,-,-");
  EXPECT_EQ(usage(R"("completion_tokens_details":{"cached_tokens":3,"prompt_tokens":4})"), "-,-,-");
  EXPECT_EQ(usage(R"("prompt_tokens":9223372036854775807)"), "9223372036854775807,-,-");
}

TEST(CompletionJson, UsageOnlyAtTheTop) {
  EXPECT_FALSE(read(R"({"usage":null})")->usage);
  EXPECT_FALSE(read(R"({"choices":[{"usage":{"prompt_tokens":1}}]})")->usage);
  EXPECT_FALSE(read(R"({"x":{"usage":{"prompt_tokens":1}}})")->usage);
  EXPECT_FALSE(read(R"({"usage":5})")->usage->prompt_tokens);
}

TEST(CompletionJson, ChoicesTextAndFinishReasonOnlyWhereTheyBelong) {
  const auto facts = read(R"({"choices":[{"text":"a","finish_reason":"stop"}]})");
  EXPECT_TRUE(facts->has_choices && facts->has_text && facts->has_finish_reason);
  const auto nulls = read(R"({"choices":[{"text":null,"finish_reason":null}]})");
  EXPECT_TRUE(nulls->has_choices);
  EXPECT_FALSE(nulls->has_text || nulls->has_finish_reason);
  const auto deep = read(R"({"choices":[{"x":{"text":"a","finish_reason":"stop"},"delta":)"
                         R"({"tool_calls":[{"content":"a"}],"finish_reason":"stop"}}]})");
  EXPECT_FALSE(deep->has_text || deep->has_finish_reason);
  EXPECT_FALSE(read(R"({"text":"a","finish_reason":"stop"})")->has_text);
  EXPECT_FALSE(read(R"({"choices":[]})")->has_choices);
  EXPECT_FALSE(read(R"({"choices":[null]})")->has_choices);
  EXPECT_FALSE(read(R"({"choices":{"0":{}}})")->has_choices);
}

TEST(CompletionJson, AnErrorIsAnyTopLevelErrorThatIsNotNull) {
  for (const char* text : {R"({"error":{}})", R"({"error":""})", R"({"error":[]})",
                           R"({"error":1})",
                           R"({"error":false})", R"({"a":1,"error":"x"})"}) {
    EXPECT_TRUE(read(text)->has_error) << text;
  }
  EXPECT_FALSE(read(R"({"error":null})")->has_error);
  EXPECT_FALSE(read(R"({"a":{"error":1},"b":[{"error":1}]})")->has_error);
}

TEST(CompletionJson, KeysMayBeEscapedOrSplit) {
  EXPECT_TRUE(read(R"({"err\u006fr":1})")->has_error);
  const std::string text = R"({"choices":[{"delta":{"content":"\ud83d\ude00"}}]})";
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    EXPECT_TRUE(read(text, cut)->has_text) << cut;
  }
}

TEST(CompletionJson, ACutKeyIsForgotten) {
  CompletionJson json;
  for (const std::string cut : {R"({"id)", R"({"id\u00)", R"({"a":{"b)"}) {
    json.reset();
    json.feed(cut);
    EXPECT_FALSE(json.finish());
    json.reset();
    EXPECT_TRUE(json.feed(R"({"choices":[{"text":"a"}]})") && json.finish());
    EXPECT_TRUE(json.facts().has_choices && json.facts().has_text) << cut;
  }
}

TEST(CompletionJson, RefusesWhatIsNotOneObject) {
  const std::vector<std::string> bad{
      "", " ", "[]", "null", "1", "{", "{}x", "{}{}", "{\"a\":}", "{'a':1}", "{\"a\":NaN}",
      "\xEF\xBB\xBF{}", "{\"a\":\"\xff\"}", "{\"a\":\"\n\"}"};
  for (const auto& text : bad) {
    for (std::size_t cut = 0; cut <= text.size(); ++cut) EXPECT_FALSE(read(text, cut)) << text;
  }
  EXPECT_TRUE(read(" \r\n{ } \t\n"));
}

TEST(CompletionJson, DeepNestingIsRefusedNotFollowed) {
  const std::string deep = R"({"a":)" + std::string(100'000, '[');
  EXPECT_FALSE(read(deep + std::string(100'000, ']') + "}"));
  EXPECT_TRUE(read(R"({"a":)" + std::string(20, '[') + std::string(20, ']') + "}"));
}

}  // namespace
}  // namespace memprof::load
