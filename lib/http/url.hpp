#pragma once

#include "records/error.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace memprof::http {

/// An http or https address, in the parts that a client needs.
struct Url {
  bool tls = false;
  std::string host;        ///< lower case, without brackets for IPv6
  std::uint16_t port = 80;
  std::string path;        ///< without a trailing `/`; may be empty

  /// The same server, `path` + `below` (`/models`).
  [[nodiscard]] std::string target(std::string_view below) const;
  /// `host:port` as the Host header wants it (no default port, brackets for IPv6).
  [[nodiscard]] std::string authority() const;
  /// `http://127.0.0.1:8000/v1`; never holds a secret.
  [[nodiscard]] std::string to_string() const;
  [[nodiscard]] bool is_loopback() const;
};

/// Fails (usage) on anything but http:// and https:// with a host: a query, a fragment, and
/// `user:password@`, whose text the message does not repeat, are refused too. `flag` is where the
/// text came from, for the message.
Result<Url> parse_url(std::string_view text, std::string_view flag = "--base-url");

}  // namespace memprof::http
