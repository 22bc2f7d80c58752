#include "formats/prometheus.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace memprof::formats {
namespace {

constexpr auto kNameBytes = [] {
  std::array<bool, 256> table{};
  for (int c = 'a'; c <= 'z'; ++c) table[static_cast<std::size_t>(c)] = true;
  for (int c = 'A'; c <= 'Z'; ++c) table[static_cast<std::size_t>(c)] = true;
  for (int c = '0'; c <= '9'; ++c) table[static_cast<std::size_t>(c)] = true;
  table['_'] = table[':'] = true;
  return table;
}();

// Each goes over all bytes of a page: iterators, which nothing checks on the way.
template <class Predicate>
std::string_view take_while(std::string_view& rest, Predicate holds) {
  const auto end = std::find_if_not(rest.begin(), rest.end(), holds);
  const auto taken = rest.substr(0, static_cast<std::size_t>(end - rest.begin()));
  rest.remove_prefix(taken.size());
  return taken;
}

std::string_view take_name(std::string_view& rest) {
  return take_while(rest, [](char c) { return kNameBytes[static_cast<unsigned char>(c)]; });
}

bool is_blank(char c) { return c == ' ' || c == '\t'; }

void skip_blanks(std::string_view& rest) { take_while(rest, is_blank); }

bool take(std::string_view& rest, char c) {
  if (rest.empty() || rest.front() != c) return false;
  rest.remove_prefix(1);
  return true;
}

std::string_view take_word(std::string_view& rest) {
  return take_while(rest, [](char c) { return !is_blank(c); });
}

/// Go's and Python's spellings: `1.795e+09`, `+Inf`, `NaN`.
std::optional<double> parse_value(std::string_view word) {
  if (word.size() > 1 && word.front() == '+' && word[1] != '-') word.remove_prefix(1);
  double value = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
  if (error != std::errc{} || end != word.data() + word.size()) return {};
  return value;
}

}  // namespace

std::optional<std::string_view> PrometheusSample::label(std::string_view label_name) const {
  for (const auto& label : labels) {
    if (label.name == label_name) return label.value;
  }
  return {};
}

void PrometheusScanner::reset() {
  line_.clear();
  too_long_ = false;
  broken_lines_ = 0;
}

void PrometheusScanner::feed(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto end = bytes.find('\n');
    const auto piece = bytes.substr(0, end);
    if (!too_long_ && line_.size() + piece.size() > kMostLineBytes) {
      too_long_ = true;
      ++broken_lines_;
      line_.clear();
    }
    if (end == std::string_view::npos) {
      if (!too_long_) line_ += piece;
      return;
    }
    bytes.remove_prefix(end + 1);
    if (too_long_) {
      too_long_ = false;
    } else if (line_.empty()) {
      take_line(piece);
    } else {
      line_ += piece;
      take_line(line_);
      line_.clear();
    }
  }
}

void PrometheusScanner::finish() {
  const auto first = line_.find_first_not_of(" \t\r");
  if (first != std::string::npos && line_[first] != '#') ++broken_lines_;
  line_.clear();
  too_long_ = false;
}

void PrometheusScanner::take_line(std::string_view line) {
  if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  skip_blanks(line);
  if (line.empty() || line.front() == '#') return;
  const bool starts_as_name = line.front() < '0' || line.front() > '9';
  const auto name = take_name(line);
  const bool named = starts_as_name && !name.empty() && !line.empty() &&
                     (line.front() == '{' || is_blank(line.front()));
  if (!named || (sink_.wants(name) && !read_sample(name, line))) ++broken_lines_;
}

bool PrometheusScanner::read_sample(std::string_view name, std::string_view rest) {
  labels_.clear();
  skip_blanks(rest);
  if (take(rest, '{') && !read_labels(rest)) return false;
  skip_blanks(rest);
  const auto value = parse_value(take_word(rest));
  if (!value) return false;
  skip_blanks(rest);
  if (!rest.empty() && rest.front() != '#') {  // `#`: an exemplar
    if (!parse_value(take_word(rest))) return false;  // a timestamp
    skip_blanks(rest);
    if (!rest.empty() && rest.front() != '#') return false;
  }
  sink_.on_sample({name, labels_, *value});
  return true;
}

bool PrometheusScanner::read_labels(std::string_view& rest) {
  unescaped_.clear();
  unescaped_.reserve(rest.size());
  for (;;) {
    skip_blanks(rest);
    if (take(rest, '}')) return true;
    PrometheusLabel label;
    label.name = take_name(rest);
    skip_blanks(rest);
    if (label.name.empty() || !take(rest, '=')) return false;
    skip_blanks(rest);
    if (!read_label_value(rest, label.value)) return false;
    labels_.push_back(label);
    skip_blanks(rest);
    if (!take(rest, ',') && (rest.empty() || rest.front() != '}')) return false;
  }
}

bool PrometheusScanner::read_label_value(std::string_view& rest, std::string_view& value) {
  const auto is_plain = [](char c) { return c != '"' && c != '\\'; };
  if (!take(rest, '"')) return false;
  value = take_while(rest, is_plain);
  if (take(rest, '"')) return true;
  const auto begin = unescaped_.size();
  unescaped_ += value;
  while (take(rest, '\\')) {
    if (rest.empty()) return false;
    const char escaped = rest.front();
    rest.remove_prefix(1);
    // Only \\, \" and \n are defined; of anything else the backslash is kept.
    if (escaped != '\\' && escaped != '"' && escaped != 'n') unescaped_ += '\\';
    unescaped_ += escaped == 'n' ? '\n' : escaped;
    unescaped_ += take_while(rest, is_plain);
  }
  value = std::string_view(unescaped_).substr(begin);
  return take(rest, '"');
}

}  // namespace memprof::formats
