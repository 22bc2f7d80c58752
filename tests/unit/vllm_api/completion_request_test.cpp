#include "vllm_api/completion_request.hpp"

#include "recorded.hpp"

#include <gtest/gtest.h>

#include <string>

namespace memprof::vllm_api {
namespace {

const ServedModel kModel{"tiny", 4096};
const Tokenizer kTokenizer(8192);

ApiResult<CompletionRequest> parse(std::string_view body, bool chat = false) {
  return parse_completion_request(body, chat, kModel, kTokenizer);
}
CompletionRequest good(std::string_view body, bool chat = false) {
  const auto request = parse(body, chat);
  if (request.has_error()) {
    ADD_FAILURE() << body << ": " << request.error().body;
    return {};
  }
  return *request;
}
std::string refusal(std::string_view body, bool chat = false) {
  const auto request = parse(body, chat);
  return request.has_error() ? request.error().body : "served";
}
void expect_recorded(const ApiResult<CompletionRequest>& got, const std::string& name) {
  const auto expected = recorded(name);
  ASSERT_TRUE(got.has_error()) << name;
  EXPECT_EQ(got.error().status, expected.status) << name;
  EXPECT_EQ(got.error().body, expected.body) << name;
}

/// 4095 would fit with one token; `count` words.
std::string words(int count) {
  std::string text;
  for (int i = 0; i < count; ++i) text += "abandoned ";
  return text;
}
std::string ids(int count) {
  std::string text = "[5";
  for (int i = 1; i < count; ++i) text += ",5";
  return text + "]";
}

class Refused : public testing::TestWithParam<const char*> {};

TEST_P(Refused, InTheWordsOfVllm) {
  const auto request = recorded_request(GetParam());
  expect_recorded(parse(request.body, request.chat), GetParam());
}

INSTANTIATE_TEST_SUITE_P(
    Recorded, Refused,
    testing::Values("err_unknown_model", "err_unknown_model_chat", "err_unknown_model_stream",
                    "err_context_sum_too_long_chat_stream", "err_bad_json", "err_wrong_type",
                    "err_wrong_type_temp", "err_not_object", "err_min_gt_max",
                    "err_min_gt_max_chat", "err_empty_prompt", "err_empty_prompt_list",
                    "err_missing_prompt", "err_empty_messages", "err_missing_messages",
                    "err_max_tokens_0", "err_max_tokens_neg", "err_temperature_neg",
                    "err_token_id_out_of_vocab", "err_token_id_negative",
                    "err_stream_options_without_stream", "err_empty_cache_salt", "err_n0",
                    "err_n2_greedy"),
    [](const auto& test) { return std::string(test.param); });

class Served : public testing::TestWithParam<const char*> {};

TEST_P(Served, AsVllmServesIt) {
  const auto request = recorded_request(GetParam());
  const auto parsed = good(request.body, request.chat);
  EXPECT_EQ(parsed.chat, request.chat);
  ASSERT_FALSE(parsed.prompts.empty());
  for (const auto& prompt : parsed.prompts) EXPECT_FALSE(prompt.ids.empty());
}

INSTANTIATE_TEST_SUITE_P(
    Recorded, Served,
    testing::Values("json_chat", "json_completions", "json_completions_two_prompts",
                    "json_completions_unknown_fields", "json_completions_no_model",
                    "json_completions_priority_ignored", "json_chat_message_without_content",
                    "json_chat_n2", "json_completions_n2", "json_chat_body_request_id",
                    "sse_chat_usage", "sse_completions_continuous_usage", "sse_chat_stop_string"),
    [](const auto& test) { return std::string(test.param); });

TEST(CompletionRequest, ThatIsTooLongIsRefusedInTheWordsOfVllm) {
  expect_recorded(parse(R"({"prompt":)" + ids(5000) + "}"), "err_context_too_long_ids");
  expect_recorded(parse(R"({"prompt":)" + ids(4096) + "}"), "err_context_exact_full");
  expect_recorded(parse(R"({"prompt":")" + words(4200) + R"("})"), "err_text_too_long");
  expect_recorded(
      parse(R"({"messages":[{"role":"user","content":")" + words(4200) + R"("}]})", true),
      "err_context_too_long_chat");
  const auto characters = refusal(R"({"prompt":")" + std::string(50000, 'x') + R"("})");
  EXPECT_NE(characters.find("contains 50000 characters (more than 45056 characters, which is the "
                            "upper bound for 4096 input tokens)"),
            std::string::npos)
      << characters;
}

TEST(CompletionRequest, WithBytesThatAreNotUtf8IsRefusedInTheWordsOfVllm) {
  expect_recorded(parse("{\"model\":\"tiny\",\"prompt\":\"\xFF\xFE\",\"max_tokens\":1}"),
                  "err_invalid_utf8");
}

TEST(CompletionRequest, MaxTokensIsCutAtTheContextsEnd) {
  const std::string prompt = R"({"prompt":)" + ids(4000);
  EXPECT_EQ(good(prompt + R"(,"max_tokens":200})").prompts[0].max_tokens, 96);
  EXPECT_EQ(good(R"({"prompt":)" + ids(4095) + "}").prompts[0].max_tokens, 1);
  expect_recorded(parse(prompt + R"(,"max_tokens":200,"min_tokens":200})"),
                  "json_completions_clamped_min_tokens");
}

TEST(CompletionRequest, MaxTokensHasADefault) {
  EXPECT_EQ(good(R"({"prompt":[1,2]})").prompts[0].max_tokens, 16);
  EXPECT_EQ(good(R"({"prompt":[1,2],"max_tokens":null})").prompts[0].max_tokens, 16);
  const std::string chat = R"({"messages":[{"role":"user","content":"abandoned"}])";
  EXPECT_EQ(good(chat + "}", true).prompts[0].max_tokens, 4096 - 11);
  EXPECT_EQ(good(chat + R"(,"max_tokens":9,"max_completion_tokens":7})", true)
                .prompts[0].max_tokens, 7);
}

TEST(CompletionRequest, PromptsAreTextsOrIdsOrListsOfThem) {
  const auto lengths = [](std::string_view prompt) {
    std::vector<std::size_t> out;
    const auto request = good(R"({"prompt":)" + std::string(prompt) + "}");
    for (const auto& one : request.prompts) out.push_back(one.ids.size());
    return out;
  };
  using Lengths = std::vector<std::size_t>;
  EXPECT_EQ(lengths(R"("abandoned abdomen")"), (Lengths{2}));
  EXPECT_EQ(lengths("[1,2,3]"), (Lengths{3}));
  EXPECT_EQ(lengths("[1.0,2e0]"), (Lengths{2}));
  EXPECT_EQ(lengths(R"(["abandoned","abandoned abdomen"])"), (Lengths{1, 2}));
  EXPECT_EQ(lengths("[[1,2],[3]]"), (Lengths{2, 1}));
  const auto both = good(R"({"prompt":[[1,2],[3]],"n":3,"temperature":0.5})");
  EXPECT_EQ(both.choices(), 6);
  EXPECT_EQ(both.prompts[0].ids, (std::vector<TokenId>{1, 2}));
}

TEST(CompletionRequest, PromptsOfNoKindAreRefused) {
  EXPECT_NE(refusal(R"({"prompt":7})").find("validation errors"), std::string::npos);
  EXPECT_NE(refusal(R"({"prompt":[1,"a"]})").find("validation errors"), std::string::npos);
  EXPECT_NE(refusal(R"({"prompt":[[1],2]})").find("validation errors"), std::string::npos);
  EXPECT_NE(refusal(R"({"prompt":[[]]})").find("The decoder prompt cannot be empty"),
            std::string::npos);
  EXPECT_NE(refusal(R"({"prompt":["a",""]})").find("The decoder prompt cannot be empty"),
            std::string::npos);
  EXPECT_NE(refusal(R"({"prompt":[1,99999999999]})").find("99999999999 is out of vocabulary"),
            std::string::npos);
  EXPECT_NE(refusal(R"({"prompt":[1,8192]})").find("8192 is out of vocabulary"),
            std::string::npos);
  EXPECT_EQ(good(R"({"prompt":[1,8191]})").prompts.size(), 1u);
}

TEST(CompletionRequest, ManyProblemsAreCountedAndTheFirstAreSaid) {
  const auto body = refusal(R"({"prompt":[-1,-1,-1,-1,-1,-1,-1,-1]})");
  EXPECT_NE(body.find("25 validation errors:"), std::string::npos) << body;
  EXPECT_NE(body.find(R"(\n  ...and 15 more errors")"), std::string::npos) << body;
}

TEST(CompletionRequest, ReadsItsFields) {
  const auto request = good(
      R"({"prompt":[1],"model":"tiny","max_tokens":"9","min_tokens":4,"ignore_eos":true,)"
      R"("stream":1,"stream_options":{"include_usage":true,"continuous_usage_stats":true},)"
      R"("n":2,"seed":-5,"temperature":0.25,"cache_salt":"s","request_id":"mine",)"
      R"("return_token_ids":true})");
  EXPECT_EQ(request.prompts[0].max_tokens, 9);
  EXPECT_EQ(request.min_tokens, 4);
  EXPECT_TRUE(request.ignore_eos);
  EXPECT_TRUE(request.stream);
  EXPECT_TRUE(request.include_usage);
  EXPECT_TRUE(request.continuous_usage);
  EXPECT_EQ(request.n, 2);
  EXPECT_EQ(request.seed, -5);
  EXPECT_EQ(request.temperature, 0.25);
  EXPECT_EQ(request.cache_salt, "s");
  EXPECT_EQ(request.request_id, "mine");
  EXPECT_TRUE(request.return_token_ids);
}

TEST(CompletionRequest, ContinuousUsageNeedsUsage) {
  const auto request = good(
      R"({"prompt":[1],"stream":true,"stream_options":{"continuous_usage_stats":true}})");
  EXPECT_FALSE(request.include_usage);
  EXPECT_FALSE(request.continuous_usage);
}

TEST(CompletionRequest, MessagesMayHaveTextParts) {
  const auto plain = good(R"({"messages":[{"role":"user","content":"a\nb"}]})", true);
  const auto parts = good(
      R"({"messages":[{"role":"user","content":[{"type":"text","text":"a"},{"text":"b"}]}]})",
      true);
  EXPECT_EQ(plain.prompts[0].ids, parts.prompts[0].ids);
  const auto image = refusal(
      R"({"messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"x"}}]}]})",
      true);
  EXPECT_NE(image.find("Content other than text is not simulated."), std::string::npos) << image;
}

