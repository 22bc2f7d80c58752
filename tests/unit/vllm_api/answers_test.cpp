#include "vllm_api/answers.hpp"

#include "recorded.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <span>
#include <string>
#include <vector>

namespace memprof::vllm_api {
namespace {

namespace json = boost::json;

constexpr std::string_view kEventHead = "data: ";

AnswerIdentity identity_of(const json::object& answer, std::string_view fingerprint, bool details) {
  return {std::string(answer.at("id").as_string()), answer.at("created").as_int64(),
          std::string(answer.at("model").as_string()), std::string(fingerprint), details};
}

/// The recorded request, with prompts as long as its tokenizer made them.
CompletionRequest request_of(const std::string& name, std::int64_t prompt_tokens) {
  const auto sent = recorded_request(name);
  const Tokenizer tokenizer(8192);
  auto request = *parse_completion_request(sent.body, sent.chat, {"tiny", 4096}, tokenizer);
  if (request.prompts.size() == 1) {
    request.prompts[0].ids.resize(static_cast<std::size_t>(prompt_tokens), 7);
  }
  return request;
}

std::vector<TokenId> ids_of(const json::value* value) {
  std::vector<TokenId> ids;
  if (value != nullptr && value->is_array()) ids = json::value_to<std::vector<TokenId>>(*value);
  return ids;
}

CachedTokens cached_of(const json::value* details) {
  CachedTokens cached;
  if (details == nullptr || !details->is_object()) return cached;
  const auto count = [&](std::string_view key) {
    const auto* value = details->get_object().if_contains(key);
    return value != nullptr && value->is_int64() ? value->get_int64() : 0;
  };
  return {count("cached_tokens"), count("created_cache_tokens")};
}

class Bodies : public testing::TestWithParam<const char*> {};

TEST_P(Bodies, AreAsVllmWritesThem) {
  const auto expected = recorded(GetParam());
  const auto body = json::parse(expected.body).as_object();
  const auto& usage = body.at("usage").as_object();
  auto request = request_of(GetParam(), usage.at("prompt_tokens").as_int64());
  const auto* prompt_ids = body.if_contains("prompt_token_ids");
  if (prompt_ids != nullptr && prompt_ids->is_array()) request.prompts[0].ids = ids_of(prompt_ids);
  std::vector<Choice> choices;
  const auto per_choice = usage.at("completion_tokens").as_int64() / request.choices();
  for (const auto& recorded_choice : body.at("choices").as_array()) {
    auto& choice = choices.emplace_back();
    choice.tokens = ids_of(recorded_choice.as_object().if_contains("token_ids"));
    if (choice.tokens.empty()) choice.tokens.assign(static_cast<std::size_t>(per_choice), 300);
  }
  const auto& details = usage.at("prompt_tokens_details");
  const auto identity = identity_of(body, body.at("system_fingerprint").as_string(),
                                    details.is_object());
  EXPECT_EQ(without_texts(answer_body(request, identity, choices, cached_of(&details))),
            without_texts(expected.body));
}

INSTANTIATE_TEST_SUITE_P(
    Recorded, Bodies,
    testing::Values("json_chat", "json_chat_n2", "json_chat_return_token_ids",
                    "json_chat_message_without_content", "json_completions",
                    "json_completions_cached_warm", "json_completions_n2",
                    "json_completions_two_prompts", "json_completions_max_tokens_1",
                    "noprefix_json_completions_1"),
    [](const auto& test) { return std::string(test.param); });

std::vector<json::object> events_of(std::string_view stream) {
  std::vector<json::object> events;
  while (!stream.empty()) {
    const auto end = stream.find("\n\n");
    const auto data = stream.substr(kEventHead.size(), end - kEventHead.size());
    if (data != "[DONE]") events.push_back(json::parse(data).as_object());
    stream.remove_prefix(end + 2);
  }
  return events;
}

/// Writes a recorded stream's tokens again.
class Replay {
 public:
  Replay(StreamWriter& writer, std::string& out) : writer_(writer), out_(out) {}

  void take(const json::object& event) {
    for (const auto& value : event.at("choices").as_array()) {
      const auto& choice = value.as_object();
      const auto* delta = choice.if_contains("delta");
      if (delta != nullptr && delta->as_object().contains("role")) continue;
      auto tokens = ids_of(choice.if_contains("token_ids"));
      if (tokens.empty()) tokens = {300};
      std::optional<FinishReason> finish;
      const auto& reason = choice.at("finish_reason");
      if (reason == "length") finish = FinishReason::length;
      if (reason == "stop") finish = FinishReason::stop;
      writer_.append_tokens(out_, choice.at("index").as_int64(), tokens, finish);
    }
  }

