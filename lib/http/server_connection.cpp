#include "http/server_connection.hpp"

#include <boost/asio/post.hpp>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/read.hpp>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <array>
#include <cctype>
#include <cerrno>
#include <charconv>
#include <ctime>
#include <utility>

#include <sys/socket.h>

namespace memprof::http {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
using namespace std::chrono_literals;

constexpr std::uint32_t kMostHead = 64u << 10;
constexpr std::uint64_t kMostBody = 64u << 20;
constexpr std::size_t kMostUnread = 64u << 20;
constexpr auto kIdle = 5s;         // VLLM_HTTP_TIMEOUT_KEEP_ALIVE
constexpr auto kWholeRequest = 60s;
constexpr auto kLastBytes = 1s;

std::string_view reason(int status) {
  const auto known = beast::http::int_to_status(static_cast<unsigned>(status));
  const auto text = beast::http::obsolete_reason(known);
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
    over_ = true;
    connection_->send(status, content_type, body);
  }
  void start_stream(int status, std::string_view content_type) override {
    connection_->start_stream(status, content_type);
  }
  void write(std::string_view piece) override { connection_->write(piece); }
  void end() override {
    over_ = true;
    connection_->end();
  }
  void on_gone(std::function<void()> callback) override {
    connection_->on_gone(std::move(callback));
  }

 private:
  std::shared_ptr<ServerConnection> connection_;
  bool over_ = false;
};

}  // namespace

ServerConnection::ServerConnection(asio::ip::tcp::socket socket, std::shared_ptr<const Server::Handler> handler)
    : socket_(std::move(socket)), handler_(std::move(handler)), timer_(socket_.get_executor()) {
  boost::system::error_code ignored;
  socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
  socket_.non_blocking(true, ignored);
}

void ServerConnection::read_request() {
  parser_.emplace();
  parser_->header_limit(kMostHead);
  parser_->body_limit(kMostBody);
  close_after(first_ || buffer_.size() > 0 ? std::chrono::nanoseconds(kWholeRequest) : kIdle);
  beast::http::async_read_header(
      socket_, buffer_, *parser_,
      [self = shared_from_this()](const boost::system::error_code& error, std::size_t) {
        if (error) return self->refuse(error);
        self->read_body();
      });
}

void ServerConnection::read_body() {
  close_after(kWholeRequest);
  if (beast::iequals(parser_->get()[beast::http::field::expect], "100-continue")) {
    out_ += "HTTP/1.1 100 Continue\r\n\r\n";
    flush();
  }
  beast::http::async_read(
      socket_, buffer_, *parser_,
      [self = shared_from_this()](const boost::system::error_code& error, std::size_t) {
        if (error) return self->refuse(error);
        self->answer();
      });
}

void ServerConnection::answer() {
  timer_.cancel();
  auto message = parser_->release();
  ServerRequest request;
  request.method = message.method_string();
  request.target = message.target();
  request.body = std::move(message.body());
  for (const auto& field : message.base()) {
    std::string name = field.name_string();
    for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    request.headers.emplace_back(std::move(name), field.value());
  }
  keep_alive_ = message.keep_alive();
  head_only_ = message.method() == beast::http::verb::head;
  first_ = false;
  answering_ = true;
  watch_client();
  (*handler_)(std::move(request), std::make_shared<ConnectionReply>(shared_from_this()));
}

void ServerConnection::refuse(const boost::system::error_code& error) {
  timer_.cancel();
  const bool closed = error == beast::http::error::end_of_stream ||
                      error == beast::http::error::partial_message ||
                      error.category() == asio::error::get_system_category() ||
                      error.category() == asio::error::get_misc_category();
  if (closed || lost_) return drop();
  keep_alive_ = false;
  answering_ = true;
  const int status = error == beast::http::error::body_limit     ? 413
                     : error == beast::http::error::header_limit ? 431
                                                                 : 400;
  send(status, "text/plain; charset=utf-8", "Invalid HTTP request received.");
}

