#pragma once

#include "load/completion_reader.hpp"

#include <algorithm>
#include <cstddef>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

namespace memprof::load {

/// A stamp that tells which piece of the input it belongs to.
inline Timestamp stamp(std::int64_t number) {
  return Timestamp{} + std::chrono::microseconds(number);
}

inline std::string show(const std::optional<Tokens>& value) {
  return value ? std::to_string(*value) : "";
}

/// Everything of an Answer but its times, as one line.
inline std::string show(const Answer& answer) {
  return answer.status + "|" + (answer.http_status ? std::to_string(*answer.http_status) : "") +
         "|" + show(answer.usage.prompt_tokens) + "|" + show(answer.usage.completion_tokens) + "|" +
         show(answer.usage.cached_tokens) + "|" + (answer.first_token_ts ? "yes" : "no") + "|" +
         answer.detail;
}

/// The answer to `bytes`, cut before each of `cuts` (ascending), the connection then closed in
/// order. Piece n is stamped n.
inline Answer read_answer(CompletionReader& reader, std::string_view bytes,
                          const std::vector<std::size_t>& cuts = {}) {
  reader.reset();
  std::size_t at = 0;
  std::int64_t number = 0;
  for (std::size_t i = 0; i <= cuts.size(); ++i) {
    const auto end = i < cuts.size() ? std::min(cuts[i], bytes.size()) : bytes.size();
    if (end == at) continue;
    if (reader.feed(bytes.substr(at, end - at), stamp(number++))) return reader.answer();
    at = end;
  }
  reader.finish(true, {});
  return reader.answer();
}

inline Answer read_answer(std::string_view bytes) {
  CompletionReader reader;
  return read_answer(reader, bytes);
}

inline std::vector<std::size_t> every(std::size_t step, std::size_t size) {
  std::vector<std::size_t> cuts;
  for (std::size_t at = step; at < size; at += step) cuts.push_back(at);
  return cuts;
}

}  // namespace memprof::load
