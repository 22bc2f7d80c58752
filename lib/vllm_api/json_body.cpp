#include "vllm_api/json_body.hpp"

#include "formats/number.hpp"
#include "formats/text.hpp"
#include "vllm_api/python_text.hpp"

#include <boost/json/stream_parser.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace memprof::vllm_api {
namespace json = boost::json;
namespace {

constexpr std::size_t kMostProblems = 10;         // shown
constexpr std::size_t kMostInputCharacters = 200;  // of a value that is shown
constexpr std::size_t kMostDepth = 100;

std::string place_in_body(std::string_view place) {
  return place.empty() ? "body" : fmt::format("body.{}", place);
}

/// At most so many code points.
std::string_view first_characters(std::string_view text, std::size_t most) {
  std::size_t characters = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool begins = (static_cast<unsigned char>(text[i]) & 0xC0) != 0x80;
    if (begins && ++characters > most) return text.substr(0, i);
  }
  return text;
}

std::string summary_of_items(std::string_view type, std::size_t items) {
  return fmt::format("'<{} of {} items>'", type, items);
}

/// A value in few words, quoted.
std::string summary(const json::value& value) {
  switch (value.kind()) {
    case json::kind::string: {
      const std::string_view text = value.get_string();
      const auto front = first_characters(text, kMostInputCharacters);
      return python_string(std::string(front) + (front == text ? "" : "...[truncated]"));
    }
    case json::kind::array: return summary_of_items("list", value.get_array().size());
    case json::kind::object: return summary_of_items("dict", value.get_object().size());
    case json::kind::bool_: return value.get_bool() ? "'True'" : "'False'";
    case json::kind::double_: return fmt::format("'{}'", python_float(value.get_double()));
    case json::kind::int64: return fmt::format("'{}'", value.get_int64());
    case json::kind::uint64: return fmt::format("'{}'", value.get_uint64());
    case json::kind::null: break;
  }
  return "'None'";
}

ApiError decode_error(std::size_t position, std::string_view reason) {
  const auto place = fmt::format("body.{}", position);
  return make_error(
      400, "Bad Request",
      fmt::format("1 validation error:\n  {{'type': 'json_invalid', 'loc': '{}', 'msg': 'JSON "
                  "decode error', 'input': '<dict of 0 items>', 'ctx': {{'error': '{}'}}}}",
                  place, reason),
      place);
}

ApiError unreadable() { return make_detail(400, "There was an error parsing the body"); }

std::int64_t cut_to_int64(double value) {
  constexpr double kBeyond = 9223372036854775808.0;
  if (value >= kBeyond) return std::numeric_limits<std::int64_t>::max();
  if (value <= -kBeyond) return std::numeric_limits<std::int64_t>::min();
  return static_cast<std::int64_t>(value);
}

}  // namespace

ApiResult<json::value> parse_json_body(std::string_view body) {
  if (body.empty()) {
    const json::object nothing;
    FieldReader reader(nothing);
    reader.note("missing", "", "Field required", nullptr);
    return reader.error();
  }
  json::parse_options options;
  options.max_depth = kMostDepth;
  json::stream_parser parser({}, options);
  boost::system::error_code error;
  std::size_t end = parser.write_some(body.data(), body.size(), error);
  const bool more = !error && end < body.size();
  if (!error && !more) {
    parser.finish(error);
    end = body.size();
  }
  if (error || more) {
    if (!formats::is_utf8(body) || error == json::error::too_deep) return unreadable();
    return decode_error(end, more ? "Extra data" : "Expecting value");
  }
  json::value value = parser.release();
  if (!value.is_object()) {
    const json::object nothing;
    FieldReader reader(nothing);
    reader.note("model_attributes_type", "",
                "Input should be a valid dictionary or object to extract fields from", value);
    return reader.error();
  }
  return value;
}

bool is_truthy(const json::value* value) {
  if (value == nullptr) return false;
  switch (value->kind()) {
    case json::kind::null: return false;
    case json::kind::bool_: return value->get_bool();
    case json::kind::int64: return value->get_int64() != 0;
    case json::kind::uint64: return value->get_uint64() != 0;
    case json::kind::double_: return value->get_double() != 0;
    case json::kind::string: return !value->get_string().empty();
    case json::kind::array: return !value->get_array().empty();
    case json::kind::object: return !value->get_object().empty();
  }
  return true;
}

const json::value* FieldReader::find(std::string_view name) const {
  const auto* value = body_.if_contains(name);
  return value == nullptr || value->is_null() ? nullptr : value;
}

