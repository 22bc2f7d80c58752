#include "http/request_parser.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>

#include <algorithm>
#include <cctype>
#include <optional>
#include <string>
#include <utility>

namespace memprof::http {
namespace {

namespace beast = boost::beast;
using ErrorCode = boost::system::error_code;

constexpr std::size_t kLongestMethod = 32;
constexpr std::size_t kReservedBody = 1u << 20;

/// Beast's parser, which makes a ServerRequest. One object per request.
class Parser final : public beast::http::basic_parser<true> {
 public:
  Parser() {
    eager(true);
    header_limit(RequestParser::kMostHeadBytes + 4);  // with the empty line
    body_limit(RequestParser::kMostBodyBytes);
  }

  ServerRequest request;
  bool keep_alive = false;
  bool any_chunk = false;
  bool wants_continue = false;

 private:
  void on_request_impl(beast::http::verb, beast::string_view method, beast::string_view target,
                       int version, ErrorCode&) override {
    request.method.assign(method.data(), method.size());
    request.target.assign(target.data(), target.size());
    version_ = version;
  }
  void on_response_impl(int, beast::string_view, int, ErrorCode&) override {}
  void on_field_impl(beast::http::field field, beast::string_view name, beast::string_view value,
                     ErrorCode&) override {
    if (head_done_) return;  // a trailer
    std::string lower(name);
    std::transform(lower.begin(), lower.end(), lower.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    request.headers.emplace_back(std::move(lower), std::string(value));
    if (field == beast::http::field::expect && version_ == 11) {
      wants_continue = beast::iequals(value, "100-continue");
    }
  }
  void on_header_impl(ErrorCode&) override {
    head_done_ = true;
    // Nobody in front of vLLM keeps a connection of HTTP/1.0, asked to or not.
    keep_alive = version_ == 11 && beast::http::basic_parser<true>::keep_alive();
  }
  void on_body_init_impl(boost::optional<std::uint64_t> const& length, ErrorCode&) override {
    if (length) request.body.reserve(std::min<std::size_t>(*length, kReservedBody));
  }
  std::size_t on_body_impl(beast::string_view body, ErrorCode&) override {
    request.body.append(body.data(), body.size());
    return body.size();
  }
  void on_chunk_header_impl(std::uint64_t, beast::string_view, ErrorCode&) override {
    any_chunk = true;
  }
  std::size_t on_chunk_body_impl(std::uint64_t, beast::string_view body, ErrorCode&) override {
    request.body.append(body.data(), body.size());
    return body.size();
  }
  void on_finish_impl(ErrorCode&) override {}

  int version_ = 0;
  bool head_done_ = false;
};

/// What can still be `METHOD `, or has one in front.
bool may_begin_request(std::string_view bytes) {
  constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (bytes[i] == ' ') return i > 0;
    const bool token = std::isalnum(static_cast<unsigned char>(bytes[i])) != 0 ||
                       kMarks.find(bytes[i]) != std::string_view::npos;
    if (!token || i >= kLongestMethod) return false;
  }
  return true;
}

}  // namespace

struct RequestParser::Impl {
  std::optional<Parser> parser{std::in_place};
  std::string bytes;         // not parsed yet
  std::size_t searched = 0;  // of these, for the head's end
  bool line_seen = false;    // the head's first
  bool keep_alive = false;
  int failed_status = 0;
  State state = State::reading;

  State fail(int status) {
    failed_status = status;
    bytes.clear();
    return state = State::failed;
  }

  /// Whether the head is whole. Beast is not asked before: what it says of a broken head depends on
  /// where it is cut, and it waits for a line's end that may never come.
  bool head_is_whole() {
    while (!line_seen && bytes.starts_with("\r\n")) bytes.erase(0, 2);  // left from a body before
    if (!line_seen && (bytes.empty() || bytes == "\r")) return false;
    if (!line_seen && !may_begin_request(bytes)) return fail(400), false;
    const auto end = std::min(bytes.size(), kMostHeadBytes);
    for (; searched < end; ++searched) {
      if (bytes[searched] != '\n') continue;
      if (searched < 3 || bytes[searched - 1] != '\r') return fail(400), false;
      if (!line_seen) {
        line_seen = true;
        const auto line = std::string_view(bytes).substr(0, searched);
        if (line.find(" HTTP/1.") == std::string_view::npos) return fail(400), false;
      }
      if (bytes[searched - 2] == '\n') return true;
    }
    if (bytes.size() >= kMostHeadBytes) fail(line_seen ? 431 : 400);
    return false;
  }

  State go_on() {
    if (!parser->is_header_done() && !head_is_whole()) return state;
    // Behind the head only a chunk's header waits for more. Beast asserts that the last one, of
    // which it has seen the size, has five bytes; behind another chunk it has.
    if (parser->is_header_done() && !parser->any_chunk && bytes.size() < 5 &&
        bytes.starts_with('0') && bytes.find("\r\n") != std::string::npos) {
      return state;
    }
    std::size_t used = 0;
    while (!parser->is_done() && used < bytes.size()) {
      ErrorCode error;
      const auto some =
          parser->put(boost::asio::buffer(bytes.data() + used, bytes.size() - used), error);
      used += some;
      if (error == beast::http::error::need_more) {
        if (!parser->is_header_done()) return fail(400);  // all of a head, and not enough
        break;
      }
      if (error) {
        return fail(error == beast::http::error::body_limit     ? 413
                    : error == beast::http::error::header_limit ? 431
                                                                : 400);
      }
      if (some == 0) break;
    }
    bytes.erase(0, used);
    if (parser->is_done()) return state = State::complete;
    if (parser->is_header_done() && bytes.size() > kMostHeadBytes) return fail(400);
    return state;
  }
};

RequestParser::RequestParser() : impl_(std::make_unique<Impl>()) {}
RequestParser::~RequestParser() = default;

void RequestParser::append(std::string_view bytes) {
  if (impl_->state != State::failed) impl_->bytes += bytes;
}

RequestParser::State RequestParser::parse() {
  return impl_->state == State::reading ? impl_->go_on() : impl_->state;
}

ServerRequest RequestParser::take() {
  auto request = std::move(impl_->parser->request);
  impl_->keep_alive = impl_->parser->keep_alive;
  impl_->parser.emplace();
  impl_->searched = 0;
  impl_->line_seen = false;
  impl_->state = State::reading;
  return request;
}

bool RequestParser::keep_alive() const { return impl_->keep_alive; }
int RequestParser::failed_status() const { return impl_->failed_status; }

bool RequestParser::wants_continue() {
  return impl_->parser->is_header_done() && !impl_->parser->is_done() &&
         std::exchange(impl_->parser->wants_continue, false);
}

bool RequestParser::has_begun() const {
  return !impl_->bytes.empty() || impl_->parser->is_header_done();
}

std::size_t RequestParser::waiting_bytes() const { return impl_->bytes.size(); }

}  // namespace memprof::http
