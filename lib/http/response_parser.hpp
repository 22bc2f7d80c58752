#pragma once

#include "http/failure.hpp"

#include <cstddef>
#include <memory>
#include <optional>
#include <string_view>

namespace memprof::http {

/// An HTTP/1.x response as a state machine without sockets: bytes in, head and body pieces out.
/// Bodies are handed on as they come and never stored.
class ResponseParser {
 public:
  /// Takes what the parser finds, during feed().
  class Sink {
   public:
    /// Once per response (interim responses are passed over, 64 KiB of them). `content_type` as sent.
    virtual void on_head(int status, std::string_view content_type) = 0;
    virtual void on_body(std::string_view piece) = 0;

   protected:
    ~Sink() = default;
  };
  enum class State { reading, complete, failed };

  explicit ResponseParser(Sink& sink);
  ~ResponseParser();

  /// Forgets everything, for the next response.
  void reset();
  /// Any split of the bytes gives the same calls but for the pieces' borders. After `complete` or
  /// `failed` nothing more may be fed before reset().
  State feed(std::string_view bytes);
  /// The connection has ended: complete when the framing allows it, else failed.
  State finish();
  /// Why it failed: bad_response (not HTTP), disconnected (cut), too_large (head over 64 KiB).
  [[nodiscard]] const Failure& failure() const;
  /// From on_head() to reset(): as sent, empty when the head says none.
  [[nodiscard]] std::string_view content_encoding() const;
  /// After `complete`: the connection can carry another request, and no byte came after the end.
  [[nodiscard]] bool can_reuse() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace memprof::http
