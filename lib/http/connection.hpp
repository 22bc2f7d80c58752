#pragma once

#include "http/failure.hpp"
#include "http/url.hpp"

#include <boost/asio/io_context.hpp>

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace memprof::http {

/// One TCP or TLS connection. Reading goes on from the moment it is connected until it is closed,
/// so that a server's close is seen at once, idle or not. Used from one thread.
class Connection {
 public:
  /// What happens to the connection's present user. A call may close the connection, and may take
  /// the connection's last reference away.
  class Events {
   public:
    virtual void on_connected() = 0;
    /// Bytes of the answer, never none; valid during the call.
    virtual void on_read(std::string_view bytes) = 0;
    /// No byte will come any more; the connection is closed. `orderly`: the other side closed it
    /// after its last byte; else `failure` says what broke.
    virtual void on_end(bool orderly, const Failure& failure) = 0;

   protected:
    ~Events() = default;
  };
  /// Pieces of a request, sent as one; their bytes must stay until the answer has come or the
  /// connection is closed.
  using Pieces = std::array<std::string_view, 4>;

  virtual ~Connection() = default;
  /// Nobody listens while it is null: then any event closes the connection.
  virtual void set_events(Events* events) = 0;
  /// Connected, and nothing has ended it.
  [[nodiscard]] virtual bool alive() const = 0;
  virtual void send(const Pieces& pieces) = 0;
  /// All pieces have been given to the kernel.
  [[nodiscard]] virtual bool sent() const = 0;
  /// No event comes after it. May be called twice.
  virtual void close() = 0;
};

/// Address and TLS settings, shared by a server's connections.
struct ServerAddress;

/// Opens connections to one server. The name is resolved once; address literals ask no resolver.
class Connector {
 public:
  /// Fails with a ToolError when `ca_file` cannot be used.
  Connector(boost::asio::io_context& io, Url url, const std::optional<std::string>& ca_file,
            bool insecure);
  ~Connector();

  /// Begins to connect; on_connected or on_end follows, never during the call. The caller watches
  /// the time and closes.
  std::shared_ptr<Connection> open(Connection::Events& events);

 private:
  std::shared_ptr<ServerAddress> address_;
};

}  // namespace memprof::http