 private:
  StreamWriter& writer_;
  std::string& out_;
};

class Streams : public testing::TestWithParam<const char*> {};

TEST_P(Streams, AreAsVllmWritesThem) {
  const auto expected = recorded(GetParam());
  const auto events = events_of(expected.body);
  const auto* usage = events.back().if_contains("usage");
  const json::value* details = nullptr;
  std::int64_t prompt_tokens = 1;
  if (usage != nullptr) {
    details = usage->as_object().if_contains("prompt_tokens_details");
    prompt_tokens = usage->at("prompt_tokens").as_int64();
  }
  auto request = request_of(GetParam(), prompt_tokens);
  const auto* prompt_ids = events[0].if_contains("prompt_token_ids");
  if (prompt_ids != nullptr && prompt_ids->is_array()) request.prompts[0].ids = ids_of(prompt_ids);
  StreamWriter writer(request, identity_of(events[0],
                                           events.back().at("system_fingerprint").as_string(),
                                           details != nullptr));
  std::string out;
  writer.begin(out);
  Replay replay(writer, out);
  for (const auto& event : events) replay.take(event);
  writer.end(out, cached_of(details));
  // An empty text is one that waits for the rest of a character: a simulator has none.
  const auto with_texts = [](std::string text) {
    return std::regex_replace(without_texts(text), std::regex(R"("text":"")"), R"("text":"…")");
  };
  EXPECT_EQ(with_texts(out), with_texts(expected.body));
}

INSTANTIATE_TEST_SUITE_P(
    Recorded, Streams,
    testing::Values("sse_chat_usage", "sse_chat_nousage", "sse_chat_n2", "sse_chat_cached_cold",
                    "sse_chat_cached_warm", "sse_chat_continuous_usage",
                    "sse_chat_return_token_ids", "noprefix_sse_chat_usage",
                    "sse_completions_usage", "sse_completions_nousage", "sse_completions_n2",
                    "sse_completions_two_prompts", "sse_completions_cached_warm",
                    "sse_completions_continuous_usage", "sse_completions_return_token_ids",
                    "sse_completions_max_tokens_1", "sse_completions_token_ids_prompt"),
    [](const auto& test) { return std::string(test.param); });

CompletionRequest plain_request(bool chat) {
  CompletionRequest request;
  request.chat = chat;
  request.prompts.push_back({{1, 2, 3}, 16});
  request.stream = true;
  return request;
}

TEST(StreamWriter, SaysThatTheServerDiedAsVllmDoes) {
  const auto stream = recorded("sigterm_midstream_2").body;
  std::string out;
  StreamWriter::fail(out);
  ASSERT_LT(out.size(), stream.size());
  EXPECT_TRUE(stream.ends_with(out)) << out;
}

TEST(StreamWriter, TheTokenThatStopsHasNoText) {
  StreamWriter writer(plain_request(true), {"chatcmpl-1", 5, "m", "f", false});
  std::string out;
  const TokenId end = kEndOfTurnToken;
  writer.append_tokens(out, 0, {&end, 1}, FinishReason::stop);
  EXPECT_NE(out.find(R"("delta":{"content":""},"logprobs":null,"finish_reason":"stop")"),
            std::string::npos)
      << out;
}

TEST(StreamWriter, SeveralTokensMayCome) {
  auto request = plain_request(false);
  request.include_usage = true;
  StreamWriter writer(request, {"cmpl-1", 5, "m", "f", false});
  std::string out;
  const std::vector<TokenId> tokens{256, 257};
  writer.append_tokens(out, 0, tokens, {});
  writer.append_tokens(out, 0, tokens, FinishReason::length);
  EXPECT_NE(out.find(R"("text":" abandoned abdomen")"), std::string::npos) << out;
  writer.end(out, {});
  EXPECT_NE(out.find(R"("usage":{"prompt_tokens":3,"total_tokens":7,"completion_tokens":4})"),
            std::string::npos)
      << out;
}

TEST(StreamWriter, ForeignTextsAreEscaped) {
  StreamWriter writer(plain_request(false), {"cmpl-\"\n", 5, "we\"ird\\", "f", false});
  std::string out;
  const TokenId token = 256;
  writer.append_tokens(out, 0, {&token, 1}, {});
  const auto events = events_of(out);
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].at("id"), "cmpl-\"\n");
  EXPECT_EQ(events[0].at("model"), "we\"ird\\");
}

TEST(AnswerId, HasAPrefix) {
  EXPECT_EQ(answer_id(false, "x"), "cmpl-x");
  EXPECT_EQ(answer_id(true, "x"), "chatcmpl-x");
  EXPECT_EQ(utf8_of_header("a\xE9"), "a\xC3\xA9");
}

}  // namespace
}  // namespace memprof::vllm_api
