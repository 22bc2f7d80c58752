#pragma once

#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace memprof::formats {

/// The whole text as a number, or none: no blanks, no sign `+`, no trailing bytes.
std::optional<std::int64_t> parse_int(std::string_view text);
std::optional<std::uint64_t> parse_uint(std::string_view text);
/// Also `1e3`, but neither `inf` nor `nan` nor hexadecimal.
std::optional<double> parse_double(std::string_view text);

/// Shortest text that reads back as the same number, without exponent below 1e15: `12.5`, `3`.
void append_number(std::string& out, double value);
void append_number(std::string& out, std::int64_t value);
std::string format_number(double value);

}  // namespace memprof::formats