std::optional<std::int64_t> FieldReader::whole(std::string_view name) {
  const auto* value = find(name);
  if (value == nullptr) return {};
  return read_whole(*value, name);
}

std::optional<std::int64_t> FieldReader::read_whole(const json::value& value,
                                                    std::string_view place) {
  if (const auto* number = value.if_int64()) return *number;
  if (value.is_uint64()) return std::numeric_limits<std::int64_t>::max();
  if (const auto* flag = value.if_bool()) return *flag ? 1 : 0;
  if (const auto* number = value.if_double()) {
    if (std::isfinite(*number) && *number == std::floor(*number)) return cut_to_int64(*number);
    note("int_from_float", place,
         "Input should be a valid integer, got a number with a fractional part", value);
    return {};
  }
  if (const auto* text = value.if_string()) {
    if (const auto number = formats::parse_int(formats::trim(*text))) return number;
    note("int_parsing", place,
         "Input should be a valid integer, unable to parse string as an integer", value);
    return {};
  }
  note("int_type", place, "Input should be a valid integer", value);
  return {};
}

std::optional<double> FieldReader::number(std::string_view name) {
  const auto* value = find(name);
  if (value == nullptr) return {};
  if (const auto* flag = value->if_bool()) return *flag ? 1 : 0;
  if (value->is_number()) return value->to_number<double>();
  if (const auto* text = value->if_string()) {
    if (const auto number = formats::parse_double(formats::trim(*text))) return number;
    note("float_parsing", name,
         "Input should be a valid number, unable to parse string as a number", *value);
    return {};
  }
  note("float_type", name, "Input should be a valid number", *value);
  return {};
}

std::optional<bool> FieldReader::flag(std::string_view name) {
  const auto* value = find(name);
  if (value == nullptr) return {};
  return read_flag(*value, name);
}

std::optional<bool> FieldReader::read_flag(const json::value& value, std::string_view place) {
  if (const auto* flag = value.if_bool()) return *flag;
  static constexpr std::string_view kTrue[] = {"true", "True", "TRUE", "1", "yes", "on", "t", "y"};
  static constexpr std::string_view kFalse[] = {"false", "False", "FALSE", "0",
                                                "no",    "off",   "f",     "n"};
  const auto is_one_of = [](const auto& words, std::string_view text) {
    return std::find(std::begin(words), std::end(words), text) != std::end(words);
  };
  if (value.is_number()) {
    const auto number = value.to_number<double>();
    if (number == 0 || number == 1) return number == 1;
  } else if (const auto* text = value.if_string()) {
    if (is_one_of(kTrue, *text)) return true;
    if (is_one_of(kFalse, *text)) return false;
  } else {
    note("bool_type", place, "Input should be a valid boolean", value);
    return {};
  }
  note("bool_parsing", place, "Input should be a valid boolean, unable to interpret input", value);
  return {};
}

std::optional<std::string_view> FieldReader::text(std::string_view name) {
  const auto* value = find(name);
  if (value == nullptr) return {};
  if (const auto* text = value->if_string()) return std::string_view(*text);
  note("string_type", name, "Input should be a valid string", *value);
  return {};
}

void FieldReader::refuse_null(std::string_view name, std::string_view type,
                              std::string_view message) {
  const auto* value = body_.if_contains(name);
  if (value != nullptr && value->is_null()) note(type, name, message, *value);
}

void FieldReader::note_missing(std::string_view name) {
  add("missing", name, "Field required", summary_of_items("dict", body_.size()), "");
}

void FieldReader::note(std::string_view type, std::string_view place, std::string_view message,
                       const json::value& input, std::string_view context) {
  add(type, place, message, problems_ < kMostProblems ? summary(input) : "", context);
}

void FieldReader::add(std::string_view type, std::string_view place, std::string_view message,
                      std::string_view input, std::string_view context) {
  if (problems_++ == 0) first_place_ = place_in_body(place);
  if (problems_ > kMostProblems) return;
  text_ += fmt::format("\n  {{'type': '{}', 'loc': '{}', 'msg': {}, 'input': {}", type,
                       place_in_body(place), python_string(message), input);
  if (!context.empty()) text_ += fmt::format(", 'ctx': {}", context);
  text_ += '}';
}

ApiError FieldReader::error() const {
  const std::string_view word = problems_ == 1 ? "error" : "errors";
  std::string message = fmt::format("{} validation {}:{}", problems_, word, text_);
  if (problems_ > kMostProblems) {
    message += fmt::format("\n  ...and {} more {}", problems_ - kMostProblems, word);
  }
  return make_error(400, "Bad Request", message, first_place_);
}

}  // namespace memprof::vllm_api
