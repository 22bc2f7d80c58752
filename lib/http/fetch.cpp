#include "http/fetch.hpp"

#include "http/connection.hpp"
#include "http/response_parser.hpp"

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <fmt/format.h>

#include <chrono>

namespace memprof::http {
namespace {

class Exchange final : Connection::Events, ResponseParser::Sink {
 public:
  Exchange(boost::asio::io_context& io, const FetchRequest& request)
      : io_(io),
        request_(request),
        connector_(io, request.url, request.ca_file, request.insecure),
        parser_(*this),
        deadline_(io),
        stop_(io) {}
  ~Exchange() {
    if (stop_.is_open()) stop_.release();
  }

  Fetched run() {
    watch(std::min(request_.connect_timeout, request_.timeout), "connect",
          fmt::format("not connected after {} s", request_.connect_timeout));
    if (request_.stop_fd >= 0) {
      stop_.assign(request_.stop_fd);
      stop_.async_wait(boost::asio::posix::stream_descriptor::wait_read, [this](auto error) {
        if (!error) finish(Failure{"cancelled", "ended by a signal"});
      });
    }
    connection_ = connector_.open(*this);
    io_.run();
    connection_->close();
    return std::move(outcome_);
  }

 private:
  void watch(Seconds seconds, const char* reason, std::string detail) {
    deadline_.expires_after(std::chrono::duration_cast<std::chrono::nanoseconds>(
        std::chrono::duration<double>(seconds)));
    deadline_.async_wait([this, reason, detail = std::move(detail)](auto error) {
      if (!error) finish(Failure{reason, detail});
    });
  }

  void on_connected() override {
    watch(request_.timeout, "timeout", fmt::format("no whole answer after {} s", request_.timeout));
    head_ = fmt::format("{} {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: memprof\r\nAccept: */*\r\n"
                        "Connection: close\r\n",
                        request_.method, request_.target, request_.url.authority());
    for (const auto& header : request_.headers) {
      head_ += fmt::format("{}: {}\r\n", header.name, header.value);
    }
    if (!request_.body.empty()) {
      head_ += fmt::format("Content-Type: application/json\r\nContent-Length: {}\r\n",
                           request_.body.size());
    }
    head_ += "\r\n";
    connection_->send({head_, request_.body, {}, {}});
  }

  void on_read(std::string_view bytes) override {
    const auto state = parser_.feed(bytes);
    if (too_large_) {
      return finish(Failure{"too_large", fmt::format("answer larger than {} KiB",
                                                     request_.max_body_bytes >> 10)});
    }
    conclude(state);
  }

  void on_end(bool orderly, const Failure& failure) override {
    if (!orderly) return finish(failure);
    conclude(parser_.finish());
  }

  void on_head(int status, std::string_view content_type) override {
    response_.status = status;
    response_.content_type = content_type;
  }

  void on_body(std::string_view piece) override {
    too_large_ = too_large_ || response_.body.size() + piece.size() > request_.max_body_bytes;
    if (!too_large_) response_.body += piece;
  }

  void conclude(ResponseParser::State state) {
    if (state == ResponseParser::State::complete) finish(std::move(response_));
    if (state == ResponseParser::State::failed) finish(parser_.failure());
  }

  void finish(Fetched outcome) {
    outcome_ = std::move(outcome);
    io_.stop();
  }

  boost::asio::io_context& io_;
  const FetchRequest& request_;
  Connector connector_;
  ResponseParser parser_;
  boost::asio::steady_timer deadline_;
  boost::asio::posix::stream_descriptor stop_;
  std::shared_ptr<Connection> connection_;
  std::string head_;
  Response response_;
  bool too_large_ = false;
  Fetched outcome_ = Failure{"disconnected", "no answer"};
};

}  // namespace

Fetched fetch(const FetchRequest& request) {
  boost::asio::io_context io(1);
  Exchange exchange(io, request);
  return exchange.run();
}

FetchRequest request_for(const TargetSpec& target, const Url& url,
                         const std::vector<Header>& headers, std::string_view below) {
  FetchRequest request;
  request.url = url;
  request.target = url.target(below);
  request.headers = headers;
  request.connect_timeout = target.connect_timeout;
  request.ca_file = target.ca_file;
  request.insecure = target.insecure;
  return request;
}

}  // namespace memprof::http
