#include "http/response_parser.hpp"

#include <gtest/gtest.h>

#include <string>

namespace memprof::http {
namespace {

class Recorder final : public ResponseParser::Sink {
 public:
  void on_head(int status, std::string_view content_type) override {
    ++heads;
    head = std::to_string(status) + " " + std::string(content_type);
  }
  void on_body(std::string_view piece) override { body += piece; }

  int heads = 0;
  std::string head;
  std::string body;
};

/// What came of `bytes`, cut in two at `cut` and then closed.
std::string parse(std::string_view bytes, std::size_t cut = std::string::npos,
                  std::size_t step = 0) {
  Recorder recorder;
  ResponseParser parser(recorder);
  parser.reset();
  auto state = ResponseParser::State::reading;
  if (step != 0) {
    for (std::size_t at = 0; at < bytes.size(); at += step) {
      state = parser.feed(bytes.substr(at, step));
      if (state != ResponseParser::State::reading) break;
    }
  } else {
    state = parser.feed(bytes.substr(0, cut));
    if (cut < bytes.size() && state == ResponseParser::State::reading) {
      state = parser.feed(bytes.substr(cut));
    }
  }
  const bool by_close = state == ResponseParser::State::reading;
  if (by_close) state = parser.finish();
  if (state == ResponseParser::State::failed) return parser.failure().reason;
  EXPECT_LE(recorder.heads, 1);
  return recorder.head + "|" + recorder.body + (by_close ? "|closed" : "|whole") +
         (!by_close && parser.can_reuse() ? "|kept" : "");
}

std::string all_splits(const std::string& bytes) {
  const auto whole = parse(bytes);
  for (std::size_t cut = 1; cut < bytes.size(); ++cut) {
    const auto split = parse(bytes, cut);
    if (split != whole) return "cut at " + std::to_string(cut) + ": " + split + " not " + whole;
  }
  for (const std::size_t step : {1u, 2u, 5u}) {
    const auto split = parse(bytes, 0, step);
    if (split != whole) return "pieces of " + std::to_string(step) + ": " + split + " not " + whole;
  }
  return whole;
}

const std::string kOk = "HTTP/1.1 200 OK\r\n";
const std::string kChunked = kOk + "Content-Type: a/b\r\nTransfer-Encoding: chunked\r\n\r\n";

TEST(ResponseParser, Plain) {
  EXPECT_EQ(all_splits(kOk + "content-type: text/x; y=z\r\nContent-Length: 5\r\n\r\nhello"),
            "200 text/x; y=z|hello|whole|kept");
  EXPECT_EQ(all_splits(kOk + "Content-Length: 0\r\n\r\n"), "200 ||whole|kept");
  EXPECT_EQ(all_splits("HTTP/1.1 404 \r\nContent-Length: 1\r\n\r\nx"), "404 |x|whole|kept");
  EXPECT_EQ(all_splits("HTTP/1.1 204 No\r\n\r\n"), "204 ||whole|kept");
}

TEST(ResponseParser, Chunked) {
  EXPECT_EQ(all_splits(kChunked + "5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n"),
            "200 a/b|hello!|whole|kept");
  EXPECT_EQ(all_splits(kChunked + "0\r\n\r\n"), "200 a/b||whole|kept");
  EXPECT_EQ(all_splits(kChunked + "00A\r\n0123456789\r\n0\r\n\r\n"),
            "200 a/b|0123456789|whole|kept");
  EXPECT_EQ(all_splits(kChunked + "a\r\n\r\n0\r\n\r\n0\r\n\r\n0\r\n\r\n"),
            "200 a/b|\r\n0\r\n\r\n0\r\n|whole|kept")
      << "data that looks like framing";
}

TEST(ResponseParser, ChunkExtensionsAndTrailers) {
  EXPECT_EQ(all_splits(kChunked + "2;name=value;q=\"x\"\r\nab\r\n0;last\r\n\r\n"),
            "200 a/b|ab|whole|kept");
  EXPECT_EQ(all_splits(kChunked + "2\r\nab\r\n0\r\nX-A: 1\r\nX-B: 2\r\n\r\n"),
            "200 a/b|ab|whole|kept");
}

TEST(ResponseParser, KeepAliveOrNot) {
  EXPECT_EQ(all_splits(kOk + "Connection: close\r\nContent-Length: 1\r\n\r\nx"), "200 |x|whole");
  EXPECT_EQ(all_splits("HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx"), "200 |x|whole");
  EXPECT_EQ(all_splits("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\nx"),
            "200 |x|whole|kept");
}

TEST(ResponseParser, CloseDelimited) {
  EXPECT_EQ(all_splits("HTTP/1.0 200 OK\r\nContent-Type: t/p\r\n\r\nall of it"),
            "200 t/p|all of it|closed");
  EXPECT_EQ(all_splits(kOk + "\r\n"), "200 ||closed");
}

TEST(ResponseParser, InterimResponsesArePassedOver) {
  EXPECT_EQ(all_splits("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nLink: x\r\n\r\n" + kOk +
                       "Content-Length: 1\r\n\r\nx"),
            "200 |x|whole|kept");
  EXPECT_EQ(all_splits("HTTP/1.1 100 Continue\r\n\r\n"), "disconnected");
}

TEST(ResponseParser, InterimResponsesEndSomewhere) {
  std::string many;
  while (many.size() < 70'000) many += "HTTP/1.1 100 Continue\r\n\r\n";
  EXPECT_EQ(parse(many), "too_large");
  EXPECT_EQ(parse(many, 0, 4096), "too_large");
  EXPECT_EQ(parse(many.substr(0, 50'000) + kOk + "Content-Length: 1\r\n\r\nx"),
            "200 |x|whole|kept");
}

TEST(ResponseParser, AnotherProtocolIsTheAnswer) {
  EXPECT_EQ(all_splits("HTTP/1.1 101 Switching\r\nUpgrade: h2c\r\n\r\n"), "101 ||whole");
}

TEST(ResponseParser, SaysHowTheBodyIsEncoded) {
  Recorder recorder;
  ResponseParser parser(recorder);
  parser.feed(kOk + "Content-Encoding: gzip\r\nContent-Length: 1\r\n\r\nx");
  EXPECT_EQ(parser.content_encoding(), "gzip");
  parser.reset();
  EXPECT_EQ(parser.content_encoding(), "");
}

TEST(ResponseParser, CutMessagesAreDisconnected) {
  for (const std::string& bytes :
       {std::string(), std::string("HTT"), kOk, kOk + "Content-Length: 5\r\n\r\nhell", kChunked,
        kChunked + "5\r\nhell", kChunked + "5\r\nhello\r\n", kChunked + "5\r\nhello\r\n0\r\n",
        kChunked + "1;x"}) {
    EXPECT_EQ(all_splits(bytes), "disconnected") << bytes;
  }
}

TEST(ResponseParser, WhatIsNotHttpIsABadResponse) {
  for (const std::string& bytes :
       {std::string("GARBAGE\r\n\r\n"), std::string("SSH-2.0-OpenSSH_9.2\r\n"),
        std::string("HTTP/2 200\r\n\r\n"), std::string("HTTP/1.1 abc OK\r\n\r\n"),
        std::string("\x15\x03\x01\x00\x02\x02\x46 alert", 14), kOk + "no colon\r\n\r\n",
        kOk + "Content-Length: -1\r\n\r\n", kOk + "Content-Length: x\r\n\r\n",
        kOk + "Content-Length: 1\r\nContent-Length: 2\r\n\r\nxy",
        kOk + "Content-Length: 99999999999999999999999\r\n\r\n",
        kChunked + "0\rS\n", kChunked + "zz\r\nab\r\n", kChunked + "-1\r\nab\r\n",
        kChunked + "11111111111111111111\r\n",
        kChunked + "2\r\nabXX0\r\n\r\n"}) {
    EXPECT_EQ(all_splits(bytes), "bad_response") << bytes;
  }
}

TEST(ResponseParser, SurplusBytesForbidReuse) {
  EXPECT_EQ(parse(kOk + "Content-Length: 1\r\n\r\nxy"), "200 |x|whole");
  EXPECT_EQ(parse(kChunked + "0\r\n\r\n" + kOk), "200 a/b||whole");
}

TEST(ResponseParser, HeadsUpTo64KiB) {
  const auto with_head = [](std::size_t bytes) {
    return kOk + "Content-Length: 0\r\nX: " + std::string(bytes, 'a') + "\r\n\r\n";
  };
  EXPECT_EQ(parse(with_head(60'000)), "200 ||whole|kept");
  EXPECT_EQ(parse(with_head(70'000)), "too_large");
  EXPECT_EQ(parse(with_head(70'000), 0, 4096), "too_large");
  EXPECT_EQ(parse(with_head(70'000), 69'000), "too_large");
  std::string many = kOk;
  for (int i = 0; i < 10'000; ++i) many += "X: y\r\n";
  EXPECT_EQ(parse(many, 0, 4096), "disconnected");
  for (int i = 0; i < 10'000; ++i) many += "X: y\r\n";
  EXPECT_EQ(parse(many, 0, 4096), "too_large");
}

TEST(ResponseParser, EndlessFramingIsNotKept) {
  // Chunk headers and trailers are framing like the head: without a limit they would grow for ever.
  Recorder recorder;
  ResponseParser parser(recorder);
  for (const std::string& begin : {kChunked + "5;", kChunked + "0\r\nX: "}) {
    parser.reset();
    auto state = parser.feed(begin);
    const std::string more(4096, 'a');
    int fed = 0;
    while (state == ResponseParser::State::reading && ++fed < 100) state = parser.feed(more);
    EXPECT_EQ(state, ResponseParser::State::failed) << begin.substr(begin.size() - 6);
  }
}

TEST(ResponseParser, IsUsedAgainAfterReset) {
  Recorder recorder;
  ResponseParser parser(recorder);
  for (const std::string& before : {std::string("GARBAGE\r\n\r\n"), kOk + "Content-Le",
                                    kChunked + "5\r\nhel", kOk + "Content-Length: 1\r\n\r\nxy"}) {
    parser.reset();
    parser.feed(before);
    parser.reset();
    recorder.body.clear();
    EXPECT_EQ(parser.feed(kOk + "Content-Length: 2\r\n\r\nab"), ResponseParser::State::complete);
    EXPECT_EQ(recorder.body, "ab");
    EXPECT_TRUE(parser.can_reuse());
  }
}

}  // namespace
}  // namespace memprof::http
