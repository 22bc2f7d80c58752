#pragma once

#include "formats/sse.hpp"
#include "http/response_parser.hpp"
#include "load/completion_json.hpp"
#include "records/units.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace memprof::load {

/// What came of one request, as its trace row says it.
struct Answer {
  std::string status;  ///< `ok` or `error:<reason>`
  std::string detail;  ///< why, in the server's words where it has any
  std::optional<int> http_status;
  Usage usage;
  std::optional<Timestamp> first_token_ts;
  /// When the answer was whole, where that is before its last byte.
  std::optional<Timestamp> end_ts;
};

/// A completion's answer as a state machine without sockets and clocks: bytes and times in, an
/// Answer out. Plain JSON and event streams, told apart by the answer's content type.
class CompletionReader final : http::ResponseParser::Sink, formats::SseScanner::Sink {
 public:
  CompletionReader();

  /// Begins anew.
  void reset();
  /// True: the answer is complete (answer()), and no byte may be fed before reset().
  bool feed(std::string_view bytes, Timestamp now);
  /// The connection ended: `orderly` by the server's close, else broken as `failure` says.
  void finish(bool orderly, const http::Failure& failure);
  /// The answer as it stands when something outside ends it: `timeout`, `cancelled`.
  void abandon(std::string_view reason, std::string_view detail);

  /// Any byte of an answer has come.
  [[nodiscard]] bool started() const { return started_; }
  /// `[DONE]` has come: the answer is whole, though its framing may not be.
  [[nodiscard]] bool done() const { return done_ts_.has_value(); }
  /// After feed() gave true: the connection can carry another request.
  [[nodiscard]] bool can_reuse() const { return reusable_; }
  [[nodiscard]] const Answer& answer() const { return answer_; }

 private:
  void on_head(int status, std::string_view content_type) override;
  void on_body(std::string_view piece) override;
  void on_event(std::string_view data) override;
  void take_event(std::string_view data);

  /// A status other than 200 is known: whatever its body, that is the reason.
  [[nodiscard]] bool refused() const;
  void conclude();
  void conclude_plain();
  void conclude_stream();
  void fail(std::string_view reason, std::string_view detail);
  /// What the head says of a compression, as words; empty where there is none.
  [[nodiscard]] std::string compression() const;
  void take_usage(const CompletionFacts& facts);

  static constexpr std::size_t kMostErrorBody = 64 << 10;
  /// Kept of an answer with status 200, which may be an error all the same. Completions are not.
  static constexpr std::size_t kMostErrorObject = 4 << 10;
  static constexpr std::size_t kMostPlainBody = 16 << 20;

  http::ResponseParser parser_;
  formats::SseScanner events_;
  CompletionJson json_;
  CompletionJson event_json_;
  Answer answer_;
  Timestamp now_;
  bool started_ = false;
  bool stream_ = false;
  bool finish_reason_ = false;
  bool json_ok_ = true;
  bool reusable_ = false;
  bool ended_ = false;      // the answer is decided, whatever comes
  std::optional<Timestamp> done_ts_;
  std::size_t body_bytes_ = 0;
  std::string error_body_;    // the beginning of a plain answer, for the server's words
  std::string stream_error_;  // the server's words in an error event
  std::string last_usage_;    // the last event with a usage object
};

}  // namespace memprof::load
