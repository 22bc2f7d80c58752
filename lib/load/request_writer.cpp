#include "load/request_writer.hpp"

#include "formats/text.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <cctype>

namespace memprof::load {
namespace {

namespace json = boost::json;

constexpr std::string_view kOurKeys[] = {"model", "messages", "prompt", "stream"};
constexpr std::size_t kMostIdCharacters = 128;

/// Bytes of a flag that are no UTF-8 would make the whole body no JSON.
std::string quoted(const std::string& text) {
  return json::serialize(json::string(formats::made_utf8(text)));
}

std::string make_head(const http::Url& url, std::string_view below,
                      const std::vector<http::Header>& headers) {
  std::string head = fmt::format(
      "POST {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: memprof\r\nAccept: */*\r\n"
      "Content-Type: application/json\r\n",
      url.target(below), url.authority());
  for (const auto& header : headers) head += fmt::format("{}: {}\r\n", header.name, header.value);
  return head;
}

}  // namespace

Result<void> check_extra_body(const ReplaySpec& replay) {
  if (!replay.extra_body) return {};
  boost::system::error_code error;
  const auto body = json::parse(*replay.extra_body, error);
  if (error || !body.is_object()) {
    return Error{ExitCode::usage, "--extra-body: must be a JSON object, like {\"top_p\": 0.9}"};
  }
  for (const auto key : kOurKeys) {
    if (body.get_object().contains(key)) {
      return Error{ExitCode::usage, fmt::format("--extra-body: must not hold {}", key)};
    }
  }
  return {};
}

std::string request_id(const ReplaySpec& replay, std::string_view req_id) {
  std::string text = replay.request_id_prefix ? *replay.request_id_prefix + "." : std::string();
  text += req_id;
  std::string id;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = std::isalnum(byte) != 0 || c == '.' || c == '_' || c == '-';
    const std::string piece = plain ? std::string(1, c) : fmt::format("%{:02X}", byte);
    if (id.size() + piece.size() > kMostIdCharacters) break;
    id += piece;
  }
  return id;
}

RequestWriter::RequestWriter(const TargetSpec& target, const ReplaySpec& replay,
                             const http::Url& url, const std::vector<http::Header>& headers,
                             const std::string& model, std::string salt)
    : replay_(replay),
      chat_(target.endpoint == Endpoint::chat),
      salt_(std::move(salt)),
      chat_head_(make_head(url, "/chat/completions", headers)),
      completions_head_(make_head(url, "/completions", headers)),
      model_json_(quoted(model)) {
  if (!replay.extra_body) return;
  const auto extra = json::parse(*replay.extra_body).as_object();
  for (const auto& [key, value] : extra) {
    extra_ += fmt::format(",{}:{}", quoted(std::string(key)), json::serialize(value));
    extra_keys_.emplace(key);
  }
}

std::string RequestWriter::options(const PreparedRequest& request, std::size_t batch) const {
  std::string out;
  const auto add = [&](std::string_view key, std::string_view value) {
    if (!extra_keys_.contains(key)) out += fmt::format(",\"{}\":{}", key, value);
  };
  const auto length = std::to_string(request.row.output_len);
  add("max_tokens", length);
  add("temperature", "0");
  if (replay_.exact_output) {
    // vLLM cuts max_tokens at the context's end without a word, but refuses min_tokens there.
    add("min_tokens", length);
    add("ignore_eos", "true");
  }
  if (replay_.stream) {
    add("stream", "true");
    add("stream_options", "{\"include_usage\":true}");
  }
  if (replay_.cache_salt != "none") {
    std::string salt = replay_.cache_salt;
    if (salt == "per-run") salt = salt_;
    if (salt == "per-group") salt = fmt::format("{}-{}", salt_, batch);
    add("cache_salt", quoted(salt));
  }
  return out + extra_;
}

RequestWriter::Bytes RequestWriter::write(const PreparedRequest& request, std::size_t batch) const {
  const bool chat = chat_ && !request.token_ids;
  Bytes bytes;
  const std::string body_front =
      fmt::format("{{\"model\":{}{}", model_json_,
                  chat ? ",\"messages\":[{\"role\":\"user\",\"content\":" : ",\"prompt\":");
  bytes.back = fmt::format("{}{}}}", chat ? "}]" : "", options(request, batch));
  bytes.front = fmt::format("{}Content-Length: {}\r\nX-Request-Id: {}\r\n\r\n{}",
                            chat ? chat_head_ : completions_head_,
                            body_front.size() + request.prompt_json.size() + bytes.back.size(),
                            request_id(replay_, request.row.req_id), body_front);
  return bytes;
}

}  // namespace memprof::load
