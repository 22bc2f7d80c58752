#include "http/response_parser.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>
#include <fmt/format.h>

#include <string>

namespace memprof::http {
namespace {

namespace beast = boost::beast;
using ErrorCode = boost::system::error_code;
constexpr std::uint32_t kMostHeadBytes = 64 << 10;

/// Beast's parser with its pieces handed on at once. One object per response.
class Parser final : public beast::http::basic_parser<false> {
 public:
  explicit Parser(ResponseParser::Sink& sink) : sink_(sink) {
    eager(true);
    header_limit(kMostHeadBytes + 4);  // with the empty line
    body_limit(boost::none);
  }
  /// A word before the answer. 101 is none: behind it follows another protocol.
  [[nodiscard]] bool interim() const { return status_ / 100 == 1 && !switched(); }
  [[nodiscard]] bool switched() const { return status_ == 101; }
  [[nodiscard]] std::string_view content_encoding() const { return content_encoding_; }
  [[nodiscard]] bool any_chunk() const { return any_chunk_; }

 private:
  void on_request_impl(beast::http::verb, beast::string_view, beast::string_view, int,
                       ErrorCode&) override {}
  void on_response_impl(int code, beast::string_view, int, ErrorCode&) override { status_ = code; }
  void on_field_impl(beast::http::field name, beast::string_view, beast::string_view value,
                     ErrorCode&) override {
    if (name == beast::http::field::content_type) content_type_.assign(value.data(), value.size());
    if (name == beast::http::field::content_encoding) {
      content_encoding_.assign(value.data(), value.size());
    }
  }
  void on_header_impl(ErrorCode&) override {
    if (!interim()) sink_.on_head(status_, content_type_);
  }
  void on_body_init_impl(boost::optional<std::uint64_t> const&, ErrorCode&) override {}
  std::size_t on_body_impl(beast::string_view body, ErrorCode&) override {
    sink_.on_body({body.data(), body.size()});
    return body.size();
  }
  void on_chunk_header_impl(std::uint64_t, beast::string_view, ErrorCode&) override {
    any_chunk_ = true;
  }
  std::size_t on_chunk_body_impl(std::uint64_t, beast::string_view body, ErrorCode&) override {
    sink_.on_body({body.data(), body.size()});
    return body.size();
  }
  void on_finish_impl(ErrorCode&) override {}

  ResponseParser::Sink& sink_;
  int status_ = 0;
  bool any_chunk_ = false;
  std::string content_type_;
  std::string content_encoding_;
};

}  // namespace

struct ResponseParser::Impl {
  explicit Impl(Sink& to) : sink(to) { parser.emplace(to); }

  Sink& sink;
  std::optional<Parser> parser;
  std::string carry;  // bytes that Beast wants to see again, with more behind them
  bool surplus = false;
  bool any_bytes = false;
  std::size_t interim_bytes = 0;  // an answer of words before the answer alone never ends
  Failure failure;

  State fail(const ErrorCode& error) {
    if (error == beast::http::error::header_limit) {
      failure = {"too_large",
                 fmt::format("response head larger than {} KiB", kMostHeadBytes >> 10)};
    } else {
      failure = {"bad_response", fmt::format("not an HTTP response: {}", error.message())};
    }
    return State::failed;
  }

  State parse(std::string_view& bytes) {
    while (!bytes.empty()) {
      if (!parser->is_header_done()) {
        // Before the end of a head, which a server of another kind never sends.
        if (!std::string_view("HTTP/").starts_with(bytes.substr(0, 5))) {
          return fail(beast::http::error::bad_version);
        }
        // What Beast says of a broken head that comes in pieces depends on where it is cut.
        const auto end = bytes.find("\r\n\r\n");
        if (end > kMostHeadBytes && bytes.size() >= kMostHeadBytes + 4) {
          return fail(beast::http::error::header_limit);
        }
        if (end == std::string_view::npos) break;
      }
      ErrorCode error;
      const auto used = parser->put(boost::asio::buffer(bytes.data(), bytes.size()), error);
      bytes.remove_prefix(used);
      if (error == beast::http::error::need_more) break;
      if (error) return fail(error);
      if (parser->is_done() && parser->interim()) {
        interim_bytes += used;
        if (interim_bytes > kMostHeadBytes) return fail(beast::http::error::header_limit);
        parser.emplace(sink);
      } else if (parser->is_done()) {
        surplus = !bytes.empty();
        return State::complete;
      } else if (used == 0) {
        break;
      }
    }
    return State::reading;
  }
};

ResponseParser::ResponseParser(Sink& sink) : impl_(std::make_unique<Impl>(sink)) {}
ResponseParser::~ResponseParser() = default;

void ResponseParser::reset() {
  impl_->parser.emplace(impl_->sink);
  impl_->carry.clear();
  impl_->surplus = false;
  impl_->any_bytes = false;
  impl_->interim_bytes = 0;
}

ResponseParser::State ResponseParser::feed(std::string_view bytes) {
  impl_->any_bytes = impl_->any_bytes || !bytes.empty();
  if (impl_->carry.empty()) {
    const State state = impl_->parse(bytes);
    impl_->carry.assign(bytes);
    return state;
  }
  impl_->carry += bytes;
  // Behind the head only a chunk's header is carried. Beast asserts that the last one, of which it
  // has seen the size, has five bytes; behind another chunk it has. Nothing else may wait: a broken
  // one is to be seen as such wherever it is cut.
  if (impl_->parser->is_header_done() && !impl_->parser->any_chunk() && impl_->carry.size() < 5 &&
      impl_->carry.front() == '0' && impl_->carry.find("\r\n") != std::string::npos) {
    return State::reading;
  }
  std::string_view rest = impl_->carry;
  const State state = impl_->parse(rest);
  impl_->carry.erase(0, impl_->carry.size() - rest.size());
  if (state == State::reading && impl_->parser->is_header_done() &&
      impl_->carry.size() > kMostHeadBytes) {
    impl_->failure = {"too_large", "chunk header or trailer larger than 64 KiB"};
    return State::failed;
  }
  return state;
}

ResponseParser::State ResponseParser::finish() {
  if (impl_->any_bytes && impl_->parser->is_header_done()) {
    ErrorCode error;
    impl_->parser->put_eof(error);
    if (!error && impl_->parser->is_done()) return State::complete;
    impl_->failure = {"disconnected", "connection closed in the middle of the response body"};
  } else {
    impl_->failure = {"disconnected", impl_->any_bytes
                                          ? "connection closed in the middle of the response head"
                                          : "connection closed without an answer"};
  }
  return State::failed;
}

const Failure& ResponseParser::failure() const { return impl_->failure; }

std::string_view ResponseParser::content_encoding() const {
  return impl_->parser->content_encoding();
}

bool ResponseParser::can_reuse() const {
  return impl_->parser->is_done() && impl_->parser->keep_alive() && !impl_->parser->switched() &&
         !impl_->surplus;
}

}  // namespace memprof::http
