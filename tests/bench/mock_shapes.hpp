#pragma once

// What the mock server says and reads: vLLM 0.32's answers, and just enough of a request.

#include <strings.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>

namespace bench {

inline std::string chunk(std::string_view data) {
  std::array<char, 16> size{};
  const auto end = std::to_chars(size.data(), size.data() + size.size(), data.size(), 16).ptr;
  return std::string(size.data(), end) + "\r\n" + std::string(data) + "\r\n";
}

inline std::string event(std::string_view rest) {
  return chunk("data: {\"id\":\"chatcmpl-b0bd84e45b38767\",\"object\":\"chat.completion.chunk\","
               "\"created\":1795491576,\"model\":\"meta-llama/Llama-3.1-8B-Instruct\"," +
               std::string(rest) + "}\n\n");
}

inline std::string token_event(std::string_view reason) {
  return event("\"choices\":[{\"index\":0,\"delta\":{\"content\":\" symbol\"},\"logprobs\":null,"
               "\"finish_reason\":" + std::string(reason) + ",\"token_ids\":null}]");
}

inline std::string usage(std::int64_t tokens) {
  return "\"usage\":{\"prompt_tokens\":8192,\"total_tokens\":" + std::to_string(8192 + tokens) +
         ",\"completion_tokens\":" + std::to_string(tokens) + ",\"prompt_tokens_details\":null}";
}

inline std::string json_answer(std::string_view body) {
  return "HTTP/1.1 200 OK\r\nserver: uvicorn\r\ncontent-length: " + std::to_string(body.size()) +
         "\r\ncontent-type: application/json\r\n\r\n" + std::string(body);
}

inline const std::string kStreamHead =
    "HTTP/1.1 200 OK\r\nserver: uvicorn\r\ncontent-type: text/event-stream; charset=utf-8\r\n"
    "vary: Origin\r\ntransfer-encoding: chunked\r\n\r\n" +
    event("\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\"},"
          "\"logprobs\":null,\"finish_reason\":null}]");
inline const std::string kToken = token_event("null");
inline const std::string kLastToken = token_event("\"length\"");
inline const std::string kModels = json_answer(
    R"({"object":"list","data":[{"id":"mock","object":"model","max_model_len":131072}]})");

inline std::string plain_body(std::int64_t tokens) {
  std::string text;
  for (std::int64_t n = 0; n < tokens; ++n) text += " symbol";
  return "{\"id\":\"chatcmpl-88c8332dc6cb2ce7\",\"object\":\"chat.completion\",\"created\":1,"
         "\"model\":\"mock\",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\","
         "\"content\":\"" + text + "\"},\"logprobs\":null,\"finish_reason\":\"length\"}]," +
         usage(tokens) + "}";
}

inline std::string_view header_value(std::string_view head, std::string_view name) {
  for (std::size_t at = head.find("\r\n"); at != std::string_view::npos;
       at = head.find("\r\n", at + 2)) {
    const auto line = head.substr(at + 2, head.find("\r\n", at + 2) - at - 2);
    if (line.size() <= name.size() || line[name.size()] != ':') continue;
    if (strncasecmp(line.data(), name.data(), name.size()) != 0) continue;
    const auto value = line.find_first_not_of(' ', name.size() + 1);
    return value == std::string_view::npos ? std::string_view{} : line.substr(value);
  }
  return {};
}

inline std::int64_t whole_number(std::string_view text, std::int64_t otherwise) {
  const auto begin = std::min(text.find_first_not_of(' '), text.size());
  std::int64_t value = otherwise;
  std::from_chars(text.data() + begin, text.data() + text.size(), value);
  return value;
}

/// What stands after `"key":` in the last 512 or the first 4,096 bytes: a prompt lies between.
inline std::string_view json_value(std::string_view body, std::string_view key) {
  const auto quoted = '"' + std::string(key) + "\":";
  auto at = body.find(quoted, body.size() < 512 ? 0 : body.size() - 512);
  if (at == std::string_view::npos) at = body.substr(0, 4096).find(quoted);
  if (at == std::string_view::npos) return {};
  const auto value = body.find_first_not_of(' ', at + quoted.size());
  return value == std::string_view::npos ? std::string_view{} : body.substr(value, 24);
}

}  // namespace bench
