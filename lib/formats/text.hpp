#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace memprof::formats {

/// Somebody else's words, made fit for a CSV cell, a log or a terminal: one line (control bytes and
/// runs of white space become one blank), valid UTF-8 (bad bytes become U+FFFD), at most
/// `max_characters` code points, trimmed.
std::string one_line(std::string_view text, std::size_t max_characters);

/// Pieces between separators; "a,,b" has an empty one, "" has one empty piece.
std::vector<std::string_view> split(std::string_view text, char separator);

/// Overlong forms, surrogates and values above U+10FFFF are not UTF-8.
bool is_utf8(std::string_view text);
/// The text with U+FFFD for each byte that is not part of UTF-8; else as it is.
std::string made_utf8(std::string_view text);

std::string_view trim(std::string_view text);

/// `1.5 GiB`, `212 MiB`, from MiB.
std::string format_mib(double mib);
/// `2 min 5 s`, `12.3 s`, from seconds.
std::string format_duration(double seconds);

}  // namespace memprof::formats
