#pragma once

#include "files/output.hpp"
#include "formats/csv.hpp"
#include "records/error.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace memprof::files {

/// A file that grows by whole lines: one write(2) per call, so that a killed process leaves a file
/// that parses. A write that fails (disk full) is undone as far as possible and throws a ToolError
/// (environment) that names the file and the reason.
class LineFile {
 public:
  /// Creates or replaces `path`; `-` is stdout. Throws a ToolError (environment).
  explicit LineFile(const std::string& path, Links links = Links::own_followed);
  ~LineFile();
  LineFile(LineFile&& other) noexcept;
  LineFile& operator=(LineFile&&) = delete;

  /// `lines` ends with a newline.
  void write(std::string_view lines);
  [[nodiscard]] const std::string& name() const { return name_; }

 private:
  std::string name_;
  int fd_ = -1;
  bool owned_ = false;
};

/// A CSV file of one described row type. The header is there from the start, so a bad path fails
/// before any work.
template <class Row>
class CsvFile {
 public:
  explicit CsvFile(const std::string& path, Links links = Links::own_followed)
      : file_(path, links) {
    file_.write(formats::csv_header<Row>());
  }

  void write(const Row& row) { write(std::span(&row, 1)); }
  /// Rows that belong together, in one write.
  void write(std::span<const Row> rows) {
    buffer_.clear();
    for (const Row& row : rows) formats::append_csv_row(buffer_, row);
    if (buffer_.empty()) return;
    file_.write(buffer_);
    rows_ += static_cast<std::int64_t>(rows.size());
  }
  [[nodiscard]] std::int64_t rows() const { return rows_; }

 private:
  LineFile file_;
  std::string buffer_;
  std::int64_t rows_ = 0;
};

}  // namespace memprof::files
