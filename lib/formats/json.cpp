#include "formats/json.hpp"

#include "formats/number.hpp"
#include "formats/text.hpp"

namespace memprof::formats {
namespace {

void append_pretty(std::string& out, const boost::json::value& value, std::size_t depth);

/// Texts of rows and names of files may be any bytes; a document must be JSON all the same.
void append_text(std::string& out, std::string_view text) {
  out += boost::json::serialize(boost::json::string(made_utf8(text)));
}

void new_line(std::string& out, std::size_t depth) {
  out += '\n';
  out.append(2 * depth, ' ');
}

void append_object(std::string& out, const boost::json::object& object, std::size_t depth) {
  if (object.empty()) {
    out += "{}";
    return;
  }
  out += '{';
  bool first = true;
  for (const auto& [key, value] : object) {
    if (!first) out += ',';
    first = false;
    new_line(out, depth + 1);
    append_text(out, key);
    out += ": ";
    append_pretty(out, value, depth + 1);
  }
  new_line(out, depth);
  out += '}';
}

void append_array(std::string& out, const boost::json::array& array, std::size_t depth) {
  // Lists of plain values stay on one line: they read better and keep diffs small.
  bool plain = true;
  for (const auto& value : array) plain = plain && !value.is_structured();
  out += '[';
  bool first = true;
  for (const auto& value : array) {
    if (!first) out += plain ? ", " : ",";
    first = false;
    if (!plain) new_line(out, depth + 1);
    append_pretty(out, value, depth + 1);
  }
  if (!plain) new_line(out, depth);
  out += ']';
}

void append_pretty(std::string& out, const boost::json::value& value, std::size_t depth) {
  if (const auto* object = value.if_object()) return append_object(out, *object, depth);
  if (const auto* array = value.if_array()) return append_array(out, *array, depth);
  if (const auto* number = value.if_double()) return append_number(out, *number);
  if (const auto* text = value.if_string()) return append_text(out, *text);
  out += boost::json::serialize(value);
}

}  // namespace

std::string pretty_json(const boost::json::value& value) {
  std::string out;
  append_pretty(out, value, 0);
  out += '\n';
  return out;
}

}  // namespace memprof::formats