TEST(CompletionRequest, WhatIsNotSimulatedIsRefusedByName) {
  for (const auto field : {R"("echo":true)", R"("logprobs":1)", R"("suffix":"x")",
                           R"("use_beam_search":true)", R"("truncate_prompt_tokens":5)",
                           R"("response_format":{"type":"json_object"})"}) {
    const auto body = refusal(R"({"prompt":[1],)" + std::string(field) + "}");
    EXPECT_NE(body.find("is not simulated."), std::string::npos) << body;
  }
  const std::string chat = R"({"messages":[{"role":"user"}],)";
  EXPECT_NE(refusal(chat + R"("tool_choice":"required","tools":[{}]})", true)
                .find("`tool_choice` is not simulated."),
            std::string::npos);
  EXPECT_NE(refusal(chat + R"("tools":[{}]})", true).find("--enable-auto-tool-choice"),
            std::string::npos);
  for (const auto field : {R"("logprobs":false)", R"("echo":false)", R"("top_p":0.5)",
                           R"("response_format":{"type":"text"})", R"("stop":["x"])",
                           R"("tool_choice":"none","tools":[{}])"}) {
    EXPECT_EQ(good(chat + field + "}", true).prompts.size(), 1u) << field;
  }
}

TEST(CompletionRequest, ValuesOutOfRangeAreRefused) {
  const auto with = [](std::string_view field) {
    return refusal(R"({"prompt":[1],)" + std::string(field) + "}");
  };
  EXPECT_NE(with(R"("temperature":2.5)").find("temperature must be in [0, 2], got 2.5."),
            std::string::npos);
  EXPECT_NE(with(R"("top_p":0)").find("top_p must be in (0, 1], got 0.0."), std::string::npos);
  EXPECT_NE(with(R"("n":20000)").find("n must be at most 16384, got 20000."), std::string::npos);
  EXPECT_NE(with(R"("min_tokens":-1)").find("min_tokens must be greater than or equal to 0"),
            std::string::npos);
  EXPECT_NE(with(R"("cache_salt":"a/b")").find("must be at most 128 characters"),
            std::string::npos);
  EXPECT_NE(with(R"("stream":true,"stream_options":{"include_usage":"x"})")
                .find("'bool_parsing', 'loc': 'body.stream_options.include_usage'"),
            std::string::npos);
  EXPECT_NE(with(R"("n":null)").find("int_type"), std::string::npos);
  EXPECT_NE(with(R"("max_tokens":1.5)").find("int_from_float"), std::string::npos);
  EXPECT_NE(with(R"("max_tokens":99999999999999999999)").find("cannot be greater than max_model"),
            std::string::npos);
}

