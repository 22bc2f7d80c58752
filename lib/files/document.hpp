#pragma once

#include "formats/json.hpp"
#include "records/error.hpp"

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

namespace memprof::files {

/// Writes under a temporary name beside `path` and renames: a reader sees the old or the new
/// document, never a part. `-` is stdout. Throws a ToolError (environment).
void write_document(const std::string& path, std::string_view text);

/// A whole file; an Error names it and the reason. Files over `max_bytes` are refused.
Result<std::string> read_document(const std::string& path, std::size_t max_bytes = 64u << 20);

/// Calls `on_bytes` with the file's bytes in pieces, in bounded memory; `-` is stdin.
Result<void> read_in_pieces(const std::string& path,
                            const std::function<void(std::string_view)>& on_bytes);

template <class T>
void write_json(const std::string& path, const T& value) {
  write_document(path, formats::pretty_json(formats::to_json(value)));
}

/// An Error names the file and the key.
template <class T>
Result<T> read_json(const std::string& path) {
  const auto text = read_document(path);
  if (text.has_error()) return text.error();
  boost::system::error_code error;
  const auto json = boost::json::parse(*text, error);
  if (error) return Error{ExitCode::environment, path + ": not JSON: " + error.message()};
  auto value = formats::from_json<T>(json);
  if (value.has_error()) {
    return Error{ExitCode::environment, path + ": " + value.error().message};
  }
  return value;
}

}  // namespace memprof::files
