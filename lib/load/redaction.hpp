#pragma once

#include "http/credentials.hpp"

#include <string>
#include <vector>

namespace memprof::load {

/// Takes the values of headers, which may be secrets, out of a server's words.
class Redaction {
 public:
  explicit Redaction(const std::vector<http::Header>& headers);

  /// `text` is one line of at most 300 characters, made by formats::one_line: a secret may be cut
  /// at its end. Values shorter than four characters stay: no secrets, they would be everywhere.
  [[nodiscard]] std::string apply(std::string text) const;

 private:
  std::vector<std::string> secrets_;  // longest first
};

}  // namespace memprof::load
