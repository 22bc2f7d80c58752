#include "http/server_connection.hpp"

#include <boost/asio/post.hpp>
#include <boost/beast/http/status.hpp>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <ctime>
#include <iterator>
#include <utility>

#include <sys/socket.h>

namespace memprof::http {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
using namespace std::chrono_literals;
using ErrorCode = boost::system::error_code;
using asio::ip::tcp;

constexpr std::size_t kReadBytes = 64u << 10;
constexpr std::size_t kMostAhead = 64u << 10;   // that a client sends before its turn
constexpr std::size_t kMostUnread = 64u << 20;  // that a client does not read
constexpr std::size_t kKeptBuffer = 1u << 20;
constexpr auto kIdle = 5s;  // VLLM_HTTP_TIMEOUT_KEEP_ALIVE
constexpr auto kWholeRequest = 60s;
constexpr auto kStalled = 60s;
constexpr auto kLastBytes = 1s;

std::string_view reason(int status) {
  const auto text = beast::http::obsolete_reason(static_cast<beast::http::status>(status));
  return {text.data(), text.size()};
}

/// The `date` header's value, made anew each second.
std::string_view date_now() {
  static std::time_t made = 0;
  static std::string text;
  const auto now = std::time(nullptr);
  if (now != made || text.empty()) {
    made = now;
    text = fmt::format("{:%a, %d %b %Y %H:%M:%S} GMT", fmt::gmtime(now));
  }
  return text;
}

/// One request's hold on its connection.
class ConnectionReply final : public Reply {
 public:
  explicit ConnectionReply(std::shared_ptr<ServerConnection> connection)
      : connection_(std::move(connection)) {}
  ~ConnectionReply() override {
    if (!over_) connection_->drop();
  }
  ConnectionReply(const ConnectionReply&) = delete;
  ConnectionReply& operator=(const ConnectionReply&) = delete;

  void send(int status, std::string_view content_type, std::string_view body) override {
    if (!std::exchange(over_, true)) connection_->send(status, content_type, body);
  }
  void start_stream(int status, std::string_view content_type) override {
    if (!over_) connection_->start_stream(status, content_type);
  }
  void write(std::string_view piece) override {
    if (!over_) connection_->write(piece);
  }
  void end() override {
    if (!std::exchange(over_, true)) connection_->end();
  }
  void on_gone(std::function<void()> callback) override {
    if (!over_) connection_->on_gone(std::move(callback));
  }

 private:
  std::shared_ptr<ServerConnection> connection_;
  bool over_ = false;  // the connection may have gone on to another request
};

}  // namespace

ServerConnection::ServerConnection(tcp::socket socket,
                                   std::shared_ptr<const Server::Handler> handler)
    : socket_(std::move(socket)), handler_(std::move(handler)), timer_(socket_.get_executor()) {}

void ServerConnection::start() {
  ErrorCode ignored;
  socket_.set_option(tcp::no_delay(true), ignored);
  lose_client_after(kWholeRequest);
  wait_readable();
}

void ServerConnection::wait_readable() {
  if (waits_readable_ || phase_ == Phase::closed) return;
  waits_readable_ = true;
  socket_.async_wait(tcp::socket::wait_read, [self = shared_from_this()](const ErrorCode& error) {
    self->waits_readable_ = false;
    if (!error && self->phase_ != Phase::closed) self->on_readable();
  });
}

void ServerConnection::on_readable() {
  std::array<char, kReadBytes> bytes;  // NOLINT: what is read of it has been written
  const auto got = ::recv(socket_.native_handle(), bytes.data(), bytes.size(), MSG_DONTWAIT);
  if (got > 0) {
    take_bytes({bytes.data(), static_cast<std::size_t>(got)});
  } else if (got == 0 || (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)) {
    return on_client_end(got == 0);
  }
  const bool must_wait = phase_ == Phase::answering || phase_ == Phase::draining;
  if (!must_wait || parser_.waiting_bytes() < kMostAhead) wait_readable();
}

void ServerConnection::take_bytes(std::string_view bytes) {
  if (phase_ == Phase::closing) return;
  parser_.append(bytes);
  if (phase_ == Phase::reading) read_requests();
}

void ServerConnection::on_client_end(bool orderly) {
  // A client that sends no more may still read what is on its way; an answer that is not whole
  // yet is not worth making, as in front of vLLM.
  if (phase_ == Phase::draining && orderly) {
    keep_alive_ = false;
  } else {
    lose_client();
  }
}

void ServerConnection::read_requests() {
  in_read_requests_ = true;
  while (phase_ == Phase::reading) {
    const auto state = parser_.parse();
    if (state == RequestParser::State::complete) {
      answer();
    } else if (state == RequestParser::State::failed) {
      refuse();
    } else {
      if (parser_.has_begun() && !std::exchange(request_begun_, true)) {
        lose_client_after(kWholeRequest);
      }
      if (parser_.wants_continue()) {
        out_ += "HTTP/1.1 100 Continue\r\n\r\n";
        flush();
      }
      break;
    }
  }
  in_read_requests_ = false;
}

void ServerConnection::answer() {
  forget_time();
  auto request = parser_.take();
  keep_alive_ = parser_.keep_alive();
  head_only_ = request.method == "HEAD";
  request_begun_ = false;
  phase_ = Phase::answering;
  (*handler_)(std::move(request), std::make_shared<ConnectionReply>(shared_from_this()));
}

