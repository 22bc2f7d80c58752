#pragma once

#include "http/credentials.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace memprof::http {

/// Takes the values of headers, and another text, which may be secrets, out of a server's words: as
/// they are, and as JSON, a URL or base64 has them.
class Redaction {
 public:
  explicit Redaction(const std::vector<Header>& headers, std::string_view other = {});

  /// Words in one line, as formats::one_line makes them, or any text that is whole: of one line a
  /// secret that is cut at its end goes too. Values shorter than four characters stay: no secrets,
  /// they would be everywhere.
  [[nodiscard]] std::string apply(std::string text) const;

 private:
  void add(std::string_view value);
  void add_form(std::string form);

  std::vector<std::string> secrets_;  // longest first
};

}  // namespace memprof::http
