#include "formats/iso8601.hpp"

#include <array>
#include <chrono>

namespace memprof::formats {
namespace {

using namespace std::chrono;

void put(char*& at, int digits, std::int64_t value) {
  for (int i = digits - 1; i >= 0; --i) {
    at[i] = static_cast<char>('0' + value % 10);
    value /= 10;
  }
  at += digits;
}

/// Takes fixed-width numbers and separators from the front of a text.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}
  std::optional<int> digits(std::size_t count) {
    if (text_.size() < count) return {};
    const char* const digit = text_.data();  // its size is checked above
    int value = 0;
    for (std::size_t i = 0; i < count; ++i) {
      if (digit[i] < '0' || digit[i] > '9') return {};
      value = value * 10 + (digit[i] - '0');
    }
    text_.remove_prefix(count);
    return value;
  }
  bool take(std::string_view any_of) {
    if (text_.empty() || any_of.find(text_.front()) == std::string_view::npos) return false;
    last_ = text_.front();
    text_.remove_prefix(1);
    return true;
  }
  [[nodiscard]] char last() const { return last_; }
  [[nodiscard]] bool at_end() const { return text_.empty(); }

 private:
  std::string_view text_;
  char last_ = 0;
};

std::optional<microseconds> parse_fraction(Scanner& scan) {
  int micros = 0;
  int count = 0;
  while (auto digit = scan.digits(1)) {
    if (++count > 9) return {};
    if (count <= 6) micros = micros * 10 + *digit;
  }
  if (count == 0) return {};
  for (; count < 6; ++count) micros *= 10;
  return microseconds(micros);
}

std::optional<minutes> parse_offset(Scanner& scan) {
  if (scan.take("Zz")) return minutes(0);
  if (!scan.take("+-")) return minutes(0);
  const int sign = scan.last() == '-' ? -1 : 1;
  const auto hour = scan.digits(2);
  scan.take(":");
  const auto minute = scan.digits(2);
  if (!hour || !minute || *hour > 23 || *minute > 59) return {};
  return minutes(sign * (*hour * 60 + *minute));
}

}  // namespace

void append_timestamp(std::string& out, Timestamp time) {
  const auto day = floor<days>(time);
  const year_month_day date{day};
  const hh_mm_ss clock{time - day};
  std::array<char, 32> text;
  char* at = text.data();
  put(at, 4, int(date.year()));
  *at++ = '-';
  put(at, 2, unsigned(date.month()));
  *at++ = '-';
  put(at, 2, unsigned(date.day()));
  *at++ = 'T';
  put(at, 2, clock.hours().count());
  *at++ = ':';
  put(at, 2, clock.minutes().count());
  *at++ = ':';
  put(at, 2, clock.seconds().count());
  *at++ = '.';
  put(at, 6, clock.subseconds().count());
  out.append(text.data(), at);
  out += "+00:00";
}

std::string format_timestamp(Timestamp time) {
  std::string out;
  append_timestamp(out, time);
  return out;
}

std::optional<Timestamp> parse_timestamp(std::string_view text) {
  Scanner scan(text);
  const auto y = scan.digits(4);
  if (!y || !scan.take("-")) return {};
  const auto mo = scan.digits(2);
  if (!mo || !scan.take("-")) return {};
  const auto d = scan.digits(2);
  if (!d || !scan.take("T ")) return {};
  const auto h = scan.digits(2);
  if (!h || !scan.take(":")) return {};
  const auto mi = scan.digits(2);
  if (!mi || !scan.take(":")) return {};
  const auto s = scan.digits(2);
  if (!s || *h > 23 || *mi > 59 || *s > 59) return {};
  const year_month_day date{year(*y), month(unsigned(*mo)), day(unsigned(*d))};
  if (!date.ok()) return {};
  microseconds fraction{0};
  if (scan.take(".,")) {
    const auto parsed = parse_fraction(scan);
    if (!parsed) return {};
    fraction = *parsed;
  }
  const auto offset = parse_offset(scan);
  if (!offset || !scan.at_end()) return {};
  const auto time =
      sys_days{date} + hours(*h) + minutes(*mi) + seconds(*s) + fraction - *offset;
  // At either end an offset leads into a year that four digits cannot say.
  const auto utc_year = year_month_day{floor<days>(time)}.year();
  if (utc_year < year(0) || utc_year > year(9999)) return {};
  return time;
}

}  // namespace memprof::formats
