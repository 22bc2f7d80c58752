#pragma once

#include "formats/described.hpp"
#include "formats/number.hpp"
#include "formats/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

/// Option values as text: parsed from the command line, shown in help, passed to children.
namespace memprof::cli {

/// Allowed numbers, both ends included.
struct Range {
  double min = 0;
  double max = 9e15;  // whole numbers up to here are exact in a double
};

/// A value, or what is allowed instead (`a whole number from 1 to 10`).
template <class T>
struct ParsedText {
  std::optional<T> value;
  std::string allowed;
};

template <class T>
inline constexpr bool kIsList = false;
template <class T>
inline constexpr bool kIsList<std::vector<T>> = true;

namespace detail {

inline std::string describe(Range range, std::string_view kind) {
  const auto min = formats::format_number(range.min);
  if (range.max >= Range{}.max) return fmt::format("{} of at least {}", kind, min);
  return fmt::format("{} from {} to {}", kind, min, formats::format_number(range.max));
}

template <class T>
ParsedText<T> parse_one(std::string_view text, Range range) {
  if constexpr (formats::kIsEnum<T>) {
    return {formats::parse_enum<T>(text),
            fmt::format("one of {}", fmt::join(formats::enum_names<T>(), ", "))};
  } else if constexpr (std::is_same_v<T, std::string>) {
    return {text.empty() ? std::nullopt : std::optional(std::string(text)), "a text"};
  } else {
    std::optional<T> value;
    if constexpr (std::is_same_v<T, double>) {
      value = formats::parse_double(text);
    } else if constexpr (std::is_unsigned_v<T>) {
      value = formats::parse_uint(text);
    } else {
      value = formats::parse_int(text);
    }
    if (value && (static_cast<double>(*value) < range.min ||
                  static_cast<double>(*value) > range.max)) {
      value.reset();
    }
    return {value, describe(range, std::is_same_v<T, double> ? "a number" : "a whole number")};
  }
}

template <class T>
std::string show_one(const T& value) {
  if constexpr (formats::kIsEnum<T>) {
    return std::string(formats::enum_name(value));
  } else if constexpr (std::is_same_v<T, std::string>) {
    return value;
  } else if constexpr (std::is_same_v<T, double>) {
    return formats::format_number(value);
  } else {
    return std::to_string(value);
  }
}

}  // namespace detail

/// Lists are comma-separated, without duplicates, never empty.
template <class T>
ParsedText<T> parse_text(std::string_view text, Range range) {
  if constexpr (kIsList<T>) {
    using Element = typename T::value_type;
    T list;
    const std::string allowed = fmt::format("a comma-separated list without duplicates, each {}",
                                            detail::parse_one<Element>("", range).allowed);
    for (const auto piece : formats::split(text, ',')) {
      auto element = detail::parse_one<Element>(piece, range).value;
      if (!element || std::find(list.begin(), list.end(), *element) != list.end()) {
        return {std::nullopt, allowed};
      }
      list.push_back(std::move(*element));
    }
    return {std::move(list), allowed};
  } else {
    return detail::parse_one<T>(text, range);
  }
}

template <class T>
std::string show_text(const T& value) {
  if constexpr (kIsList<T>) {
    std::string text;
    for (const auto& element : value) {
      if (!text.empty()) text += ',';
      text += detail::show_one(element);
    }
    return text;
  } else {
    return detail::show_one(value);
  }
}

}  // namespace memprof::cli
