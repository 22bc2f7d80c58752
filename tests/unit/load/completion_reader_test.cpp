#include "read_answer.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace memprof::load {
namespace {

std::string chunk(const std::string& data) {
  return fmt::format("{:x}\r\n{}\r\n", data.size(), data);
}

/// A stream whose events carry these data, each in a chunk.
std::string stream(const std::vector<std::string>& events, bool framed_end = true) {
  std::string out = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\n"
                    "Transfer-Encoding: chunked\r\n\r\n";
  for (const auto& event : events) out += chunk("data: " + event + "\n\n");
  return framed_end ? out + "0\r\n\r\n" : out;
}

std::string plain(const std::string& body, const std::string& status = "200 OK",
                  const std::string& type = "application/json") {
  return fmt::format("HTTP/1.1 {}\r\nContent-Type: {}\r\nContent-Length: {}\r\n\r\n{}", status,
                     type, body.size(), body);
}

std::string token(const std::string& text, const std::string& finish = "null") {
  return R"({"choices":[{"index":0,"delta":{"content":")" + text + R"("},"finish_reason":)" +
         finish + "}]}";
}

const std::string kUsage =
    R"({"choices":[],"usage":{"prompt_tokens":5,"completion_tokens":3,)"
    R"("prompt_tokens_details":null}})";

/// The same for the whole, each cut, and each byte alone.
std::string read_all_splits(const std::string& bytes) {
  CompletionReader reader;
  const auto row = show(read_answer(reader, bytes));
  for (std::size_t cut = 1; cut < bytes.size(); ++cut) {
    const auto split = show(read_answer(reader, bytes, {cut}));
    if (split != row) return fmt::format("cut at {}: {} instead of {}", cut, split, row);
  }
  const auto bytewise = show(read_answer(reader, bytes, every(1, bytes.size())));
  return bytewise == row ? row : "byte by byte: " + bytewise;
}

TEST(CompletionReader, AWholeStreamIsOk) {
  EXPECT_EQ(read_all_splits(stream({token("a"), token("b", "\"stop\""), kUsage, "[DONE]"})),
            "ok|200|5|3||yes|");
}

TEST(CompletionReader, TextThatLooksLikeTheProtocolFoolsNobody) {
  for (const std::string text :
       {R"(\"error\": \"x\")", R"(\"error\":{\"message\":\"x\"})", R"(\"finish_reason\":\"stop\")",
        R"(\"finish_reason\": 1)", R"(\"error)", R"(error\":1)", R"(\"finish_reason)",
        R"(data: [DONE]\n\n)", R"([DONE])", R"(\\\"error\\\":1)", R"(\n\ndata: {}\n\n)"}) {
    EXPECT_EQ(read_all_splits(stream({token("a"), token(text), token("b"), "[DONE]"})),
              "error:stream_error|200||||yes|the stream ended without finish_reason")
        << text;
    EXPECT_EQ(read_all_splits(
                  stream({token(text), token(text), token(text, "\"length\""), kUsage, "[DONE]"})),
              "ok|200|5|3||yes|")
        << text;
  }
}

TEST(CompletionReader, UsageInATokensTextIsNoUsage) {
  EXPECT_EQ(read_all_splits(stream({token("a"), token(R"(\"usage\":{\"prompt_tokens\":9})"),
                                    token("b", "\"stop\""), "[DONE]"})),
            "ok|200||||yes|");
}

TEST(CompletionReader, TokensAsKeysOfLogprobsFoolNobody) {
  // /completions gives {"token": logprob} objects: any text of the vocabulary can be a key.
  const std::string keys =
      R"({"choices":[{"index":0,"text":"x","logprobs":{"top_logprobs":[{"finish_reason":-1.5,)"
      R"("error":-2.5,"usage":-3.5}]},"finish_reason":null}]})";
  EXPECT_EQ(read_all_splits(stream({keys, keys, keys, "[DONE]"})),
            "error:stream_error|200||||yes|the stream ended without finish_reason");
  EXPECT_EQ(read_all_splits(stream({keys, keys, token("b", "\"stop\""), kUsage, keys, "[DONE]"})),
            "ok|200|5|3||yes|");
}

TEST(CompletionReader, BlanksAfterColonsAndNullsAreRead) {
  const std::string spaced =
      R"({"choices": [{"index": 0, "delta": {"content": "b"}, "finish_reason" : "length"}]})";
  const std::string nulls = R"({"error": null, "choices": [{"delta": {"content": "c"}, )"
                            R"("finish_reason": null}], "usage": null})";
  const std::string usage = R"({"choices": [], "usage": {"prompt_tokens": 7, )"
                            R"("completion_tokens": 2, "prompt_tokens_details": )"
                            R"({"cached_tokens": 4}}})";
  EXPECT_EQ(read_all_splits(stream({nulls, nulls, spaced, nulls, usage, nulls, "[DONE]"})),
            "ok|200|7|2|4|yes|");
  EXPECT_EQ(read_all_splits(stream({nulls, nulls, "[DONE]"})),
            "error:stream_error|200||||yes|the stream ended without finish_reason");
}

TEST(CompletionReader, AnErrorEventIsTheReasonWhateverFollows) {
  const std::string words = "error:stream_error|200||||yes|out of blocks";
  for (const char* error : {R"({"error": {"message": "out of blocks", "code": 500}})",
                            R"({"error":"out of blocks"})",
                            R"({"choices":[],"error":{"message":"out of blocks"}})"}) {
    EXPECT_EQ(read_all_splits(stream({token("a"), error, "[DONE]"})), words) << error;
    EXPECT_EQ(read_all_splits(stream({token("a"), error, token("b", "\"stop\""), "[DONE]"})),
              words);
    EXPECT_EQ(read_all_splits(stream({token("a"), error}, false)), words) << "then cut";
  }
  EXPECT_EQ(read_all_splits(stream({R"({"error":{"message":"first"}})",
                                    R"({"error":{"message":"second"}})"})),
            "error:stream_error|200||||no|first");
}

TEST(CompletionReader, AnEventThatIsNotJsonIsAnError) {
  const std::string words = "|200||||yes|an event of the stream is not JSON";
  for (const char* bad : {"nonsense", "{\"choices\":[", "[1,2]", "\"text\"", "{}{}", "{\"a\":1"}) {
    EXPECT_EQ(read_all_splits(stream({bad, token("a"), token("b", "\"stop\""), "[DONE]"})),
              "error:stream_error" + words)
        << bad;
    if (std::string_view(bad) == "{}{}") continue;  // looked at, not parsed, after the first token
    EXPECT_EQ(read_all_splits(stream({token("a"), bad, token("b", "\"stop\""), "[DONE]"})),
              "error:stream_error" + words)
        << bad << " after the first token";
  }
}

TEST(CompletionReader, ReasoningAndPlainTextAreTokensRolesAndEmptyTextsAreNot) {
  const auto first = [](const std::string& choice) {
    return show(read_answer(stream({R"({"choices":[)" + choice + "]}", token("z", "\"stop\"")})))
               .find("|yes|") != std::string::npos &&
           read_answer(stream({R"({"choices":[)" + choice + "]}"})).first_token_ts.has_value();
  };
  EXPECT_TRUE(first(R"({"delta":{"content":"a"}})"));
  EXPECT_TRUE(first(R"({"delta":{"reasoning":"a"}})"));
  EXPECT_TRUE(first(R"({"delta":{"reasoning_content":"a"}})"));
  EXPECT_TRUE(first(R"({"text":"a"})"));
  EXPECT_TRUE(first(R"({"index":0},{"index":1,"text":"a"})"));
  EXPECT_TRUE(first(R"({"text":" "})")) << "a blank is a token";
  EXPECT_FALSE(first(R"({"delta":{"role":"assistant","content":""}})"));
  EXPECT_FALSE(first(R"({"delta":{"role":"assistant","content":null}})"));
  EXPECT_FALSE(first(R"({"text":""})"));
  EXPECT_FALSE(first(R"({"stop_reason":"a","logprobs":{"content":"a","text":["a"]}})"));
}

TEST(CompletionReader, AStreamWithoutDoneButWithFinishReasonIsOk) {
  EXPECT_EQ(read_all_splits(stream({token("a"), token("b", "\"stop\""), kUsage})),
            "ok|200|5|3||yes|");
  EXPECT_EQ(read_all_splits(stream({})),
            "error:stream_error|200||||no|the stream ended without finish_reason");
  EXPECT_EQ(read_all_splits(stream({"[DONE]"})),
            "error:stream_error|200||||no|the stream ended without finish_reason");
}

TEST(CompletionReader, DoneSavesACutFraming) {
  EXPECT_EQ(read_all_splits(stream({token("a", "\"stop\""), kUsage, "[DONE]"}, false)),
            "ok|200|5|3||yes|");
  CompletionReader reader;
  reader.feed(stream({token("a", "\"stop\""), "[DONE]"}, false), stamp(1));
  EXPECT_TRUE(reader.done());
  reader.finish(false, {"disconnected", "reset"});
  EXPECT_EQ(reader.answer().status, "ok");
  EXPECT_EQ(reader.answer().end_ts, stamp(1));
}

TEST(CompletionReader, PlainAnswersNeedChoices) {
  const std::string ok = R"({"choices":[{"message":{"content":"x"},"finish_reason":"stop"}],)"
                         R"("usage":{"prompt_tokens":5,"completion_tokens":1}})";
  EXPECT_EQ(read_all_splits(plain(ok)), "ok|200|5|1||no|");
  EXPECT_EQ(read_all_splits(plain(" \n" + ok + "\r\n ")), "ok|200|5|1||no|");
  for (const char* body : {"{}", R"({"choices":[]})", R"({"choices":null})",
                           R"({"choices":[null]})",
                           R"({"choices":{}})", R"({"x":{"choices":[{}]}})"}) {
    EXPECT_EQ(read_all_splits(plain(body)),
              "error:bad_response|200||||no|the answer holds no choices")
        << body;
  }
  for (const std::string& body :
       {std::string("[]"), std::string("null"), std::string("<html></html>"), ok + "x", ok + ok,
        std::string("\x1f\x8b\x08\x00", 4), std::string("1"), std::string("{\"a\":1")}) {
    EXPECT_EQ(read_all_splits(plain(body)),
              "error:bad_response|200||||no|the answer is not a JSON object")
        << body;
  }
  EXPECT_EQ(read_all_splits(plain(R"({"error":{"message":"m"},"choices":[{}]})")).substr(0, 18),
            "error:bad_response");
}

TEST(CompletionReader, AStatusOtherThan200IsTheReasonWhateverItsBody) {
  EXPECT_EQ(read_all_splits(plain("<h1>Bad\n Gateway</h1>", "502 Bad Gateway", "text/html")),
            "error:http_502|502||||no|<h1>Bad Gateway</h1>");
  EXPECT_EQ(read_all_splits("HTTP/1.1 301 Moved\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n"),
            "error:http_301|301||||no|HTTP status 301 with an empty body");
  EXPECT_EQ(read_all_splits("HTTP/1.1 204 None\r\n\r\n"),
            "error:http_204|204||||no|HTTP status 204 with an empty body");
  EXPECT_EQ(read_all_splits(plain("{\"choices\":[{}]}", "201 Created")).substr(0, 18),
            "error:http_201|201");
  EXPECT_EQ(read_all_splits(plain("data: {}\n\n", "500 X", "text/event-stream")),
            "error:http_500|500||||no|data: {}");
}

TEST(CompletionReader, ACompressedBodyIsCalledSo) {
  const std::string type = "application/json\r\nContent-Encoding: gzip";
  EXPECT_EQ(read_all_splits(plain("\x1f\x8b", "200 OK", type)),
            "error:bad_response|200||||no|the body is compressed (content-encoding: gzip), which was "
            "not asked for");
  EXPECT_EQ(read_all_splits(plain("\x1f\x8b", "503 Busy", type)),
            "error:http_503|503||||no|HTTP status 503, the body is compressed (content-encoding: "
            "gzip), which was not asked for");
  EXPECT_EQ(read_all_splits(plain(R"({"choices":[{}]})", "200 OK",
                                  "application/json\r\nContent-Encoding: identity")),
            "ok|200||||no|");
}

TEST(CompletionReader, NothingBehindDoneIsRead) {
  CompletionReader reader;
  reader.reset();
  reader.feed(stream({token("a", "\"stop\""), kUsage, "[DONE]"}, false), stamp(1));
  EXPECT_FALSE(reader.feed(chunk(std::string(2 << 20, 'x')), stamp(2)));
  reader.finish(true, {});
  EXPECT_EQ(show(reader.answer()), "ok|200|5|3||yes|");
}

TEST(CompletionReader, AnErrorBodyIsReadTo64KiB) {
  CompletionReader reader;
  const std::string head = "HTTP/1.1 500 X\r\nContent-Length: 100000000\r\n\r\n";
  EXPECT_FALSE(reader.feed(head + std::string((64 << 10) - 1, 'a'), stamp(0)));
  EXPECT_TRUE(reader.feed("a", stamp(1)));
  EXPECT_EQ(reader.answer().status, "error:http_500");
  EXPECT_EQ(reader.answer().detail, std::string(300, 'a'));
  EXPECT_FALSE(reader.can_reuse());
}

TEST(CompletionReader, PlainBodiesOver16MiBAreTooLarge) {
  CompletionReader reader;
  const std::string piece(1 << 20, ' ');
  EXPECT_FALSE(reader.feed("HTTP/1.1 200 OK\r\n\r\n{", stamp(0)));
  for (int i = 0; i < 15; ++i) EXPECT_FALSE(reader.feed(piece, stamp(0)));
  EXPECT_FALSE(reader.feed(std::string_view(piece).substr(1), stamp(0)));
  EXPECT_TRUE(reader.feed(" ", stamp(0)));
  EXPECT_EQ(reader.answer().status, "error:too_large");
  EXPECT_EQ(reader.answer().http_status, 200);
}

TEST(CompletionReader, LinesOver1MiBAreTooLarge) {
  CompletionReader reader;
  const std::string head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n";
  EXPECT_FALSE(reader.feed(head + "data: " + std::string(1 << 19, 'a'), stamp(0)));
  EXPECT_TRUE(reader.feed(std::string(1 << 20, 'a'), stamp(0)));
  EXPECT_EQ(reader.answer().status, "error:too_large");
}

TEST(CompletionReader, HeadsOver64KiBAreTooLarge) {
  CompletionReader reader;
  const std::string field = "X: " + std::string(70'000, 'a') + "\r\n\r\n";
  EXPECT_TRUE(reader.feed("HTTP/1.1 200 OK\r\n" + field, stamp(0)));
  EXPECT_EQ(reader.answer().status, "error:too_large");
}

TEST(CompletionReader, WhatEndsItFromOutside) {
  CompletionReader reader;
  reader.reset();
  reader.abandon("timeout", "no whole answer after 1 s");
  EXPECT_EQ(show(reader.answer()), "error:timeout|||||no|no whole answer after 1 s");
  reader.reset();
  reader.feed(stream({token("a")}, false), stamp(3));
  reader.abandon("cancelled", "ended by signal 2");
  EXPECT_EQ(show(reader.answer()), "error:cancelled|200||||yes|ended by signal 2");
  reader.reset();
  reader.feed("HTTP/1.1 503 Busy\r\nContent-Length: 9\r\n\r\nbu", stamp(0));
  reader.abandon("timeout", "late");
  EXPECT_EQ(reader.answer().status, "error:http_503") << "the server has said so";
  reader.reset();
  reader.feed(stream({token("a")}, false), stamp(3));
  reader.finish(false, {"disconnected", "Connection reset by peer"});
  EXPECT_EQ(show(reader.answer()), "error:disconnected|200||||yes|Connection reset by peer");
  reader.reset();
  reader.feed(stream({token("a"), R"({"error":"out of memory"})"}, false), stamp(3));
  reader.abandon("timeout", "late");
  EXPECT_EQ(show(reader.answer()), "error:stream_error|200||||yes|out of memory");
}

TEST(CompletionReader, DetailsAreOneLineOfUtf8) {
  const auto answer = read_answer(plain("a\r\n\tb\xff\x1b[31m" + std::string(400, 'c'), "500 X"));
  EXPECT_EQ(answer.detail.substr(0, 10), "a b\xEF\xBF\xBD [31");
  EXPECT_EQ(answer.detail.size(), 302u);  // 300 characters, one of them of three bytes
}

TEST(CompletionReader, ForgetsThePreviousAnswer) {
  CompletionReader reader;
  const auto whole = stream({token("a", "\"stop\""), kUsage, "[DONE]"});
  const auto bare = stream({token("", "\"stop\"")});
  for (const auto& before : {whole, stream({R"({"error":"x"})"}), plain("x", "500 X"), plain("{"),
                             stream({token("a")}, false)}) {
    read_answer(reader, before);
    EXPECT_EQ(show(read_answer(reader, bare)), "ok|200||||no|");
    read_answer(reader, before);
    EXPECT_EQ(show(read_answer(reader, plain(R"({"choices":[{}]})"))), "ok|200||||no|");
  }
}

}  // namespace
}  // namespace memprof::load
