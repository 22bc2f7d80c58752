#include "http/server.hpp"

#include "http/server_connection.hpp"
#include "records/error.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

namespace memprof::http {
namespace {

namespace asio = boost::asio;

/// Without descriptors a server can only wait until clients have gone.
constexpr auto kAfterFailedAccept = std::chrono::milliseconds(100);

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

/// Literals ask no resolver.
asio::ip::address address_of(asio::io_context& io, const std::string& host,
                             boost::system::error_code& error) {
  auto literal = asio::ip::make_address(host, error);
  if (!error) return literal;
  const auto found = asio::ip::tcp::resolver(io).resolve(host, "", error);
  return error ? asio::ip::address() : found.begin()->endpoint().address();
}

std::string percent_decoded(std::string_view text) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool whole = text[i] == '%' && i + 2 < text.size();
    const int high = whole ? hex_value(text[i + 1]) : -1;
    const int low = whole ? hex_value(text[i + 2]) : -1;
    if (high >= 0 && low >= 0) {
      decoded += static_cast<char>(high * 16 + low);
      i += 2;
    } else {
      decoded += text[i] == '+' ? ' ' : text[i];
    }
  }
  return decoded;
}

}  // namespace

std::string_view ServerRequest::path() const {
  const std::string_view whole = target;
  return whole.substr(0, whole.find('?'));
}

std::optional<std::string_view> ServerRequest::header(std::string_view name) const {
  for (const auto& [key, value] : headers) {
    if (key == name) return value;
  }
  return {};
}

std::vector<std::string> ServerRequest::query_values(std::string_view key) const {
  std::vector<std::string> values;
  std::string_view rest = target;
  const auto begin = rest.find('?');
  if (begin == std::string_view::npos) return values;
  rest.remove_prefix(begin + 1);
  while (!rest.empty()) {
    const auto pair = rest.substr(0, rest.find('&'));
    rest.remove_prefix(std::min(rest.size(), pair.size() + 1));
    const auto equals = pair.find('=');
    if (equals == std::string_view::npos) continue;
    if (percent_decoded(pair.substr(0, equals)) != key) continue;
    values.push_back(percent_decoded(pair.substr(equals + 1)));
  }
  return values;
}

class Server::Listener : public std::enable_shared_from_this<Listener> {
 public:
  Listener(asio::io_context& io, const std::string& host, std::uint16_t port, Handler handler)
      : handler_(std::make_shared<const Handler>(std::move(handler))), acceptor_(io), again_(io) {
    boost::system::error_code error;
    const auto address = address_of(io, host, error);
    const asio::ip::tcp::endpoint endpoint(address, port);
    if (!error) acceptor_.open(endpoint.protocol(), error);
    if (!error) acceptor_.set_option(asio::socket_base::reuse_address(true), error);
    if (!error) acceptor_.bind(endpoint, error);
    if (!error) acceptor_.listen(asio::socket_base::max_listen_connections, error);
    if (error) {
      throw ToolError(ExitCode::environment,
                      fmt::format("cannot listen on {} port {}: {}", host, port, error.message()));
    }
  }

  void accept() {
    acceptor_.async_accept([self = shared_from_this()](const boost::system::error_code& error,
                                                       asio::ip::tcp::socket socket) {
      if (!self->acceptor_.is_open()) return;
      if (error) return self->accept_later();
      std::make_shared<ServerConnection>(std::move(socket), self->handler_)->start();
      self->accept();
    });
  }
  void close() {
    boost::system::error_code ignored;
    acceptor_.close(ignored);
    again_.cancel(ignored);
  }
  [[nodiscard]] std::uint16_t port() const { return acceptor_.local_endpoint().port(); }

 private:
  void accept_later() {
    again_.expires_after(kAfterFailedAccept);
    again_.async_wait([self = shared_from_this()](const boost::system::error_code& error) {
      if (!error && self->acceptor_.is_open()) self->accept();
    });
  }

  std::shared_ptr<const Handler> handler_;
  asio::ip::tcp::acceptor acceptor_;
  asio::steady_timer again_;
};

Server::Server(asio::io_context& io, const std::string& host, std::uint16_t port, Handler handler)
    : listener_(std::make_shared<Listener>(io, host, port, std::move(handler))) {
  listener_->accept();
}

Server::~Server() { listener_->close(); }

std::uint16_t Server::port() const { return listener_->port(); }

}  // namespace memprof::http
