#include "http/connection.hpp"

#include "records/error.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/write.hpp>
#include <fmt/format.h>

#include <type_traits>
#include <vector>

namespace memprof::http {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using ErrorCode = boost::system::error_code;
using TlsStream = asio::ssl::stream<tcp::socket>;

/// Answers are small, or come in small pieces; 5,000 connections have 5,000 of these.
constexpr std::size_t kReadBytes = 4096;
constexpr std::size_t kWriteBytes = 65536;

}  // namespace

struct ServerAddress {
  ServerAddress(asio::io_context& context, Url address)
      : io(context), url(std::move(address)), resolver(io) {
    if (url.tls) tls.emplace(asio::ssl::context::tls_client);
  }

  asio::io_context& io;
  Url url;
  tcp::resolver resolver;
  std::optional<asio::ssl::context> tls;  // https only: OpenSSL leaves something in each thread
  bool insecure = false;
  std::vector<tcp::endpoint> endpoints;  // empty: not resolved yet
};

namespace {

/// `Stream`: tcp::socket or TlsStream.
template <class Stream>
class StreamConnection final : public Connection,
                               public std::enable_shared_from_this<StreamConnection<Stream>> {
 public:
  StreamConnection(std::shared_ptr<ServerAddress> owner, Stream stream, Events& events)
      : owner_(std::move(owner)), stream_(std::move(stream)), events_(&events) {}

  void open() {
    if (!owner_->endpoints.empty()) return connect();
    ErrorCode error;
    const auto literal = asio::ip::make_address(owner_->url.host, error);
    if (!error) {
      owner_->endpoints = {tcp::endpoint(literal, owner_->url.port)};
      return connect();
    }
    owner_->resolver.async_resolve(
        owner_->url.host, std::to_string(owner_->url.port),
        [self = this->shared_from_this()](ErrorCode failed,
                                          const tcp::resolver::results_type& found) {
          if (self->closed_) return;
          if (failed) return self->end(false, "dns", failed);
          self->owner_->endpoints.assign(found.begin(), found.end());
          self->connect();
        });
  }

  void set_events(Events* events) override { events_ = events; }
  [[nodiscard]] bool alive() const override { return connected_ && !closed_; }
  [[nodiscard]] bool sent() const override { return !writing_; }

  void send(const Pieces& pieces) override {
    writing_ = true;
    std::array<asio::const_buffer, std::tuple_size_v<Pieces>> buffers;
    for (std::size_t i = 0; i < pieces.size(); ++i) {
      buffers[i] = asio::buffer(pieces[i].data(), pieces[i].size());
    }
    // Once closed, the pieces may be gone: TLS would still encrypt the next of them.
    const auto go_on = [self = this->shared_from_this()](ErrorCode error, std::size_t) {
      return error || self->closed_ ? std::size_t{0} : kWriteBytes;
    };
    asio::async_write(stream_, buffers, go_on,
                      [self = this->shared_from_this()](ErrorCode error, std::size_t) {
                        // A failed write is told by the read: the server may have answered before
                        // it closed, and that answer is the truth.
                        if (!error) self->writing_ = false;
                      });
  }

  void close() override {
    if (closed_) return;
    closed_ = true;
    events_ = nullptr;
    ErrorCode ignored;
    socket().close(ignored);
  }

 private:
  tcp::socket& socket() {
    if constexpr (std::is_same_v<Stream, TlsStream>) {
      return stream_.next_layer();
    } else {
      return stream_;
    }
  }

  /// To one address after the other. Asio's own way of doing this says "canceled" of a socket that
  /// could not be made, whatever the reason.
  void connect(std::size_t address = 0) {
    socket().async_connect(
        owner_->endpoints[address],
        [self = this->shared_from_this(), address](ErrorCode error) {
          if (self->closed_) return;
          ErrorCode ignored;
          if (error) {
            if (address + 1 == self->owner_->endpoints.size()) {
              return self->end(false, "connect", error);
            }
            self->socket().close(ignored);
            return self->connect(address + 1);
          }
          self->socket().set_option(tcp::no_delay(true), ignored);
          self->handshake();
        });
  }

  void handshake() {
    if constexpr (std::is_same_v<Stream, TlsStream>) {
      stream_.async_handshake(asio::ssl::stream_base::client,
                              [self = this->shared_from_this()](ErrorCode error) {
                                if (self->closed_) return;
                                if (error) return self->end(false, "tls", error);
                                self->ready();
                              });
    } else {
      ready();
    }
  }

  void ready() {
    connected_ = true;
    read();
    if (events_ != nullptr) events_->on_connected();
  }

  void read() {
    stream_.async_read_some(asio::buffer(buffer_),
                            [self = this->shared_from_this()](ErrorCode error, std::size_t bytes) {
                              self->on_read(error, bytes);
                            });
  }

  void on_read(ErrorCode error, std::size_t bytes) {
    if (closed_) return;
    if (error) {
      const bool orderly = error == asio::error::eof || error == asio::ssl::error::stream_truncated;
      return end(orderly, "disconnected", error);
    }
    if (events_ == nullptr) return close();
    events_->on_read({buffer_.data(), bytes});
    if (!closed_) read();
  }

  void end(bool orderly, const char* reason, ErrorCode error) {
    Events* events = events_;
    close();
    if (events == nullptr) return;
    std::string words = error.message();
    if constexpr (std::is_same_v<Stream, TlsStream>) {
      const long verdict = ::SSL_get_verify_result(stream_.native_handle());
      if (verdict != X509_V_OK && !owner_->insecure) {
        words += fmt::format(": {}", ::X509_verify_cert_error_string(verdict));
      }
    }
    events->on_end(orderly, {reason, std::move(words)});
  }

  std::shared_ptr<ServerAddress> owner_;
  Stream stream_;
  Events* events_;
  bool connected_ = false;
  bool closed_ = false;
  bool writing_ = false;
  std::array<char, kReadBytes> buffer_;
};

/// The name that the server shall show, and that its certificate must have (OpenSSL's own check
/// says what is wrong; Asio's says "unspecified"). Without verification it changes nothing.
void set_server_name(TlsStream& stream, std::string& host) {
  auto* expected = ::SSL_get0_param(stream.native_handle());
  ErrorCode not_a_literal;
  asio::ip::make_address(host, not_a_literal);
  if (!not_a_literal) {
    ::X509_VERIFY_PARAM_set1_ip_asc(expected, host.c_str());
    return;
  }
  ::X509_VERIFY_PARAM_set1_host(expected, host.data(), host.size());
  // What the macro SSL_set_tlsext_host_name does, without its C cast; names only.
  ::SSL_ctrl(stream.native_handle(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
             host.data());
}

void configure_tls(asio::ssl::context& tls, const std::optional<std::string>& ca_file,
                   bool insecure) {
  ::SSL_CTX_set_min_proto_version(tls.native_handle(), TLS1_2_VERSION);
  ErrorCode error;
  if (ca_file) {
    tls.load_verify_file(*ca_file, error);
    if (error) {
      throw ToolError(ExitCode::environment,
                      fmt::format("--ca-file: {}: not a readable PEM file of certificates",
                                  *ca_file));
    }
  } else {
    tls.set_default_verify_paths(error);
  }
  tls.set_verify_mode(insecure ? asio::ssl::verify_none : asio::ssl::verify_peer, error);
}

}  // namespace

Connector::Connector(asio::io_context& io, Url url, const std::optional<std::string>& ca_file,
                     bool insecure)
    : address_(std::make_shared<ServerAddress>(io, std::move(url))) {
  address_->insecure = insecure;
  if (address_->url.tls) configure_tls(*address_->tls, ca_file, insecure);
}

Connector::~Connector() = default;

std::shared_ptr<Connection> Connector::open(Connection::Events& events) {
  if (!address_->url.tls) {
    auto connection = std::make_shared<StreamConnection<tcp::socket>>(
        address_, tcp::socket(address_->io), events);
    connection->open();
    return connection;
  }
  TlsStream stream(address_->io, *address_->tls);
  set_server_name(stream, address_->url.host);
  auto connection =
      std::make_shared<StreamConnection<TlsStream>>(address_, std::move(stream), events);
  connection->open();
  return connection;
}

}  // namespace memprof::http
