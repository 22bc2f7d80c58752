#pragma once

#include <boost/json.hpp>

#include <charconv>
#include <fstream>
#include <iterator>
#include <regex>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

/// Answers recorded from a real vLLM 0.32, and the requests that they answer.
namespace memprof::vllm_api {

struct Recorded {
  int status = 0;
  std::string body;  ///< without the framing of chunks
};

inline std::string read_all(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error("no file " + path);
  return {std::istreambuf_iterator<char>(file), {}};
}

inline std::string unchunked(std::string_view chunks) {
  std::string out;
  while (true) {
    std::size_t size = 0;
    const auto end = std::from_chars(chunks.data(), chunks.data() + chunks.size(), size, 16).ptr;
    if (size == 0) return out;
    chunks.remove_prefix(static_cast<std::size_t>(end - chunks.data()) + 2);
    out += chunks.substr(0, size);
    chunks.remove_prefix(size + 2);
  }
}

/// `path` below tests/data, without `.resp`.
inline Recorded recorded_at(const std::string& path) {
  const std::string bytes = read_all(MEMPROF_TEST_DATA "/" + path + ".resp");
  const auto blank = bytes.find("\r\n\r\n");
  const std::string_view head = std::string_view(bytes).substr(0, blank);
  Recorded recorded{std::stoi(bytes.substr(9, 3)), bytes.substr(blank + 4)};
  if (head.find("chunked") != std::string_view::npos) recorded.body = unchunked(recorded.body);
  return recorded;
}
inline Recorded recorded(const std::string& name) { return recorded_at("vllm_0_32/" + name); }

struct RecordedRequest {
  bool chat = false;
  std::string body;
};
inline RecordedRequest recorded_request(std::string_view name) {
  std::ifstream file(MEMPROF_TEST_DATA "/vllm_0_32/requests.jsonl");
  for (std::string line; std::getline(file, line);) {
    const auto json = boost::json::parse(line);
    if (json.at("name").as_string() != name) continue;
    return {json.at("path").as_string() == "/v1/chat/completions",
            std::string(json.at("body").as_string())};
  }
  throw std::runtime_error("no request " + std::string(name));
}

/// Texts of an answer replaced by `…`: those of a simulator are others.
inline std::string without_texts(const std::string& answer) {
  static const std::regex kText(R"re("(text|content)":"(\\.|[^"\\])+")re");
  return std::regex_replace(answer, kText, R"("$1":"…")");
}

}  // namespace memprof::vllm_api
