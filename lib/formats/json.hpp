#pragma once

#include "formats/described.hpp"
#include "formats/iso8601.hpp"
#include "formats/number.hpp"
#include "records/error.hpp"
#include "records/units.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <cmath>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

/// JSON of described structs: key = member name, in order; no value = null; every key is present.
namespace memprof::formats {

/// Indented, keys in their order, numbers without exponent where they have a shorter plain form,
/// newline at the end.
std::string pretty_json(const boost::json::value& value);

template <class T>
boost::json::value to_json(const T& value);

namespace detail {
template <class T>
inline constexpr bool kIsVector = false;
template <class T>
inline constexpr bool kIsVector<std::vector<T>> = true;
template <class T>
inline constexpr bool kIsMap = false;
template <class T>
inline constexpr bool kIsMap<std::map<std::string, T>> = true;
/// Keys are written as text, in numeric order.
template <class T>
inline constexpr bool kIsNumberMap = false;
template <class T>
inline constexpr bool kIsNumberMap<std::map<std::int64_t, T>> = true;

template <class T>
Result<void> read_json(const boost::json::value& json, const std::string& path, T& value);

inline Error wrong(const std::string& path, std::string_view what) {
  return Error{ExitCode::usage, fmt::format("{}: {}", path.empty() ? "document" : path, what)};
}
}  // namespace detail

template <class T>
boost::json::value to_json(const T& value) {
  if constexpr (kIsOptional<T>) {
    return value ? to_json(*value) : boost::json::value(nullptr);
  } else if constexpr (detail::kIsVector<T>) {
    boost::json::array array;
    array.reserve(value.size());
    for (const auto& element : value) array.push_back(to_json(element));
    return array;
  } else if constexpr (detail::kIsMap<T>) {
    boost::json::object object;
    for (const auto& [key, element] : value) object.emplace(key, to_json(element));
    return object;
  } else if constexpr (detail::kIsNumberMap<T>) {
    boost::json::object object;
    for (const auto& [key, element] : value) object.emplace(std::to_string(key), to_json(element));
    return object;
  } else if constexpr (kIsDescribed<T>) {
    boost::json::object object;
    for_each_member<T>([&](std::string_view name, auto pointer) {
      object.emplace(name, to_json(value.*pointer));
    });
    return object;
  } else if constexpr (kIsEnum<T>) {
    return boost::json::value(boost::json::string(enum_name(value)));
  } else if constexpr (std::is_same_v<T, Timestamp>) {
    return boost::json::value(boost::json::string(format_timestamp(value)));
  } else if constexpr (std::is_same_v<T, double>) {
    if (!std::isfinite(value)) return nullptr;
    return value;
  } else {
    return boost::json::value(value);
  }
}

/// Reads a document that to_json wrote, or a newer or older one of the kind: unknown keys are
/// passed over, a missing or null key leaves the member's default, a value of the wrong type is an
/// Error that names its path (`gpus[0].gpu_idx`).
template <class T>
Result<T> from_json(const boost::json::value& json) {
  T value{};
  if (const auto read = detail::read_json(json, "", value); read.has_error()) return read.error();
  return value;
}

namespace detail {

template <class T>
Result<void> read_object(const boost::json::value& json, const std::string& path, T& value) {
  if (!json.is_object()) return wrong(path, "must be an object");
  Result<void> outcome{};
  for_each_member<T>([&](std::string_view name, auto pointer) {
    const auto* member = json.get_object().if_contains(name);
    if (outcome.has_error() || member == nullptr || member->is_null()) return;
    outcome =
        read_json(*member, path.empty() ? std::string(name) : fmt::format("{}.{}", path, name),
                  value.*pointer);
  });
  return outcome;
}

template <class T>
Result<void> read_json(const boost::json::value& json, const std::string& path, T& value) {
  if constexpr (kIsOptional<T>) {
    if (json.is_null()) return {};
    return read_json(json, path, value.emplace());
  } else if constexpr (std::is_same_v<T, boost::json::value> ||
                       std::is_same_v<T, boost::json::object>) {
    if constexpr (std::is_same_v<T, boost::json::object>) {
      if (!json.is_object()) return wrong(path, "must be an object");
      value = json.get_object();
    } else {
      value = json;
    }
    return {};
  } else if constexpr (kIsVector<T>) {
    if (!json.is_array()) return wrong(path, "must be an array");
    for (const auto& element : json.get_array()) {
      const auto name = fmt::format("{}[{}]", path, value.size());
      auto read = read_json(element, name, value.emplace_back());
      if (read.has_error()) return read;
    }
    return {};
  } else if constexpr (kIsMap<T>) {
    if (!json.is_object()) return wrong(path, "must be an object");
    for (const auto& [key, element] : json.get_object()) {
      const std::string name(key);
      auto read = read_json(element, fmt::format("{}.{}", path, name), value[name]);
      if (read.has_error()) return read;
    }
    return {};
  } else if constexpr (kIsNumberMap<T>) {
    if (!json.is_object()) return wrong(path, "must be an object");
    for (const auto& [key, element] : json.get_object()) {
      const auto number = parse_int(std::string_view(key));
      const auto name = fmt::format("{}.{}", path, std::string_view(key));
      if (!number) return wrong(name, "must be a whole number as key");
      auto read = read_json(element, name, value[*number]);
      if (read.has_error()) return read;
    }
    return {};
  } else if constexpr (kIsDescribed<T>) {
    return read_object(json, path, value);
  } else if constexpr (std::is_same_v<T, bool>) {
    if (!json.is_bool()) return wrong(path, "must be true or false");
    value = json.get_bool();
    return {};
  } else if constexpr (std::is_arithmetic_v<T>) {
    boost::system::error_code error;
    value = json.to_number<T>(error);
    if (error) {
      return wrong(path, std::is_integral_v<T> ? "must be a whole number" : "must be a number");
    }
    return {};
  } else {
    if (!json.is_string()) return wrong(path, "must be a string");
    const std::string_view text = json.get_string();
    if constexpr (std::is_same_v<T, std::string>) {
      value = std::string(text);
    } else if constexpr (std::is_same_v<T, Timestamp>) {
      const auto parsed = parse_timestamp(text);
      if (!parsed) return wrong(path, "must be a time like 2026-02-25T10:00:00.123456+00:00");
      value = *parsed;
    } else {
      const auto parsed = parse_enum<T>(text);
      if (!parsed) {
        return wrong(path, fmt::format("must be one of {}", fmt::join(enum_names<T>(), ", ")));
      }
      value = *parsed;
    }
    return {};
  }
}

}  // namespace detail
}  // namespace memprof::formats
