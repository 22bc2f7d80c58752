#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace memprof::report {

/// What stands in a cell that has no figure.
inline constexpr std::string_view kAbsent = "–";

/// Somebody's words as HTML text, also within quotes: one line of valid UTF-8, cut to
/// `max_characters`, with nothing that a browser reads as markup.
std::string escape(std::string_view text, std::size_t max_characters = 400);

/// A JSON string with its quotes that cannot end a <script> block.
std::string json_string(std::string_view text, std::size_t max_characters = 100);

/// Figures as cells; kAbsent when there is none.
std::string cell(const std::optional<std::int64_t>& value);
std::string cell(const std::optional<double>& value, std::string_view unit = "");
std::string mib_cell(const std::optional<double>& mib);
std::string mib_cell(const std::optional<std::int64_t>& mib);

struct Column {
  std::string title;
  bool is_number = false;
};

/// A table; whatever is given is escaped, and cut where it is very long.
class Table {
 public:
  Table(std::string_view caption, std::vector<Column> columns, bool sortable = false);
  /// As many cells as columns.
  void add(const std::vector<std::string>& cells);
  /// `<table>…</table>` in a box that scrolls sideways.
  [[nodiscard]] std::string html() const;
  [[nodiscard]] bool empty() const { return rows_.empty(); }

 private:
  std::vector<Column> columns_;
  std::string head_;
  std::string rows_;
};

/// `html` under a heading that opens it: for the table behind a chart.
std::string folded(std::string_view title, const std::string& html);
/// `<p class=…>text</p>`, escaped.
std::string paragraph(std::string_view text, std::string_view css_class = "");
/// A section with a heading; `html` as it is.
std::string section(std::string_view id, std::string_view title, const std::string& html);

/// All up to and with `<body>`: a policy that allows nothing but `style` and `scripts`, no address.
std::string document_head(std::string_view title, std::string_view style,
                          const std::vector<std::string_view>& scripts);

}  // namespace memprof::report
