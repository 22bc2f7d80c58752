#include "formats/text.hpp"

#include <fmt/format.h>

#include <cmath>
#include <cstdint>
#include <optional>

namespace memprof::formats {
namespace {

struct CodePoint {
  std::uint32_t value = 0;
  std::size_t bytes = 0;
};

/// The code point at the front of `text`; none for bytes that are not UTF-8 (overlong forms,
/// surrogates and values above U+10FFFF included).
std::optional<CodePoint> decode(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return CodePoint{first, 1};
  std::size_t length = 0;
  std::uint32_t value = 0;
  if ((first & 0xE0) == 0xC0) {
    length = 2;
    value = first & 0x1F;
  } else if ((first & 0xF0) == 0xE0) {
    length = 3;
    value = first & 0x0F;
  } else if ((first & 0xF8) == 0xF0) {
    length = 4;
    value = first & 0x07;
  } else {
    return {};
  }
  if (text.size() < length) return {};
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return {};
    value = value << 6 | (byte(i) & 0x3F);
  }
  static constexpr std::uint32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};
  if (value < kLeast[length] || value > 0x10FFFF || (value >= 0xD800 && value < 0xE000)) return {};
  return CodePoint{value, length};
}

bool is_blank(std::uint32_t value) {
  return value <= 0x20 || (value >= 0x7F && value <= 0x9F) || value == 0x2028 || value == 0x2029;
}

}  // namespace

std::string one_line(std::string_view text, std::size_t max_characters) {
  std::string out;
  std::size_t characters = 0;
  bool blank_due = false;
  while (!text.empty() && characters < max_characters) {
    const auto point = decode(text);
    const std::size_t bytes = point ? point->bytes : 1;
    if (point && is_blank(point->value)) {
      blank_due = !out.empty();
    } else {
      if (blank_due) {
        out += ' ';
        blank_due = false;
        if (++characters == max_characters) break;
      }
      if (point) {
        out += text.substr(0, bytes);
      } else {
        out += "\xEF\xBF\xBD";
      }
      ++characters;
    }
    text.remove_prefix(bytes);
  }
  while (out.ends_with(' ')) out.pop_back();
  return out;
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const auto point = decode(text);
    if (!point) return false;
    text.remove_prefix(point->bytes);
  }
  return true;
}

std::string made_utf8(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const auto point = decode(text);
    const std::size_t bytes = point ? point->bytes : 1;
    out += point ? text.substr(0, bytes) : "\xEF\xBF\xBD";
    text.remove_prefix(bytes);
  }
  return out;
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> pieces;
  for (;;) {
    const auto at = text.find(separator);
    pieces.push_back(text.substr(0, at));
    if (at == std::string_view::npos) return pieces;
    text.remove_prefix(at + 1);
  }
}

std::string_view trim(std::string_view text) {
  static constexpr std::string_view kBlank = " \t\r\n";
  const auto first = text.find_first_not_of(kBlank);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

std::string format_mib(double mib) {
  if (std::abs(mib) >= 1024) return fmt::format("{:.1f} GiB", mib / 1024);
  return fmt::format("{:.0f} MiB", mib);
}

std::string format_duration(double seconds) {
  if (seconds < 59.95) return fmt::format("{:.1f} s", seconds);
  const auto whole = std::llround(seconds);
  if (whole < 3600) return fmt::format("{} min {} s", whole / 60, whole % 60);
  return fmt::format("{} h {} min", whole / 3600, whole / 60 % 60);
}

}  // namespace memprof::formats
