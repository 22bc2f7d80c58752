#include "http/server.hpp"

#include "records/error.hpp"
#include "server_fixture.hpp"

#include <sys/resource.h>

namespace memprof::http {
namespace {

std::string without_date(std::string head) {
  const auto begin = head.find("\r\ndate: ");
  const auto end = head.find(" GMT\r\n", begin);
  return head.erase(begin, end + 4 - begin);
}

TEST_F(ServerTest, AnswersInOnePiece) {
  client.send("POST /echo HTTP/1.1\r\nContent-Length: 2\r\n\r\nhi");
  ASSERT_TRUE(gets(client, "hi"));
  EXPECT_EQ(without_date(client.got),
            "HTTP/1.1 200 OK\r\nserver: vllm_simulator\r\ncontent-type: text/plain\r\n"
            "content-length: 13\r\n\r\nPOST /echo hi");
  EXPECT_FALSE(client.ended);
}

TEST_F(ServerTest, AnswersInPieces) {
  client.send(kGetLater);
  ASSERT_TRUE(has_replies(1));
  replies[0]->start_stream(200, "text/event-stream");
  ASSERT_TRUE(gets(client, "\r\n\r\n")) << "the head leaves at once";
  replies[0]->write("data: a\n\n");
  ASSERT_TRUE(gets(client, "data: a"));
  replies[0]->write(std::string(17, 'b'));
  replies[0]->end();
  ASSERT_TRUE(gets(client, "0\r\n\r\n"));
  EXPECT_EQ(without_date(client.got),
            "HTTP/1.1 200 OK\r\nserver: vllm_simulator\r\ncontent-type: text/event-stream\r\n"
            "transfer-encoding: chunked\r\n\r\n9\r\ndata: a\n\n\r\n11\r\n" +
                std::string(17, 'b') + "\r\n0\r\n\r\n");
  client.got.clear();
  client.send(kGetEcho);
  EXPECT_TRUE(gets(client, "GET /echo")) << "the connection is kept";
  EXPECT_EQ(gone, 0);
}

TEST_F(ServerTest, WhatIsSaidAfterTheEndIsThrownAway) {
  client.send(kGetLater);
  ASSERT_TRUE(has_replies(1));
  replies[0]->send(200, "", "");
  client.send(kGetLater);
  ASSERT_TRUE(has_replies(2));
  replies[0]->write("old");
  replies[0]->end();
  replies[0].reset();
  replies[1]->send(200, "", "new");
  ASSERT_TRUE(gets(client, "new"));
  EXPECT_EQ(client.got.find("old"), std::string::npos);
}

TEST_F(ServerTest, ARequestInSingleBytes) {
  for (const char c : std::string("POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
                                  "2\r\nhi\r\n0\r\n\r\n")) {
    client.send({&c, 1});
    io.restart();
    io.poll();
  }
  EXPECT_TRUE(gets(client, "POST /echo hi"));
}

TEST_F(ServerTest, PipelinedRequestsAreAnsweredInOrder) {
  client.send(std::string(kGetLater) + "GET /echo?2 HTTP/1.1\r\n\r\nGET /later3 HTTP/1.1\r\n\r\n");
  client.send(kGetEcho);
  ASSERT_TRUE(has_replies(1));
  settle();
  EXPECT_EQ(targets.size(), 1u);
  EXPECT_EQ(gone, 0) << "what comes ahead is not the client's end";
  replies[0]->send(200, "text/plain", "first");
  EXPECT_EQ(targets.size(), 1u) << "the handler is not called from within a reply";
  ASSERT_TRUE(has_replies(2));
  replies[1]->send(200, "text/plain", "third");
  ASSERT_TRUE(gets(client, "GET /echo "));
  EXPECT_LT(client.got.find("first"), client.got.find("GET /echo?2"));
  EXPECT_LT(client.got.find("GET /echo?2"), client.got.find("third"));
}

TEST_F(ServerTest, ThousandsOfPipelinedRequests) {
  std::string all;
  for (int i = 0; i < 5'000; ++i) all += kGetEcho;
  std::string_view rest = all;
  std::size_t answers = 0;
  EXPECT_TRUE(run_until([&] {
    rest.remove_prefix(client.send(rest));
    client.read();
    for (std::size_t at; (at = client.got.find("GET /echo")) != std::string::npos; ++answers) {
      client.got.erase(0, at + 9);
    }
    return answers == 5'000;
  }, 30s)) << answers;
}

TEST_F(ServerTest, ClosesWhenAskedToAndForHttp10) {
  for (const char* request : {"GET /echo HTTP/1.1\r\nConnection: close\r\n\r\n",
                              "GET /echo HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"}) {
    Client one(server.port());
    one.send(request);
    ASSERT_TRUE(is_ended(one));
    EXPECT_FALSE(one.reset);
    EXPECT_NE(one.got.find("\r\nconnection: close\r\n"), std::string::npos);
    EXPECT_TRUE(one.got.ends_with("GET /echo "));
  }
}

TEST_F(ServerTest, AHeadWithoutItsBody) {
  client.send("HEAD /echo HTTP/1.1\r\n\r\n");
  ASSERT_TRUE(gets(client, "\r\n\r\n"));
  client.send("HEAD /later HTTP/1.1\r\n\r\n");
  ASSERT_TRUE(has_replies(1));
  replies[0]->start_stream(200, "");
  replies[0]->write("never");
  replies[0]->end();
  client.send(kGetEcho);
  ASSERT_TRUE(gets(client, "GET /echo "));
  EXPECT_NE(client.got.find("content-length: 11\r\n\r\nHTTP/1.1 200"), std::string::npos);
  EXPECT_NE(client.got.find("chunked\r\n\r\nHTTP/1.1 200"), std::string::npos);
}

TEST_F(ServerTest, SaysContinue) {
  client.send("POST /echo HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
  ASSERT_TRUE(gets(client, "\r\n\r\n"));
  EXPECT_EQ(client.got, "HTTP/1.1 100 Continue\r\n\r\n");
  client.send("hi");
  EXPECT_TRUE(gets(client, "POST /echo hi"));
}

TEST_F(ServerTest, RefusesWhatItCannotRead) {
  client.send("GARBAGE\r\n\r\n");
  ASSERT_TRUE(is_ended(client));
  EXPECT_EQ(without_date(client.got),
            "HTTP/1.1 400 Bad Request\r\nserver: vllm_simulator\r\n"
            "content-type: text/plain; charset=utf-8\r\nconnection: close\r\n"
            "content-length: 30\r\n\r\nInvalid HTTP request received.");
  Client wide(server.port());
  wide.send("GET / HTTP/1.1\r\na: " + std::string(65'536, 'x'));
  EXPECT_TRUE(gets(wide, "HTTP/1.1 431 "));
  EXPECT_TRUE(targets.empty());
}

TEST_F(ServerTest, GoesOnWhenItHasHadNoDescriptors) {
  rlimit before{};
  getrlimit(RLIMIT_NOFILE, &before);
  settle();
  Client second(server.port());
  const int next = ::dup(0);
  ::close(next);
  const rlimit none{static_cast<rlim_t>(next), before.rlim_max};
  setrlimit(RLIMIT_NOFILE, &none);
  second.send(kGetEcho);
  run_until([] { return false; }, 50ms);
  second.read();
  EXPECT_EQ(second.got, "");
  setrlimit(RLIMIT_NOFILE, &before);
  EXPECT_TRUE(gets(second, "GET /echo "));
}

TEST_F(ServerTest, WhereItListens) {
  const auto ignore = [](ServerRequest&&, std::shared_ptr<Reply>) {};
  EXPECT_THROW(Server(io, "127.0.0.1", server.port(), ignore), ToolError) << "in use";
  EXPECT_THROW(Server(io, "192.0.2.1", 0, ignore), ToolError) << "not of this machine";
  EXPECT_NE(Server(io, "localhost", 0, ignore).port(), 0);
  const int v6 = ::socket(AF_INET6, SOCK_STREAM, 0);
  sockaddr_in6 loopback{};
  loopback.sin6_family = AF_INET6;
  loopback.sin6_addr = in6addr_loopback;
  if (v6 >= 0 && ::bind(v6, reinterpret_cast<sockaddr*>(&loopback), sizeof loopback) == 0) {
    EXPECT_NE(Server(io, "::1", 0, ignore).port(), 0);
  }
  ::close(v6);
}

TEST(ServerRequest, PathAndQuery) {
  ServerRequest request;
  request.target = "/metrics/?name[]=vllm:a&name%5B%5D=b%2Bc+d&other=1&name[]";
  EXPECT_EQ(request.path(), "/metrics/");
  EXPECT_EQ(request.query_values("name[]"), (std::vector<std::string>{"vllm:a", "b+c d"}));
  EXPECT_TRUE(request.query_values("none").empty());
  request.headers = {{"a", "1"}, {"a", "2"}};
  EXPECT_EQ(request.header("a"), "1");
  EXPECT_FALSE(request.header("b"));
}

}  // namespace
}  // namespace memprof::http
