#include "report/html.hpp"

#include "formats/number.hpp"
#include "formats/text.hpp"
#include "report/content_policy.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

namespace memprof::report {
namespace {

constexpr std::size_t kMostInCell = 160;  ///< characters

}  // namespace

std::string escape(std::string_view text, std::size_t max_characters) {
  std::string out;
  for (const char byte : formats::one_line(text, max_characters)) {
    switch (byte) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      case '\'': out += "&#39;"; break;
      default: out += byte;
    }
  }
  return out;
}

std::string json_string(std::string_view text, std::size_t max_characters) {
  std::string out;
  for (const char byte :
       boost::json::serialize(boost::json::string(formats::one_line(text, max_characters)))) {
    switch (byte) {
      case '<': out += "\\u003c"; break;
      case '>': out += "\\u003e"; break;
      case '&': out += "\\u0026"; break;
      default: out += byte;
    }
  }
  return out;
}

std::string cell(const std::optional<std::int64_t>& value) {
  return value ? fmt::to_string(*value) : std::string(kAbsent);
}

std::string cell(const std::optional<double>& value, std::string_view unit) {
  if (!value) return std::string(kAbsent);
  return fmt::format("{:.1f}{}{}", *value, unit.empty() ? "" : " ", unit);
}

std::string mib_cell(const std::optional<double>& mib) {
  return mib ? formats::format_mib(*mib) : std::string(kAbsent);
}

std::string mib_cell(const std::optional<std::int64_t>& mib) {
  return mib ? formats::format_mib(static_cast<double>(*mib)) : std::string(kAbsent);
}

Table::Table(std::string_view caption, std::vector<Column> columns, bool sortable)
    : columns_(std::move(columns)) {
  head_ = fmt::format("<div class=\"scroll\" tabindex=\"0\"><table{}>\n<caption>{}</caption>\n"
                      "<thead><tr>",
                      sortable ? " class=\"sortable\"" : "", escape(caption));
  for (const auto& column : columns_) {
    const auto title = escape(column.title);
    head_ += fmt::format("<th scope=\"col\"{}>{}</th>", column.is_number ? " class=\"n\"" : "",
                         sortable ? "<button type=\"button\">" + title + "</button>" : title);
  }
  head_ += "</tr></thead>\n<tbody>\n";
}

void Table::add(const std::vector<std::string>& cells) {
  rows_ += "<tr>";
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    rows_ += columns_[i].is_number ? "<td class=\"n\">" : "<td>";
    rows_ += escape(cells.at(i), kMostInCell) + "</td>";
  }
  rows_ += "</tr>\n";
}

std::string Table::html() const { return head_ + rows_ + "</tbody></table></div>\n"; }

std::string folded(std::string_view title, const std::string& html) {
  return fmt::format("<details><summary>{}</summary>\n{}</details>\n", escape(title), html);
}

std::string paragraph(std::string_view text, std::string_view css_class) {
  return fmt::format("<p{}>{}</p>\n",
                     css_class.empty() ? "" : fmt::format(" class=\"{}\"", css_class),
                     escape(text, 1000));
}

std::string section(std::string_view id, std::string_view title, const std::string& html) {
  return fmt::format("<section id=\"{}\">\n<h2>{}</h2>\n{}</section>\n", id, escape(title), html);
}

std::string document_head(std::string_view title, std::string_view style,
                          const std::vector<std::string_view>& scripts) {
  return fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"{}\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<meta name=\"color-scheme\" content=\"light dark\">\n"
      "<title>{}</title>\n<style>{}</style>\n</head>\n<body>\n",
      content_policy({style}, scripts), escape(title), style);
}

}  // namespace memprof::report
