#pragma once

#include "http/server.hpp"

#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include <cerrno>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace memprof::http {

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

inline constexpr std::string_view kGetEcho = "GET /echo HTTP/1.1\r\n\r\n";
inline constexpr std::string_view kGetLater = "GET /later HTTP/1.1\r\n\r\n";

}  // namespace memprof::http