void ServerConnection::refuse() {
  keep_alive_ = false;
  head_only_ = false;
  const int status = parser_.failed_status();
  send(status, "text/plain; charset=utf-8",
       status == 413   ? "Request body larger than 64 MiB."
       : status == 431 ? "Request head larger than 64 KiB."
                       : "Invalid HTTP request received.");
}

void ServerConnection::append_head(int status, std::string_view content_type) {
  fmt::format_to(std::back_inserter(out_),
                 "HTTP/1.1 {} {}\r\ndate: {}\r\nserver: vllm_simulator\r\n", status, reason(status),
                 date_now());
  if (!content_type.empty()) out_.append("content-type: ").append(content_type).append("\r\n");
  if (!keep_alive_) out_ += "connection: close\r\n";
}

void ServerConnection::send(int status, std::string_view content_type, std::string_view body) {
  if (is_lost()) return;
  append_head(status, content_type);
  fmt::format_to(std::back_inserter(out_), "content-length: {}\r\n\r\n", body.size());
  if (!head_only_) out_ += body;
  answered();
}

void ServerConnection::start_stream(int status, std::string_view content_type) {
  if (is_lost()) return;
  append_head(status, content_type);
  out_ += "transfer-encoding: chunked\r\n\r\n";
  if (!waits_writable_) flush();
}

void ServerConnection::write(std::string_view piece) {
  if (is_lost() || head_only_) return;
  std::array<char, 16> digits{};
  char* const end =
      std::to_chars(digits.data(), digits.data() + digits.size(), piece.size(), 16).ptr;
  out_.append(digits.data(), end).append("\r\n").append(piece).append("\r\n");
  if (!waits_writable_) {
    flush();
  } else if (out_.size() - sent_ > kMostUnread) {
    lose_client_soon();
  }
}

void ServerConnection::end() {
  if (is_lost()) return;
  if (!head_only_) out_ += "0\r\n\r\n";
  answered();
}

void ServerConnection::flush() {
  while (sent_ < out_.size()) {
    const auto count = ::send(socket_.native_handle(), out_.data() + sent_, out_.size() - sent_,
                              MSG_NOSIGNAL | MSG_DONTWAIT);
    if (count >= 0) {
      sent_ += static_cast<std::size_t>(count);
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      return wait_writable();
    } else if (errno != EINTR) {
      return lose_client_soon();
    }
  }
  sent_ = 0;
  out_.clear();
  if (out_.capacity() > kKeptBuffer) out_.shrink_to_fit();
}

void ServerConnection::wait_writable() {
  if (sent_ > out_.size() / 2) {  // else what a slow but steady reader has read would pile up
    out_.erase(0, sent_);
    sent_ = 0;
  }
  lose_client_after(kStalled);
  if (waits_writable_) return;
  waits_writable_ = true;
  socket_.async_wait(tcp::socket::wait_write, [self = shared_from_this()](const ErrorCode& error) {
    self->waits_writable_ = false;
    if (error || self->is_lost()) return;
    self->flush();
    if (self->waits_writable_ || self->is_lost()) return;
    if (self->phase_ == Phase::answering) self->forget_time();
    if (self->phase_ == Phase::draining) self->go_on();
  });
}

void ServerConnection::answered() {
  gone_ = {};
  phase_ = Phase::draining;
  if (!waits_writable_) flush();
  if (!waits_writable_ && !is_lost()) go_on();
}

void ServerConnection::go_on() {
  wait_readable();
  if (!keep_alive_) {
    ErrorCode ignored;
    socket_.shutdown(tcp::socket::shutdown_send, ignored);
    phase_ = Phase::closing;  // reading on, so that our last bytes are not lost to a reset
    return lose_client_after(kLastBytes);
  }
  phase_ = Phase::reading;
  lose_client_after(kIdle);
  if (in_read_requests_ || parser_.waiting_bytes() == 0) return;
  // Not at once: we are in a call of the handler's.
  asio::post(socket_.get_executor(), [self = shared_from_this()] {
    if (self->phase_ == Phase::reading) self->read_requests();
  });
}

void ServerConnection::lose_client() {
  const bool was_answering = phase_ == Phase::answering;
  drop();
  if (auto gone = std::exchange(gone_, {}); gone && was_answering) gone();
}

/// When in a call of the handler's.
void ServerConnection::lose_client_soon() {
  if (std::exchange(losing_, true)) return;
  asio::post(socket_.get_executor(), [self = shared_from_this()] { self->lose_client(); });
}

void ServerConnection::lose_client_after(std::chrono::nanoseconds time) {
  timer_.expires_after(time);
  timer_.async_wait([weak = weak_from_this()](const ErrorCode& error) {
    const auto self = weak.lock();
    // It may have been put off after it fired.
    if (error || !self || std::chrono::steady_clock::now() < self->timer_.expiry()) return;
    self->lose_client();
  });
}

void ServerConnection::forget_time() {
  timer_.expires_at(std::chrono::steady_clock::time_point::max());
}

void ServerConnection::drop() {
  phase_ = Phase::closed;
  ErrorCode ignored;
  timer_.cancel(ignored);
  socket_.close(ignored);
}

}  // namespace memprof::http
