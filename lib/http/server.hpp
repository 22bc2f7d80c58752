#pragma once

#include <boost/asio/io_context.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace memprof::http {

/// A request as a server got it, whole.
struct ServerRequest {
  std::string method;
  std::string target;  ///< as sent: path and query
  std::vector<std::pair<std::string, std::string>> headers;  ///< names in lower case
  std::string body;

  [[nodiscard]] std::string_view path() const;
  /// `name` in lower case; the first of several.
  [[nodiscard]] std::optional<std::string_view> header(std::string_view name) const;
  /// The values of a query's key, percent-decoded; the key as it is sent or encoded.
  [[nodiscard]] std::vector<std::string> query_values(std::string_view key) const;
};

/// The answer to one request. Exactly one of send() and start_stream() … end() must be called, at
/// any time; dropped without either, the connection is closed. What is sent to a client that is
/// gone is thrown away.
class Reply {
 public:
  virtual ~Reply() = default;

  /// A whole answer; no content type: none is said.
  virtual void send(int status, std::string_view content_type, std::string_view body) = 0;
  /// The head of an answer that comes in pieces (chunked).
  virtual void start_stream(int status, std::string_view content_type) = 0;
  /// A piece, which leaves at once as far as the socket takes it; never empty. What a slow client
  /// does not read is kept, up to 64 MiB; then it counts as gone.
  virtual void write(std::string_view piece) = 0;
  virtual void end() = 0;
  /// Called once when the client closes before the answer's end, never from within a call here.
  virtual void on_gone(std::function<void()> callback) = 0;
};

/// An HTTP/1.1 server for an io_context that one thread runs; it behaves as the one in front of
/// vLLM 0.32 does: idle connections end after 5 s, pipelined requests are answered in order, a body
/// may have 64 MiB and a head 64 KiB.
class Server {
 public:
  using Handler = std::function<void(ServerRequest&&, std::shared_ptr<Reply>)>;

  /// Listens when this returns. `host` is an address, `port` 0 a free one. Throws a ToolError
  /// (environment).
  Server(boost::asio::io_context& io, const std::string& host, std::uint16_t port,
         Handler handler);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  [[nodiscard]] std::uint16_t port() const;

 private:
  class Listener;
  std::shared_ptr<Listener> listener_;
};

}  // namespace memprof::http
