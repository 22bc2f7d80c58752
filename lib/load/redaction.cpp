#include "load/redaction.hpp"

#include "formats/text.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <string_view>

namespace memprof::load {
namespace {

constexpr std::size_t kShortestSecret = 4;
constexpr std::string_view kInstead = "***";

}  // namespace

Redaction::Redaction(const std::vector<http::Header>& headers) {
  const auto add = [this](const std::string& value) {
    // As the words that it may stand in: on one line, perhaps still escaped as in JSON.
    const auto line = formats::one_line(value, value.size());
    const auto json = boost::json::serialize(boost::json::string(line));
    for (const auto& form : {line, json.substr(1, json.size() - 2)}) {
      if (form.size() >= kShortestSecret) secrets_.push_back(form);
    }
  };
  for (const auto& header : headers) {
    add(header.value);
    // `Bearer <key>`: the key alone, too.
    if (const auto blank = header.value.find(' '); blank != std::string::npos) {
      add(header.value.substr(blank + 1));
    }
  }
  std::sort(secrets_.begin(), secrets_.end(),
            [](const auto& a, const auto& b) { return a.size() > b.size(); });
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

}  // namespace memprof::load