TEST(CompletionRequest, GarbageIsRefused) {
  const std::string deep(100000, '[');
  for (const std::string& body :
       {std::string(), std::string("{"), std::string("{}x"), std::string("nul"),
        std::string("null"), std::string("7"), std::string("\"x"), std::string(1, '\0'),
        std::string("\xFF"), deep,
        R"({"prompt":)" + deep, std::string(R"({"prompt":"a","stream_options":7,"stream":true})"),
        std::string(R"({"prompt":"a","temperature":1e999})"),
        std::string(R"({"prompt":"a","temperature":{}})"),
        std::string(R"({"prompt":"\ud800"})"), std::string(R"({"prompt":{"a":1},"n":[]})")}) {
    for (const bool chat : {false, true}) {
      const auto request = parse(body, chat);
      ASSERT_TRUE(request.has_error()) << body.substr(0, 50);
      EXPECT_EQ(request.error().status, 400) << body.substr(0, 50);
      boost::system::error_code error;
      EXPECT_TRUE(boost::json::parse(request.error().body, error).is_object());
    }
  }
}

TEST(CompletionRequest, DepthIsBounded) {
  const auto with_depth = [](std::size_t depth) {
    return R"({"prompt":[1],"unknown":)" + std::string(depth, '[') + std::string(depth, ']') + "}";
  };
  EXPECT_EQ(good(with_depth(50)).prompts.size(), 1u);
  EXPECT_EQ(refusal(with_depth(1000)), R"({"detail":"There was an error parsing the body"})");
}

