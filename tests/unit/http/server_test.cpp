#include "http/server.hpp"

#include "records/error.hpp"

#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include <cerrno>
#include <chrono>
#include <functional>
#include <string>
#include <thread>

#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

namespace memprof::http {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

/// A client of raw bytes.
class Client {
 public:
  explicit Client(std::uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    EXPECT_EQ(::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  }
  ~Client() { close(); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  /// As much as the kernel takes; the bytes taken.
  std::size_t send(std::string_view bytes) const {
    const auto sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    return sent > 0 ? static_cast<std::size_t>(sent) : 0;
  }
  /// Takes what has come into `got`.
  void read() {
    std::string piece(256u << 10, '\0');
    for (;;) {
      const auto count = ::recv(fd_, piece.data(), piece.size(), MSG_DONTWAIT);
      if (count > 0) {
        got.append(piece, 0, static_cast<std::size_t>(count));
        continue;
      }
      if (count == 0) ended = true;
      if (count < 0 && errno != EAGAIN) ended = reset = true;
      return;
    }
  }
  void shut_down_sending() const { ::shutdown(fd_, SHUT_WR); }
  void close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }
  void reset_connection() {
    const linger now{1, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    close();
  }

  std::string got;
  bool ended = false;
  bool reset = false;

 private:
  int fd_;
};

/// Answers `/echo` with what it was asked, and keeps the replies to anything else.
class ServerTest : public testing::Test {
 protected:
  void handle(ServerRequest&& request, std::shared_ptr<Reply> reply) {
    targets.push_back(request.target);
    if (request.path() == "/echo") {
      reply->send(200, "text/plain", request.method + " " + request.target + " " + request.body);
    } else {
      reply->on_gone([this] { ++gone; });
      replies.push_back(std::move(reply));
    }
  }
  /// Lets server and client work until `done` or five seconds have passed.
  bool run_until(const std::function<bool()>& done, std::chrono::milliseconds most = 5s) {
    const auto end = Clock::now() + most;
    while (!done()) {
      if (Clock::now() > end) return false;
      io.restart();
      io.run_one_for(1ms);
      io.poll();
    }
    return true;
  }
  void settle() {
    run_until([] { return false; }, 20ms);
  }
  bool gets(Client& reader, std::string_view text) {
    return run_until([&] {
      reader.read();
      return reader.got.find(text) != std::string::npos;
    });
  }
  bool is_ended(Client& reader) {
    return run_until([&] {
      reader.read();
      return reader.ended;
    });
  }
  bool has_replies(std::size_t count) {
    return run_until([&] { return replies.size() >= count; });
  }

  boost::asio::io_context io{1};
  std::vector<std::shared_ptr<Reply>> replies;
  std::vector<std::string> targets;
  int gone = 0;
  Server server{io, "127.0.0.1", 0,
                [this](ServerRequest&& request, std::shared_ptr<Reply> reply) {
                  handle(std::move(request), std::move(reply));
                }};
  Client client{server.port()};
};

constexpr std::string_view kGetEcho = "GET /echo HTTP/1.1\r\n\r\n";
constexpr std::string_view kGetLater = "GET /later HTTP/1.1\r\n\r\n";

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
  for (int i = 0; i < 20'000; ++i) all += kGetEcho;
  std::string_view rest = all;
  std::size_t answers = 0;
  EXPECT_TRUE(run_until([&] {
    rest.remove_prefix(client.send(rest));
    client.read();
    for (std::size_t at; (at = client.got.find("GET /echo")) != std::string::npos; ++answers) {
      client.got.erase(0, at + 9);
    }
    return answers == 20'000;
  }, 30s)) << answers;
}

TEST_F(ServerTest, AClientsEndIsSeenWhileItsAnswerIsMade) {
  client.send(kGetLater);
  ASSERT_TRUE(has_replies(1));
  client.close();
  ASSERT_TRUE(run_until([&] { return gone == 1; }, 1s)) << "FIN";

  Client second(server.port());
  second.send(kGetLater);
  ASSERT_TRUE(has_replies(2));
  replies[1]->start_stream(200, "");
  second.reset_connection();
  ASSERT_TRUE(run_until([&] { return gone == 2; }, 1s)) << "RST";
  replies[1]->write("x");
  replies[1]->end();
  replies[0]->send(200, "", "");

  Client third(server.port());
  third.send(std::string(kGetLater) + std::string(kGetEcho));
  ASSERT_TRUE(has_replies(3));
  third.close();
  ASSERT_TRUE(run_until([&] { return gone == 3; }, 1s)) << "behind a pipelined request";
  settle();
  EXPECT_EQ(targets.size(), 3u) << "which nobody waits for";
}

TEST_F(ServerTest, NobodyIsGoneAfterTheAnswersEnd) {
  client.send(kGetLater);
  ASSERT_TRUE(has_replies(1));
  replies[0]->send(200, "", "all");
  ASSERT_TRUE(gets(client, "all"));
  client.close();
  settle();
  EXPECT_EQ(gone, 0);
}

TEST_F(ServerTest, AReplyThatIsDroppedClosesTheConnection) {
  client.send(kGetLater);
  ASSERT_TRUE(has_replies(1));
  replies.clear();
  EXPECT_TRUE(is_ended(client));
  EXPECT_EQ(client.got, "");
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

TEST_F(ServerTest, ABodyOverTheLimitIsRefusedAndTheAnswerArrives) {
  client.send("POST /echo HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 67108865\r\n\r\n");
  const std::string body(1u << 20, 'x');
  std::size_t sent = 0;
  ASSERT_TRUE(run_until([&] {
    if (sent < (64u << 20)) sent += client.send(body);
    return sent >= (64u << 20) || client.ended;
  }));
  ASSERT_TRUE(is_ended(client));
  EXPECT_TRUE(client.got.starts_with("HTTP/1.1 413 ")) << client.got;
}

TEST_F(ServerTest, ASlowReaderGetsEveryByte) {
  client.send(kGetLater);
  ASSERT_TRUE(has_replies(1));
  replies[0]->start_stream(200, "");
  const std::string piece(100'000, 'x');
  for (int i = 0; i < 300; ++i) replies[0]->write(piece);
  replies[0]->end();
  client.send(kGetEcho);
  settle();
  EXPECT_EQ(targets.size(), 1u) << "the next request waits until the answer is read";
  ASSERT_TRUE(gets(client, "GET /echo "));
  EXPECT_GT(client.got.size(), 300 * piece.size());
  EXPECT_EQ(gone, 0);
}

TEST_F(ServerTest, AClientThatSendsNoMoreGetsTheRestOfAWholeAnswer) {
  client.send(kGetLater);
  ASSERT_TRUE(has_replies(1));
  replies[0]->send(200, "", std::string(20'000'000, 'x'));
  client.shut_down_sending();
  settle();
  ASSERT_TRUE(is_ended(client));
  EXPECT_FALSE(client.reset);
  EXPECT_GT(client.got.size(), 20'000'000u);
}

TEST_F(ServerTest, AReaderThatIsTooSlowIsGone) {
  client.send(kGetLater);
  ASSERT_TRUE(has_replies(1));
  replies[0]->start_stream(200, "");
  const std::string piece(1u << 20, 'x');
  for (int i = 0; i < 63; ++i) replies[0]->write(piece);
  settle();
  EXPECT_EQ(gone, 0);
  for (int i = 0; i < 30; ++i) replies[0]->write(piece);
  EXPECT_EQ(gone, 0) << "not from within write()";
  EXPECT_TRUE(run_until([&] { return gone == 1; }));
  EXPECT_TRUE(is_ended(client));
}

TEST_F(ServerTest, AnIdleConnectionIsClosedAfterFiveSeconds) {
  Client late(server.port());
  Client silent(server.port());
  client.send(kGetEcho);
  late.send(kGetEcho);
  ASSERT_TRUE(gets(client, "GET /echo ") && gets(late, "GET /echo "));
  const auto begin = Clock::now();
  run_until([] { return false; }, 4700ms);
  late.send(kGetEcho.substr(0, 10));
  EXPECT_FALSE(client.ended);
  ASSERT_TRUE(is_ended(client));
  const auto idle = Clock::now() - begin;
  EXPECT_GT(idle, 4900ms);
  EXPECT_LT(idle, 6s);
  late.got.clear();
  late.send(kGetEcho.substr(10));
  EXPECT_TRUE(gets(late, "GET /echo ")) << "it had begun a request in time";
  silent.send(kGetEcho);
  EXPECT_TRUE(gets(silent, "GET /echo ")) << "the first request may take its time";
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
