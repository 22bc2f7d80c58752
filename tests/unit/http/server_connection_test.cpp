// What ends a connection: the client, limits, time.
#include "http/server_connection.hpp"

#include "server_fixture.hpp"

namespace memprof::http {
namespace {

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

TEST_F(ServerTest, AClientsEndIsSeenByWritingToo) {
  client.send(kGetLater);
  ASSERT_TRUE(has_replies(1));
  replies[0]->start_stream(200, "");
  client.reset_connection();
  replies[0]->write("x");
  replies[0]->write("y");
  EXPECT_EQ(gone, 0) << "not from within write()";
  ASSERT_TRUE(run_until([&] { return gone == 1; }, 1s));
  settle();
  EXPECT_EQ(gone, 1);
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

}  // namespace
}  // namespace memprof::http
