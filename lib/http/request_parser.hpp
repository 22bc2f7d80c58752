#pragma once

#include "http/server.hpp"

#include <cstddef>
#include <memory>
#include <string_view>

namespace memprof::http {

/// HTTP/1.x requests, one after the other, as a state machine without sockets. Bytes are taken as
/// they come, also those of requests to come.
class RequestParser {
 public:
  enum class State { reading, complete, failed };
  static constexpr std::size_t kMostHeadBytes = 64u << 10;
  static constexpr std::size_t kMostBodyBytes = 64u << 20;

  RequestParser();
  ~RequestParser();

  void append(std::string_view bytes);
  /// Goes on with the present request. Any split of the bytes gives the same. `complete` until
  /// take(); `failed` for good.
  State parse();
  /// After `complete`: the request; the next one is the present one now.
  ServerRequest take();
  /// Of the request taken last: HTTP/1.1 without `Connection: close`.
  [[nodiscard]] bool keep_alive() const;
  /// After `failed`: 400 (not HTTP, or a first line over the head's limit), 413, 431.
  [[nodiscard]] int failed_status() const;
  /// The present request's head is there, and its client waits for a word before it sends the body.
  /// True once a request.
  bool wants_continue();
  /// Bytes of the present request have come.
  [[nodiscard]] bool has_begun() const;
  /// Bytes that wait for parse().
  [[nodiscard]] std::size_t waiting_bytes() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace memprof::http
