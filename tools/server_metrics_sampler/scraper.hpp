#pragma once

#include "cli/stop_signal.hpp"
#include "clock/run_clock.hpp"
#include "http/connection.hpp"
#include "http/credentials.hpp"
#include "http/redaction.hpp"
#include "http/response_parser.hpp"
#include "options.hpp"
#include "server_metrics/scrape.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// How a question to the server ended.
struct Answer {
  std::optional<memprof::http::Failure> failure;  ///< none: a whole 200
  memprof::clock::SinceBoot begun{0};             ///< connecting included
  memprof::clock::SinceBoot sent{0};
  memprof::clock::SinceBoot ended{0};
  int status = 0;    ///< 0: no head has come
  std::string body;  ///< as it came, when it was to be kept
};

/// Asks for metrics over one kept connection, a question at a time.
class Scraper final : memprof::http::Connection::Events, memprof::http::ResponseParser::Sink {
 public:
  static constexpr std::size_t kMostBodyBytes = 16u << 20;

  /// Throws a ToolError when an option cannot be used.
  Scraper(const Options& options, memprof::cli::StopSignal& stop);
  ~Scraper();

  /// Blocks until the answer has come, at most --timeout. `target`: path and query. The body goes
  /// into `reader`, which is reset before.
  Answer scrape(const std::string& target, memprof::server_metrics::ScrapeReader& reader);
  /// What a person has to know before anything is asked.
  [[nodiscard]] std::vector<std::string> exposures() const;
  /// Of what the server was told.
  [[nodiscard]] const memprof::http::Redaction& redaction() const { return redaction_; }
  /// Path of --metrics-url without a trailing `/`.
  [[nodiscard]] std::string target() const { return url_.target(""); }
  [[nodiscard]] std::string url() const { return url_.to_string(); }
  /// No answer is waited for longer than a second after `end`. A signal that comes during a scrape
  /// is an end too; the earliest counts.
  void end_at(memprof::clock::SinceBoot end);
  [[nodiscard]] std::optional<memprof::clock::SinceBoot> end() const { return end_; }

 private:
  void on_connected() override;
  void on_read(std::string_view bytes) override;
  void on_end(bool orderly, const memprof::http::Failure& failure) override;
  void on_head(int status, std::string_view content_type) override;
  void on_body(std::string_view piece) override;

  void start(const std::string& target);
  void connect();
  void send();
  void wait();
  void conclude(memprof::http::ResponseParser::State state);
  void finish(std::optional<memprof::http::Failure> failure);

  const Options& options_;
  memprof::cli::StopSignal& stop_;
  memprof::http::Url url_;
  std::vector<memprof::http::Header> headers_;
  memprof::http::Redaction redaction_;
  std::string header_lines_;
  boost::asio::io_context io_;
  boost::asio::posix::stream_descriptor stop_fd_;
  memprof::http::Connector connector_;
  memprof::http::ResponseParser parser_;
  std::shared_ptr<memprof::http::Connection> connection_;
  std::optional<memprof::clock::SinceBoot> end_;

  // Of the question under way, and kept until the next one.
  std::string request_;
  memprof::server_metrics::ScrapeReader* reader_ = nullptr;
  Answer answer_;
  bool under_way_ = false;
  bool connecting_ = false;
  bool reused_ = false;
  bool begun_ = false;  // bytes of its answer have come
  std::size_t body_bytes_ = 0;
  std::string error_text_;  // the beginning of a body that is no metrics
};
