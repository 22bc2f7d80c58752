#include "load/exchange.hpp"

#include <gtest/gtest.h>

#include <thread>

namespace memprof::load {
namespace {

class FakeConnection final : public http::Connection {
 public:
  void set_events(Events* events) override { events_ = events; }
  [[nodiscard]] bool alive() const override { return alive_; }
  void send(const Pieces&) override {}
  [[nodiscard]] bool sent() const override { return true; }
  void close() override {
    alive_ = false;
    ++closes_;
  }

  Events* events_ = nullptr;
  bool alive_ = true;
  int closes_ = 0;
};

class Listener final : public http::Connection::Events {
  void on_connected() override {}
  void on_read(std::string_view) override {}
  void on_end(bool, const http::Failure&) override {}
};

TEST(ConnectionPool, GivesTheOneUsedLast) {
  ConnectionPool pool;
  EXPECT_FALSE(pool.take());
  const auto first = std::make_shared<FakeConnection>();
  const auto second = std::make_shared<FakeConnection>();
  pool.put(first);
  pool.put(second);
  EXPECT_EQ(pool.take(), second);
  EXPECT_EQ(pool.take(), first);
  EXPECT_FALSE(pool.take());
  EXPECT_EQ(first->closes_, 0);
}

TEST(ConnectionPool, NobodyListensToAnIdleConnection) {
  ConnectionPool pool;
  Listener listener;
  const auto connection = std::make_shared<FakeConnection>();
  connection->set_events(&listener);
  pool.put(connection);
  EXPECT_EQ(connection->events_, nullptr);
}

TEST(ConnectionPool, PassesOverTheDead) {
  ConnectionPool pool;
  const auto good = std::make_shared<FakeConnection>();
  const auto dead = std::make_shared<FakeConnection>();
  pool.put(good);
  pool.put(dead);
  dead->alive_ = false;
  EXPECT_EQ(pool.take(), good);
  EXPECT_EQ(dead->closes_, 1);
}

TEST(ConnectionPool, FourSecondsIdleAreTooLong) {
  ConnectionPool pool;
  const auto early = std::make_shared<FakeConnection>();
  pool.put(early);
  std::this_thread::sleep_for(std::chrono::milliseconds(4050));
  const auto fresh = std::make_shared<FakeConnection>();
  pool.put(fresh);
  EXPECT_EQ(pool.take(), fresh);
  EXPECT_FALSE(pool.take());
  EXPECT_EQ(early->closes_, 1);
}

}  // namespace
}  // namespace memprof::load
