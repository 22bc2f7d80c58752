#include "http/request_parser.hpp"

#include <gtest/gtest.h>

#include <string>

namespace memprof::http {
namespace {

using State = RequestParser::State;

std::string told(RequestParser& parser) {
  const auto request = parser.take();
  std::string out = request.method + " " + request.target;
  for (const auto& [name, value] : request.headers) out.append(" ").append(name + "=" + value);
  return out + "|" + request.body + (parser.keep_alive() ? "|kept\n" : "|close\n");
}

/// All requests of `bytes`, which come in pieces of `first`, then `step` bytes.
std::string parse(std::string_view bytes, std::size_t first = std::string::npos,
                  std::size_t step = std::string::npos) {
  RequestParser parser;
  std::string out;
  auto piece = first;
  while (!bytes.empty()) {
    parser.append(bytes.substr(0, piece));
    bytes.remove_prefix(std::min(piece, bytes.size()));
    piece = step;
    while (parser.parse() == State::complete) out += told(parser);
  }
  if (parser.parse() == State::failed) return out + std::to_string(parser.failed_status());
  return out + (parser.has_begun() ? "cut" : "end");
}

std::string all_splits(const std::string& bytes) {
  const auto whole = parse(bytes);
  for (std::size_t cut = 1; cut < bytes.size(); ++cut) {
    const auto split = parse(bytes, cut);
    if (split != whole) return "cut at " + std::to_string(cut) + ": " + split + " not " + whole;
  }
  for (const std::size_t step : {1u, 2u, 5u}) {
    const auto split = parse(bytes, step, step);
    if (split != whole) return "pieces of " + std::to_string(step) + ": " + split + " not " + whole;
  }
  return whole;
}

constexpr std::string_view kGet = "GET /health HTTP/1.1\r\n\r\n";

TEST(RequestParser, Body) {
  EXPECT_EQ(all_splits("POST /v1/completions?a=b HTTP/1.1\r\nHost: x\r\n"
                       "Content-Type:  text/plain \r\nContent-Length: 4\r\n\r\nbody"),
            "POST /v1/completions?a=b host=x content-type=text/plain content-length=4|body|kept\n"
            "end");
  EXPECT_EQ(all_splits("POST / HTTP/1.1\r\nContent-Length: 4\r\n\r\nbod"), "cut");
}

TEST(RequestParser, ChunkedBody) {
  const std::string head = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n";
  const std::string taken = "POST / transfer-encoding=chunked|";
  EXPECT_EQ(all_splits(head + "5\r\nhello\r\n6;x=y\r\n world\r\n0\r\n\r\n"),
            taken + "hello world|kept\nend");
  EXPECT_EQ(all_splits(head + "0\r\n\r\n"), taken + "|kept\nend");
  EXPECT_EQ(all_splits(head + "3\r\nabc\r\n0\r\nLeft: out\r\n\r\n"), taken + "abc|kept\nend");
  EXPECT_EQ(all_splits(head + "zz\r\nabc\r\n0\r\n\r\n"), "400");
  EXPECT_EQ(all_splits(head + "0\rS\n"), "400");
  EXPECT_EQ(all_splits(head + "4000001\r\nabc"), "413");
}

TEST(RequestParser, OneAfterTheOther) {
  const std::string post = "POST /a HTTP/1.1\r\nContent-Length: 2\r\n\r\nxy";
  EXPECT_EQ(all_splits(post + std::string(kGet) + "\r\n" + post + "GET"),
            "POST /a content-length=2|xy|kept\nGET /health||kept\n"
            "POST /a content-length=2|xy|kept\ncut");
  EXPECT_EQ(all_splits(std::string(kGet) + "garbage\r\n\r\n"), "GET /health||kept\n400");
}

TEST(RequestParser, WhenToClose) {
  EXPECT_EQ(all_splits("GET / HTTP/1.1\r\nConnection: close\r\n\r\n"),
            "GET / connection=close||close\nend");
  EXPECT_EQ(all_splits("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"),
            "GET / connection=keep-alive||close\nend");
}

TEST(RequestParser, NotHttp) {
  // The first is what the recorded vLLM answered with 400.
  for (const char* bytes :
       {"GARBAGE\r\n\r\n", "\x16\x03\x01\x02", "GET / HTTP/1.1\n\n", "GET / HTTP/2.0\r\n\r\n",
        " GET / HTTP/1.1\r\n\r\n", "GET / HTTP/1.1\r\nno colon\r\n\r\n", "GET /\r\n",
        "GETGETGETGETGETGETGETGETGETGETGETGET", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "X b HTTP/1.1t: 5\r\n\r\n",
        "POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n",
        "POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n"}) {
    EXPECT_EQ(all_splits(bytes), "400") << bytes;
  }
  EXPECT_EQ(all_splits(""), "end");
  EXPECT_EQ(all_splits("GET / HTTP/1.1\r\nHost"), "cut");
}

TEST(RequestParser, Limits) {
  const std::string line = "GET / HTTP/1.1\r\n";
  const auto head_of = [&](std::size_t size) {
    return line + "a: " + std::string(size - line.size() - 3 - 4, 'x') + "\r\n\r\n";
  };
  constexpr auto kMost = RequestParser::kMostHeadBytes;
  for (const std::size_t step : {kMost * 2, std::size_t{1000}}) {
    EXPECT_TRUE(parse(head_of(kMost), step, step).ends_with("|kept\nend")) << step;
    EXPECT_EQ(parse(head_of(kMost + 1), step, step), "431") << step;
    EXPECT_EQ(parse("GET /" + std::string(kMost, 'x') + " HTTP/1.1\r\n\r\n", step, step), "400");
  }
  const std::string post = "POST / HTTP/1.1\r\nContent-Length: ";
  EXPECT_EQ(parse(post + "67108865\r\n\r\n"), "413");
  EXPECT_EQ(parse(post + "67108864\r\n\r\n"), "cut");
  EXPECT_TRUE(
      parse(post + "67108864\r\n\r\n" + std::string(RequestParser::kMostBodyBytes, 'x'), 50'000,
            50'000)
          .ends_with("x|kept\nend"));
}

TEST(RequestParser, WantsContinueOnce) {
  const std::string head = "POST / HTTP/1.1\r\nExpect: 100-Continue\r\nContent-Length: 1\r\n\r\n";
  RequestParser parser;
  parser.append(head.substr(0, 30));
  EXPECT_EQ(parser.parse(), State::reading);
  EXPECT_FALSE(parser.wants_continue());
  parser.append(head.substr(30));
  EXPECT_EQ(parser.parse(), State::reading);
  EXPECT_TRUE(parser.wants_continue());
  EXPECT_FALSE(parser.wants_continue());
  parser.append("x");
  EXPECT_EQ(parser.parse(), State::complete);
  parser.take();
  EXPECT_FALSE(parser.wants_continue());
  parser.append(head + "x");
  EXPECT_EQ(parser.parse(), State::complete);
  EXPECT_FALSE(parser.wants_continue()) << "the body is there already";
}

}  // namespace
}  // namespace memprof::http