void ServerConnection::watch_client() {
  socket_.async_wait(
      asio::ip::tcp::socket::wait_read,
      [self = shared_from_this()](const boost::system::error_code& error) {
        if (error || !self->answering_ || self->lost_) return;
        char byte = 0;
        const auto got = ::recv(self->socket_.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
        if (got > 0) return;  // the next request; it waits
        if (got < 0 && (errno == EAGAIN || errno == EINTR)) return self->watch_client();
        self->lose_client();
      });
}

void ServerConnection::lose_client() {
  if (lost_) return;
  lost_ = true;
  drop();
  if (answering_ && gone_) std::exchange(gone_, {})();
}

/// Not from within a call of the answering side.
void ServerConnection::lose_client_soon() {
  asio::post(socket_.get_executor(), [self = shared_from_this()] { self->lose_client(); });
}

void ServerConnection::append_head(int status, std::string_view content_type) {
  fmt::format_to(std::back_inserter(out_), "HTTP/1.1 {} {}\r\ndate: {}\r\nserver: vllm_simulator\r\n",
                 status, reason(status), date_now());
  if (!content_type.empty()) out_.append("content-type: ").append(content_type).append("\r\n");
  if (!keep_alive_) out_ += "connection: close\r\n";
}

void ServerConnection::send(int status, std::string_view content_type, std::string_view body) {
  if (lost_) return;
  append_head(status, content_type);
  fmt::format_to(std::back_inserter(out_), "content-length: {}\r\n\r\n", body.size());
  if (!head_only_) out_ += body;
  answered();
}

void ServerConnection::start_stream(int status, std::string_view content_type) {
  if (lost_) return;
  append_head(status, content_type);
  out_ += "transfer-encoding: chunked\r\n\r\n";
  flush();
}

void ServerConnection::write(std::string_view piece) {
  if (lost_ || head_only_) return;
  std::array<char, 16> digits{};
  char* const end =
      std::to_chars(digits.data(), digits.data() + digits.size(), piece.size(), 16).ptr;
  out_.append(digits.data(), end).append("\r\n").append(piece).append("\r\n");
  if (!writing_) return flush();
  if (out_.size() - sent_ > kMostUnread) lose_client_soon();
}

void ServerConnection::end() {
  if (lost_) return;
  if (!head_only_) out_ += "0\r\n\r\n";
  answered();
}

void ServerConnection::flush() {
  while (sent_ < out_.size()) {
    const auto count = ::send(socket_.native_handle(), out_.data() + sent_, out_.size() - sent_,
                              MSG_NOSIGNAL | MSG_DONTWAIT);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) break;
    sent_ += static_cast<std::size_t>(count);
  }
  if (sent_ == out_.size()) {
    out_.clear();
    sent_ = 0;
    writing_ = false;
    return;
  }
  const bool full = errno == EAGAIN || errno == EWOULDBLOCK;
  writing_ = true;
  if (!full) return lose_client_soon();
  socket_.async_wait(asio::ip::tcp::socket::wait_write,
                     [self = shared_from_this()](const boost::system::error_code& error) {
                       if (error || self->lost_) return;
                       self->flush();
                       if (!self->writing_ && !self->answering_) self->go_on();
                     });
}

void ServerConnection::answered() {
  answering_ = false;
  gone_ = {};
  boost::system::error_code ignored;
  socket_.cancel(ignored);  // the look-out for the client's end
  writing_ = false;
  flush();
  if (!writing_) go_on();
}

void ServerConnection::go_on() {
  if (lost_) return;
  if (keep_alive_) return read_request();
  boost::system::error_code ignored;
  socket_.shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
  close_after(kLastBytes);
  read_to_the_end();
}

/// What the client still sends is read, so that our last bytes are not lost to a reset.
void ServerConnection::read_to_the_end() {
  socket_.async_wait(asio::ip::tcp::socket::wait_read,
                     [self = shared_from_this()](const boost::system::error_code& error) {
                       if (error || self->lost_) return;
                       std::array<char, 4096> bytes{};
                       const auto got = ::recv(self->socket_.native_handle(), bytes.data(),
                                               bytes.size(), MSG_DONTWAIT);
                       if (got > 0 || (got < 0 && errno == EAGAIN)) return self->read_to_the_end();
                       self->drop();
                     });
}

void ServerConnection::close_after(std::chrono::nanoseconds time) {
  timer_.expires_after(time);
  timer_.async_wait([weak = weak_from_this()](const boost::system::error_code& error) {
    if (error) return;
    if (const auto self = weak.lock()) self->drop();
  });
}

void ServerConnection::drop() {
  lost_ = true;
  timer_.cancel();
  boost::system::error_code ignored;
  socket_.close(ignored);
}

}  // namespace memprof::http
