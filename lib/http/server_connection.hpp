#pragma once

#include "http/request_parser.hpp"
#include "http/server.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace memprof::http {

/// A client's connection: a request, its answer, and again. It lives as long as an operation of its
/// own or a Reply holds it. It reads all the time, so that the client's end is seen at once; what
/// the client sends ahead waits in the parser.
class ServerConnection : public std::enable_shared_from_this<ServerConnection> {
 public:
  ServerConnection(boost::asio::ip::tcp::socket socket,
                   std::shared_ptr<const Server::Handler> handler);

  void start();

  // For the Reply to the request in hand; see there.
  void send(int status, std::string_view content_type, std::string_view body);
  void start_stream(int status, std::string_view content_type);
  void write(std::string_view piece);
  void end();
  void on_gone(std::function<void()> callback) { gone_ = std::move(callback); }
  void drop();  ///< closes at once; nobody is told

 private:
  enum class Phase {
    reading,    ///< a request
    answering,  ///< the handler has it
    draining,   ///< the answer is whole; its last bytes wait for the client
    closing,    ///< all was sent; until the client closes too
    closed
  };

  void wait_readable();
  void on_readable();
  void take_bytes(std::string_view bytes);
  void on_client_end(bool orderly);
  void read_requests();
  void answer();
  void refuse();

  void append_head(int status, std::string_view content_type);
  void flush();
  void wait_writable();
  void answered();
  void go_on();

  void lose_client();
  void lose_client_soon();
  [[nodiscard]] bool is_lost() const { return losing_ || phase_ == Phase::closed; }
  void lose_client_after(std::chrono::nanoseconds time);
  void forget_time();

  boost::asio::ip::tcp::socket socket_;
  std::shared_ptr<const Server::Handler> handler_;
  boost::asio::steady_timer timer_;
  RequestParser parser_;
  Phase phase_ = Phase::reading;
  std::string out_;
  std::size_t sent_ = 0;        ///< of out_
  bool waits_readable_ = false;
  bool waits_writable_ = false;
  bool in_read_requests_ = false;
  bool request_begun_ = false;  ///< its time is running
  bool keep_alive_ = false;
  bool head_only_ = false;      ///< HEAD
  bool losing_ = false;         ///< lose_client() is on its way
  std::function<void()> gone_;
};

}  // namespace memprof::http
