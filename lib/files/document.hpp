#pragma once

#include "files/output.hpp"
#include "formats/json.hpp"
#include "records/error.hpp"

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

namespace memprof::files {

/// A document that is written piece by piece, in bounded memory. It grows under a temporary name
/// beside `path` and gets its own name when it is whole: a reader sees the old or the new document,
/// never a part. One that is not finished goes again. `-` is stdout; a device or a pipe is written
/// in place. All of it throws a ToolError (environment) that names the file and the reason.
class DocumentFile {
 public:
  explicit DocumentFile(const std::string& path, Links links = Links::own_followed);
  ~DocumentFile();
  DocumentFile(const DocumentFile&) = delete;
  DocumentFile& operator=(const DocumentFile&) = delete;

  void write(std::string_view text);
  /// Nothing is written after this.
  void finish();

 private:
  std::string path_;
  std::string temporary_;  ///< empty: written in place
  int fd_ = -1;
};

/// The same for a text that is there whole.
void write_document(const std::string& path, std::string_view text,
                    Links links = Links::own_followed);

/// What may stand under a name that is read.
enum class Source {
  regular_file,  ///< no pipe or device, which would hold up who reads a folder that others made
  any,           ///< whatever the user has named, `-` for stdin
};

/// A whole file; an Error names it and the reason. Files over `max_bytes` are refused.
Result<std::string> read_document(const std::string& path, Source source = Source::regular_file,
                                  std::size_t max_bytes = 64u << 20);

/// Calls `on_bytes` with the file's bytes in pieces, in bounded memory.
Result<void> read_in_pieces(const std::string& path, Source source,
                            const std::function<void(std::string_view)>& on_bytes);

template <class T>
void write_json(const std::string& path, const T& value, Links links = Links::own_followed) {
  write_document(path, formats::pretty_json(formats::to_json(value)), links);
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
