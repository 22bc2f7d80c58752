#include "http/redaction.hpp"

#include "formats/text.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <string_view>

namespace memprof::http {
namespace {

constexpr std::size_t kShortestSecret = 4;
constexpr std::size_t kShortestEncoded = 8;
constexpr std::string_view kInstead = "***";

std::string in_json(const std::string& text) {
  const auto quoted = boost::json::serialize(boost::json::string(text));
  return quoted.substr(1, quoted.size() - 2);
}

std::string in_url(std::string_view text) {
  static constexpr std::string_view kPlain = "-._~";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = std::isalnum(byte) != 0 || kPlain.find(c) != std::string_view::npos;
    out += plain ? std::string(1, c) : fmt::format("%{:02X}", byte);
  }
  return out;
}

/// The characters that stand for `text` where it begins at `offset` (0 to 2) in a group of three
/// bytes of something longer; those that others have a part in are left out.
std::string in_base64(std::string_view text, std::size_t offset) {
  static constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const auto bit = [&](std::size_t at) {
    return (static_cast<unsigned char>(text[at / 8]) >> (7 - at % 8)) & 1U;
  };
  std::string out;
  for (auto at = (6 - 8 * offset % 6) % 6; at + 6 <= 8 * text.size(); at += 6) {
    unsigned int digit = 0;
    for (std::size_t i = 0; i < 6; ++i) digit = 2 * digit + bit(at + i);
    out += kDigits[digit];
  }
  return out;
}

}  // namespace

Redaction::Redaction(const std::vector<Header>& headers, std::string_view other) {
  add(other);
  for (const auto& header : headers) {
    add(header.value);
    // `Bearer <key>`: the key alone, too.
    if (const auto blank = header.value.find(' '); blank != std::string::npos) {
      add(std::string_view(header.value).substr(blank + 1));
    }
  }
  std::sort(secrets_.begin(), secrets_.end(),
            [](const auto& a, const auto& b) { return a.size() > b.size(); });
}

void Redaction::add(std::string_view value) {
  // As the words that it may stand in: on one line, perhaps still escaped.
  const auto line = formats::one_line(value, value.size());
  add_form(line);
  add_form(in_json(line));
  if (line.size() < kShortestEncoded) return;
  add_form(in_url(line));
  for (std::size_t offset = 0; offset < 3; ++offset) {
    auto form = in_base64(line, offset);
    add_form(form);
    std::replace(form.begin(), form.end(), '+', '-');
    std::replace(form.begin(), form.end(), '/', '_');
    add_form(std::move(form));
  }
}

void Redaction::add_form(std::string form) {
  const bool known = std::find(secrets_.begin(), secrets_.end(), form) != secrets_.end();
  if (form.size() >= kShortestSecret && !known) secrets_.push_back(std::move(form));
}

std::string Redaction::apply(std::string text) const {
  for (const std::string_view secret : secrets_) {
    for (auto at = text.find(secret); at != std::string::npos;
         at = text.find(secret, at + kInstead.size())) {
      text.replace(at, secret.size(), kInstead);
    }
    const auto longest = std::min(secret.size() - 1, text.size());
    for (auto length = longest; length >= kShortestSecret; --length) {
      if (!text.ends_with(secret.substr(0, length))) continue;
      text.replace(text.size() - length, length, kInstead);
      break;
    }
  }
  return text;
}

}  // namespace memprof::http
