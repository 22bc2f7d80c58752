#pragma once

#include "vllm_api/api_error.hpp"

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace memprof::vllm_api {

/// A request's body as a JSON object. Anything else is a 400 in the words of vLLM's web framework;
/// the reason inside "JSON decode error" is not always Python's.
ApiResult<boost::json::value> parse_json_body(std::string_view body);

/// Neither absent, null, false, 0, nor empty.
bool is_truthy(const boost::json::value* value);

/// Reads fields of a JSON object as vLLM's models do: a number may be a string, a flag may be 0 or
/// 1. Absent and null fields have no value. What cannot be read is noted for error().
class FieldReader {
 public:
  explicit FieldReader(const boost::json::object& body) : body_(body) {}

  /// None: absent or null.
  [[nodiscard]] const boost::json::value* find(std::string_view name) const;
  /// Numbers beyond int64 are cut to it.
  std::optional<std::int64_t> whole(std::string_view name);
  std::optional<double> number(std::string_view name);
  std::optional<bool> flag(std::string_view name);
  std::optional<std::string_view> text(std::string_view name);
  /// Notes a problem with a field that is null; an absent one is good.
  void refuse_null(std::string_view name, std::string_view type, std::string_view message);
  /// Notes that a field is absent.
  void note_missing(std::string_view name);

  /// A value as a whole number, or a noted problem with it at `place` (`prompt.3`).
  std::optional<std::int64_t> read_whole(const boost::json::value& value, std::string_view place);
  std::optional<bool> read_flag(const boost::json::value& value, std::string_view place);
  /// `context` is what follows the input in Python's words: `{'ge': 0}`.
  void note(std::string_view type, std::string_view place, std::string_view message,
            const boost::json::value& input, std::string_view context = {});

  [[nodiscard]] bool ok() const { return problems_ == 0; }
  /// All problems in one 400; there must be some.
  [[nodiscard]] ApiError error() const;

 private:
  void add(std::string_view type, std::string_view place, std::string_view message,
           std::string_view input, std::string_view context);

  const boost::json::object& body_;
  std::size_t problems_ = 0;
  std::string first_place_;
  std::string text_;  ///< of the first few
};

}  // namespace memprof::vllm_api
