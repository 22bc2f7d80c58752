#include "http/credentials.hpp"

#include "files/document.hpp"
#include "formats/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>

namespace memprof::http {
namespace {

constexpr std::size_t kMostSecretBytes = 64 << 10;

bool is_token(std::string_view name) {
  static constexpr std::string_view kSpecial = "!#$%&'*+-.^_`|~";
  return !name.empty() && std::all_of(name.begin(), name.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || kSpecial.find(static_cast<char>(c)) != std::string_view::npos;
  });
}

bool is_field_value(std::string_view value) {
  return std::none_of(value.begin(), value.end(),
                      [](unsigned char c) { return (c < 0x20 && c != '\t') || c == 0x7F; });
}

Result<std::string> read_key(const TargetSpec& target) {
  std::string key;
  if (target.api_key_file) {
    const auto text =
        files::read_document(*target.api_key_file, files::Source::any, kMostSecretBytes);
    if (text.has_error()) return text.error();
    key = std::string(formats::trim(*text));
    if (key.empty()) {
      return Error{ExitCode::usage,
                   fmt::format("--api-key-file: {} is empty", *target.api_key_file)};
    }
  } else {
    for (const char* variable : {"OPENAI_API_KEY", "VLLM_API_KEY"}) {
      const char* value = std::getenv(variable);
      if (value != nullptr && *value != 0) {
        key = std::string(formats::trim(value));
        break;
      }
    }
  }
  if (!is_field_value(key)) {
    return Error{ExitCode::usage, "the API key holds characters that a header cannot carry"};
  }
  return key;
}

std::string lower_case(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

Result<void> read_header_file(const std::string& path, std::vector<Header>& headers) {
  static constexpr std::string_view kOurs[] = {"content-length", "content-type", "host",
                                               "transfer-encoding", "connection", "x-request-id"};
  const auto text = files::read_document(path, files::Source::any, kMostSecretBytes);
  if (text.has_error()) return text.error();
  int line_number = 0;
  for (const auto raw : formats::split(*text, '\n')) {
    ++line_number;
    const auto line = formats::trim(raw);
    if (line.empty()) continue;
    const auto refuse = [&](std::string_view why) {
      return Error{ExitCode::usage,
                   fmt::format("--header-file: {}:{}: {}", path, line_number, why)};
    };
    const auto colon = line.find(':');
    const auto name = line.substr(0, colon);
    if (colon == std::string_view::npos || !is_token(name)) return refuse("must be `Name: value`");
    Header header{std::string(name), std::string(formats::trim(line.substr(colon + 1)))};
    const auto lower = lower_case(header.name);
    if (std::find(std::begin(kOurs), std::end(kOurs), lower) != std::end(kOurs)) {
      return refuse(fmt::format("{} is set by the tool", header.name));
    }
    if (!is_field_value(header.value)) return refuse("the value holds control characters");
    headers.push_back(std::move(header));
  }
  return {};
}

}  // namespace

Result<std::vector<Header>> read_headers(const TargetSpec& target) {
  std::vector<Header> headers;
  const auto key = read_key(target);
  if (key.has_error()) return key.error();
  if (target.header_file) {
    if (const auto read = read_header_file(*target.header_file, headers); read.has_error()) {
      return read.error();
    }
  }
  const bool has_own = std::any_of(headers.begin(), headers.end(), [](const Header& header) {
    return lower_case(header.name) == "authorization";
  });
  if (!key->empty() && !has_own) {
    headers.insert(headers.begin(), {"Authorization", "Bearer " + *key});
  }
  return headers;
}

}  // namespace memprof::http
