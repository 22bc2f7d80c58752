#include "server_tokenizer.hpp"

#include "formats/text.hpp"
#include "http/exposure.hpp"
#include "http/fetch.hpp"
#include "http/redaction.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <utility>
#include <variant>

using namespace memprof;
namespace json = boost::json;

namespace {

constexpr Seconds kTimeout = 300;                     // a prompt of a million tokens takes a while
constexpr std::size_t kMostAnswerBytes = 256u << 20;  // some 8 bytes a token

/// One that stands below the server's root, beside /v1.
http::Url root_of(http::Url url) {
  static constexpr std::string_view kVersion = "/v1";
  if (url.path.ends_with(kVersion)) url.path.resize(url.path.size() - kVersion.size());
  return url;
}

Error no_tokens(const http::FetchRequest& request, std::string_view why) {
  return {ExitCode::environment,
          fmt::format("--calibrate: {}: {}; it needs a vLLM server with /tokenize: without one, "
                      "leave --calibrate out and set --chars-per-token",
                      request.url.to_string() + "/tokenize",
                      http::Redaction(request.headers).apply(formats::one_line(why, 300)))};
}

std::string question(const TargetSpec& target, std::string_view text, workload::TextUse use) {
  json::object body;
  if (target.model != "default") body["model"] = target.model;
  if (use == workload::TextUse::as_prompt && target.endpoint == Endpoint::chat) {
    body["messages"] = json::array{{{"role", "user"}, {"content", text}}};
  } else {
    body["prompt"] = text;
  }
  return json::serialize(body);
}

Result<std::vector<std::int64_t>> read_tokens(const http::FetchRequest& request,
                                              const http::Response& response) {
  if (response.status != 200) {
    return no_tokens(request, fmt::format("HTTP {} {}", response.status, response.body));
  }
  boost::system::error_code error;
  const auto answer = json::parse(response.body, error);
  const auto* object = error ? nullptr : answer.if_object();
  const auto* list = object == nullptr ? nullptr : object->if_contains("tokens");
  if (list == nullptr || !list->is_array()) {
    return no_tokens(request, "its answer has no list `tokens`");
  }
  std::vector<std::int64_t> tokens;
  tokens.reserve(list->get_array().size());
  for (const auto& token : list->get_array()) {
    tokens.push_back(token.to_number<std::int64_t>(error));
    if (error) return no_tokens(request, "its answer has tokens that are not numbers");
  }
  return tokens;
}

}  // namespace

Result<workload::Tokenizer> server_tokenizer(const std::string& base_url,
                                             const TargetSpec& target, cli::Tool& tool) {
  const auto url = http::parse_url(base_url);
  if (url.has_error()) {
    return Error{url.error().code, "--calibrate: " + url.error().message};
  }
  const auto headers = http::read_headers(target);
  if (headers.has_error()) return headers.error();
  for (const auto& warning : http::exposures(*url, *headers, target.insecure)) tool.warn(warning);
  auto request = http::request_for(target, root_of(*url), *headers, "/tokenize");
  request.method = "POST";
  request.timeout = kTimeout;
  request.max_body_bytes = kMostAnswerBytes;
  return workload::Tokenizer(
      [request = std::move(request), target](std::string_view text, workload::TextUse use) mutable
      -> Result<std::vector<std::int64_t>> {
        request.body = question(target, text, use);
        const auto fetched = http::fetch(request);
        if (const auto* failure = std::get_if<http::Failure>(&fetched)) {
          return no_tokens(request, fmt::format("{}: {}", failure->reason, failure->detail));
        }
        return read_tokens(request, std::get<http::Response>(fetched));
      });
}
