#pragma once

#include "http/server.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <string>

namespace memprof::http {

/// A client's connection: reads a request, waits for its answer, and again. It lives as long as an
/// operation of its own or a Reply holds it.
class ServerConnection : public std::enable_shared_from_this<ServerConnection> {
 public:
  ServerConnection(boost::asio::ip::tcp::socket socket, std::shared_ptr<const Server::Handler> handler);

  void start() { read_request(); }

  void send(int status, std::string_view content_type, std::string_view body);
  void start_stream(int status, std::string_view content_type);
  void write(std::string_view piece);
  void end();
  void on_gone(std::function<void()> callback) { gone_ = std::move(callback); }
  void drop();  ///< closes at once

 private:
  using Parser = boost::beast::http::request_parser<boost::beast::http::string_body>;

  void read_request();
  void read_body();
  void answer();
  void refuse(const boost::system::error_code& error);
  void watch_client();
  void lose_client();
  void lose_client_soon();
  void append_head(int status, std::string_view content_type);
  void flush();
  void answered();
  void go_on();
  void read_to_the_end();
  void close_after(std::chrono::nanoseconds time);

  boost::asio::ip::tcp::socket socket_;
  std::shared_ptr<const Server::Handler> handler_;
  boost::asio::steady_timer timer_;
  boost::beast::flat_buffer buffer_;
  std::optional<Parser> parser_;
  std::string out_;
  std::size_t sent_ = 0;      ///< of out_
  bool writing_ = false;      ///< waits until the socket takes more
  bool answering_ = false;    ///< a request is being answered
  bool keep_alive_ = false;
  bool head_only_ = false;    ///< HEAD
  bool first_ = true;         ///< no request has come yet
  bool lost_ = false;
  std::function<void()> gone_;
};

}  // namespace memprof::http
