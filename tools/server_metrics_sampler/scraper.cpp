#include "scraper.hpp"

#include "formats/text.hpp"
#include "http/exposure.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

using namespace memprof;
using namespace std::chrono_literals;
using clock::RunClock;
using clock::SinceBoot;

namespace {

/// Servers of the Python world close a connection that has been idle for 5 s, without a word.
constexpr auto kLongestIdle = 4s;
constexpr auto kLastScrape = 1s;
constexpr std::size_t kMostErrorText = 200;

SinceBoot to_duration(Seconds seconds) {
  return std::chrono::duration_cast<SinceBoot>(std::chrono::duration<double>(seconds));
}

}  // namespace

Scraper::Scraper(const Options& options, cli::StopSignal& stop)
    : options_(options),
      stop_(stop),
      url_(http::parse_url(options.metrics_url, "--metrics-url").value()),
      headers_(http::read_headers(options.target).value()),
      redaction_(headers_),
      io_(1),
      stop_fd_(io_),
      connector_(io_, url_, options.target.ca_file, options.target.insecure),
      parser_(*this) {
  header_lines_ = fmt::format("Host: {}\r\nUser-Agent: memprof\r\nAccept: text/plain\r\n",
                              url_.authority());
  for (const auto& header : headers_) {
    header_lines_ += fmt::format("{}: {}\r\n", header.name, header.value);
  }
  stop_fd_.assign(stop.fd());
  // Only so that a signal ends a wait: what follows from it is decided in wait().
  stop_fd_.async_wait(boost::asio::posix::stream_descriptor::wait_read, [](auto) {});
}

Scraper::~Scraper() {
  if (connection_) connection_->close();
  stop_fd_.release();
}

std::vector<std::string> Scraper::exposures() const {
  return http::exposures(url_, headers_, options_.target.insecure);
}

void Scraper::end_at(SinceBoot end) { end_ = std::min(end, end_.value_or(end)); }

Answer Scraper::scrape(const std::string& target, server_metrics::ScrapeReader& reader) {
  reader_ = &reader;
  reader_->reset();
  start(target);
  wait();
  return std::move(answer_);
}

void Scraper::start(const std::string& target) {
  const auto last_use = answer_.ended;
  answer_ = {};
  answer_.begun = answer_.sent = RunClock::since_boot();
  request_ = fmt::format("GET {} HTTP/1.1\r\n{}\r\n", target, header_lines_);
  under_way_ = true;
  io_.restart();
  io_.poll();  // the server's close may be waiting there
  reused_ = connection_ && connection_->alive() && answer_.begun - last_use < kLongestIdle;
  if (!reused_) return connect();
  connection_->set_events(this);
  send();
}

void Scraper::connect() {
  if (connection_) connection_->close();
  connecting_ = true;
  reused_ = false;
  connection_ = connector_.open(*this);
}

void Scraper::send() {
  connecting_ = false;
  begun_ = false;
  body_bytes_ = 0;
  error_text_.clear();
  parser_.reset();
  answer_.sent = RunClock::since_boot();
  connection_->send({request_, {}, {}, {}});
}

void Scraper::wait() {
  const auto connect_by = answer_.begun + to_duration(options_.target.connect_timeout);
  const auto answer_by = answer_.begun + to_duration(options_.timeout);
  while (under_way_) {
    const auto now = RunClock::since_boot();
    if (stop_.number() != 0) end_at(now);
    auto deadline = connecting_ ? std::min(connect_by, answer_by) : answer_by;
    if (end_) deadline = std::min(deadline, *end_ + kLastScrape);
    if (now >= deadline) {
      const auto waited = std::chrono::duration<double>(now - answer_.begun).count();
      return finish(http::Failure{
          connecting_ ? "connect" : "timeout",
          fmt::format("{} after {}", connecting_ ? "not connected" : "no whole answer",
                      formats::format_duration(waited))});
    }
    io_.restart();
    io_.run_one_for(deadline - now);
  }
}

void Scraper::on_connected() { send(); }

void Scraper::on_read(std::string_view bytes) {
  begun_ = true;
  const auto state = parser_.feed(bytes);
  if (body_bytes_ > kMostBodyBytes) {
    return finish(http::Failure{"too_large", fmt::format("the answer is larger than {} MiB",
                                                      kMostBodyBytes >> 20)});
  }
  conclude(state);
}

void Scraper::on_end(bool orderly, const http::Failure& failure) {
  // A kept connection that dies without a byte was dead before.
  if (reused_ && !begun_) return connect();
  if (connecting_ || !orderly) return finish(failure);
  conclude(parser_.finish());
}

void Scraper::on_head(int status, std::string_view) { answer_.status = status; }

void Scraper::on_body(std::string_view piece) {
  body_bytes_ += piece.size();
  if (body_bytes_ > kMostBodyBytes) return;
  if (answer_.status == 200) {
    reader_->feed(piece);
  } else if (error_text_.size() < kMostErrorText) {
    error_text_ += piece.substr(0, kMostErrorText - error_text_.size());
  }
  if (options_.raw) answer_.body += piece;
}

void Scraper::conclude(http::ResponseParser::State state) {
  if (state == http::ResponseParser::State::reading) return;
  if (state == http::ResponseParser::State::failed) return finish(parser_.failure());
  if (answer_.status == 200) return finish({});
  finish(http::Failure{fmt::format("http_{}", answer_.status),
                    redaction_.apply(formats::one_line(error_text_, kMostErrorText))});
}

void Scraper::finish(std::optional<http::Failure> failure) {
  answer_.ended = RunClock::since_boot();
  under_way_ = connecting_ = false;
  const bool framed = !failure || failure->reason.starts_with("http_");
  if (framed && parser_.can_reuse() && connection_->sent() && connection_->alive()) {
    connection_->set_events(nullptr);
  } else {
    connection_->close();
    connection_.reset();
  }
  answer_.failure = std::move(failure);
}