TEST(CompletionRequest, WhereTheJsonBreaksIsSaid) {
  EXPECT_NE(refusal(R"({"prompt":"a"} x)").find("'loc': 'body.15'"), std::string::npos);
  EXPECT_NE(refusal(R"({"prompt":"a"} x)").find("Extra data"), std::string::npos);
  EXPECT_NE(refusal("").find("'loc': 'body', 'msg': 'Field required', 'input': 'None'"),
            std::string::npos);
}

TEST(Tokenize, CountsAPromptOrAChat) {
  EXPECT_EQ(*answer_tokenize(R"({"prompt":"abandoned abdomen"})", kModel, kTokenizer),
            R"({"count":2,"max_model_len":4096,"tokens":[256,257],"token_strs":null})");
  const auto chat = *answer_tokenize(
      R"({"messages":[{"role":"user","content":"abandoned"}]})", kModel, kTokenizer);
  EXPECT_TRUE(chat.starts_with(R"({"count":11,)")) << chat;
  EXPECT_EQ(answer_tokenize(R"({"model":"x","prompt":"a"})", kModel, kTokenizer).error().status,
            404);
  EXPECT_EQ(answer_tokenize("{}", kModel, kTokenizer).error().status, 400);
}

}  // namespace
}  // namespace memprof::vllm_api
