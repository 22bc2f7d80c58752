#include "formats/number.hpp"

#include <array>
#include <cmath>

namespace memprof::formats {
namespace {

template <class T>
std::optional<T> parse_whole(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || text.empty()) return {};
  return value;
}

}  // namespace

std::optional<std::int64_t> parse_int(std::string_view text) {
  return parse_whole<std::int64_t>(text);
}

std::optional<std::uint64_t> parse_uint(std::string_view text) {
  return parse_whole<std::uint64_t>(text);
}

std::optional<double> parse_double(std::string_view text) {
  const auto value = parse_whole<double>(text);
  if (!value || !std::isfinite(*value)) return {};
  return value;
}

void append_number(std::string& out, double value) {
  std::array<char, 400> buffer;
  const bool plain = std::abs(value) < 1e15 && (value == 0 || std::abs(value) >= 1e-9);
  const auto result =
      std::to_chars(buffer.data(), buffer.data() + buffer.size(),
                    value == 0 ? 0.0 : value,  // never -0
                    plain ? std::chars_format::fixed : std::chars_format::general);
  out.append(buffer.data(), result.ptr);
}

void append_number(std::string& out, std::int64_t value) {
  std::array<char, 24> buffer;
  const auto result = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value);
  out.append(buffer.data(), result.ptr);
}

std::string format_number(double value) {
  std::string out;
  append_number(out, value);
  return out;
}

}  // namespace memprof::formats
