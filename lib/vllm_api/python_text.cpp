#include "vllm_api/python_text.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>

namespace memprof::vllm_api {
namespace {

struct Decimal {
  bool negative = false;
  std::string digits;  ///< without the point, which comes after the first
  int exponent = 0;
};

/// Of the shortest text that reads back the same.
Decimal shortest(double value) {
  std::array<char, 40> text{};
  const auto end =
      std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::scientific);
  Decimal decimal;
  const char* at = text.data();
  if (*at == '-') {
    decimal.negative = true;
    ++at;
  }
  for (; *at != 'e'; ++at) {
    if (*at != '.') decimal.digits += *at;
  }
  ++at;
  if (*at == '+') ++at;
  std::from_chars(at, end.ptr, decimal.exponent);
  return decimal;
}

void append_fixed(std::string& out, const Decimal& decimal) {
  const auto& digits = decimal.digits;
  if (decimal.exponent < 0) {
    out += "0.";
    out.append(static_cast<std::size_t>(-decimal.exponent - 1), '0');
    out += digits;
    return;
  }
  const auto whole = static_cast<std::size_t>(decimal.exponent) + 1;
  out.append(digits, 0, whole);
  if (whole >= digits.size()) {
    out.append(whole - digits.size(), '0');
    out += ".0";
  } else {
    out += '.';
    out.append(digits, whole);
  }
}

void append_scientific(std::string& out, const Decimal& decimal, std::string_view exponent) {
  out += decimal.digits[0];
  if (decimal.digits.size() > 1) {
    out += '.';
    out.append(decimal.digits, 1);
  }
  out += exponent;
}

}  // namespace

std::string python_float(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
  const Decimal decimal = shortest(value);
  std::string out = decimal.negative ? "-" : "";
  if (decimal.exponent >= -4 && decimal.exponent < 16) {
    append_fixed(out, decimal);
  } else {
    append_scientific(out, decimal,
                      fmt::format("e{}{:02}", decimal.exponent < 0 ? '-' : '+',
                                  std::abs(decimal.exponent)));
  }
  return out;
}

std::string python_string(std::string_view text) {
  const bool double_quotes =
      text.find('\'') != std::string_view::npos && text.find('"') == std::string_view::npos;
  const char quote = double_quotes ? '"' : '\'';
  std::string out(1, quote);
  for (const char c : text) {
    if (c == quote || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\r') {
      out += "\\r";
    } else if (c == '\t') {
      out += "\\t";
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    } else {
      out += c;
    }
  }
  out += quote;
  return out;
}

void append_metric_number(std::string& out, double value) {
  if (std::isinf(value)) {
    out += value > 0 ? "+Inf" : "-Inf";
    return;
  }
  const bool small = std::isnan(value) || value < 1e6 || value >= 1e16;
  if (small) {
    // Most are counts: small whole numbers.
    if (value >= 0 && value < 1e6 && value == std::floor(value)) {
      out += fmt::format_int(static_cast<int>(value)).c_str();
      out += ".0";
      return;
    }
    out += python_float(value);
    return;
  }
  const Decimal decimal = shortest(value);
  append_scientific(out, decimal, fmt::format("e+0{}", decimal.exponent));
}

}  // namespace memprof::vllm_api
