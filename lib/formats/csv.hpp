#pragma once

#include "formats/described.hpp"
#include "formats/iso8601.hpp"
#include "formats/number.hpp"
#include "records/error.hpp"
#include "records/units.hpp"

#include <fmt/format.h>

#include <cmath>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

/// CSV of described structs: RFC 4180 with `\n` line ends; column = member name; no value = empty
/// cell. Allowed members: std::string, whole numbers, double, Timestamp, described enums, and
/// std::optional of these.
namespace memprof::formats {

/// Quoted only when it must be.
void append_csv_text(std::string& out, std::string_view text);

namespace detail {

template <class T>
void append_cell(std::string& out, const T& value) {
  if constexpr (kIsOptional<T>) {
    if (value) append_cell(out, *value);
  } else if constexpr (std::is_same_v<T, std::string>) {
    append_csv_text(out, value);
  } else if constexpr (std::is_same_v<T, Timestamp>) {
    append_timestamp(out, value);
  } else if constexpr (kIsEnum<T>) {
    out += enum_name(value);
  } else if constexpr (std::is_same_v<T, double>) {
    if (std::isfinite(value)) append_number(out, value);
  } else {
    append_number(out, value);
  }
}

template <class T>
bool parse_cell(std::string_view cell, T& value) {
  const auto assign = [&](auto parsed) {
    if (parsed) value = *parsed;
    return parsed.has_value();
  };
  if constexpr (kIsOptional<T>) {
    if (cell.empty()) {
      value.reset();
      return true;
    }
    return parse_cell(cell, value.emplace());
  } else if constexpr (std::is_same_v<T, std::string>) {
    value.assign(cell);
    return true;
  } else if constexpr (std::is_same_v<T, Timestamp>) {
    return assign(parse_timestamp(cell));
  } else if constexpr (kIsEnum<T>) {
    return assign(parse_enum<T>(cell));
  } else if constexpr (std::is_same_v<T, double>) {
    return assign(parse_double(cell));
  } else {
    return assign(parse_int(cell));
  }
}

}  // namespace detail

/// The header line, newline included.
template <class Row>
std::string csv_header() {
  std::string out;
  for_each_member<Row>([&](std::string_view name, auto) {
    if (!out.empty()) out += ',';
    out += name;
  });
  out += '\n';
  return out;
}

/// Appends one line, newline included.
template <class Row>
void append_csv_row(std::string& out, const Row& row) {
  bool first = true;
  for_each_member<Row>([&](std::string_view, auto pointer) {
    if (!first) out += ',';
    first = false;
    detail::append_cell(out, row.*pointer);
  });
  out += '\n';
}

/// A quote that is never closed makes one record of all that follows: memory has a bound.
inline constexpr std::size_t kLongestCsvRecord = 1u << 20;

/// Splits a CSV stream, given in pieces of any size, into records of cells. Accepts CRLF. Ends at a
/// record that is longer than kLongestCsvRecord.
class CsvSplitter {
 public:
  using OnRecord = std::function<void(const std::vector<std::string>& cells)>;
  explicit CsvSplitter(OnRecord on_record);
  ~CsvSplitter();
  CsvSplitter(const CsvSplitter&) = delete;
  CsvSplitter& operator=(const CsvSplitter&) = delete;

  void feed(std::string_view bytes);
  /// The stream's end: what stands after the last line end is a record too.
  void finish();
  [[nodiscard]] bool is_too_long() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Reads rows of a described struct. Columns are found by name, so their order is free, unknown
/// ones are passed over (so is a byte order mark), and a member without a column keeps its default.
/// Members that are neither optional nor std::string must have one unless their default serves.
template <class Row>
class CsvReader {
 public:
  using OnRow = std::function<void(Row&&)>;

  /// `name` is the file's, for messages.
  CsvReader(std::string name, OnRow on_row)
      : name_(std::move(name)),
        on_row_(std::move(on_row)),
        splitter_([this](const std::vector<std::string>& cells) { record(cells); }) {}

  void feed(std::string_view bytes) { splitter_.feed(bytes); }

  /// The rows read; rows that cannot be read are passed over and counted in bad_rows().
  /// Fails when not one known column was in the header, there was no header, or a record is too long:
  /// those before it have been read.
  Result<std::int64_t> finish() {
    splitter_.finish();
    if (splitter_.is_too_long()) {
      return Error{ExitCode::environment,
                   fmt::format("{}: a record after {} others is longer than 1 MiB; it and the rest "
                               "are left out",
                               name_, records_)};
    }
    if (columns_.empty()) {
      return Error{ExitCode::environment, name_ + ": no header line"};
    }
    if (known_columns_ == 0) {
      return Error{ExitCode::environment, name_ + ": not one known column in its header"};
    }
    return rows_;
  }
  [[nodiscard]] std::int64_t bad_rows() const { return bad_rows_; }
  /// `FILE: record N: column: …` of the first bad row; empty when there was none.
  [[nodiscard]] const std::string& first_problem() const { return first_problem_; }

 private:
  using Setter = bool (*)(std::string_view, Row&);

  void record(const std::vector<std::string>& cells) {
    if (columns_.empty()) return read_header(cells);
    ++records_;
    if (cells.size() != columns_.size()) {
      return reject(fmt::format("{} cells instead of {}", cells.size(), columns_.size()));
    }
    Row row{};
    for (std::size_t i = 0; i < cells.size(); ++i) {
      if (setters_[i] != nullptr && !setters_[i](cells[i], row)) {
        return reject(columns_[i] + ": unreadable value");
      }
    }
    ++rows_;
    on_row_(std::move(row));
  }

  void read_header(const std::vector<std::string>& cells) {
    columns_ = cells;
    if (columns_[0].starts_with("\xEF\xBB\xBF")) columns_[0].erase(0, 3);  // as spreadsheets write
    setters_.assign(cells.size(), nullptr);
    boost::mp11::mp_for_each<Members<Row>>([&](auto member) {
      using Member = decltype(member);
      for (std::size_t i = 0; i < cells.size(); ++i) {
        if (columns_[i] != member.name) continue;
        ++known_columns_;
        setters_[i] = [](std::string_view cell, Row& row) {
          return detail::parse_cell(cell, row.*Member::pointer);
        };
      }
    });
  }

  void reject(const std::string& why) {
    ++bad_rows_;
    if (first_problem_.empty()) {
      first_problem_ = fmt::format("{}: record {}: {}", name_, records_, why);
    }
  }

  std::string name_;
  OnRow on_row_;
  std::vector<std::string> columns_;
  std::vector<Setter> setters_;
  std::int64_t known_columns_ = 0;
  std::int64_t records_ = 0;
  std::int64_t rows_ = 0;
  std::int64_t bad_rows_ = 0;
  std::string first_problem_;
  CsvSplitter splitter_;
};

}  // namespace memprof::formats
