#include "raw_log.hpp"

#include "formats/iso8601.hpp"
#include "formats/number.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <cmath>

using namespace memprof;
namespace json = boost::json;

namespace {

Error unreadable(const char* why) { return {ExitCode::environment, why}; }

std::optional<double> number(const json::object& line, std::string_view key) {
  const auto* value = line.if_contains(key);
  boost::system::error_code error;
  const double read = value == nullptr ? 0 : value->to_number<double>(error);
  if (value == nullptr || error || std::abs(read) > 1e11) return {};
  return read;
}

std::optional<std::string> text(const json::object& line, std::string_view key) {
  const auto* value = line.if_contains(key);
  if (value == nullptr || !value->is_string()) return {};
  return std::string(value->get_string());
}

bool read_times(const json::object& line, RawScrape& scrape) {
  if (const auto written = text(line, "timestamp")) {
    const auto time = formats::parse_timestamp(*written);
    const auto took = number(line, "scrape_ms");
    if (!time || !took) return false;
    scrape.timestamp = *time;
    scrape.scrape_ms = *took;
    return true;
  }
  const auto sent = number(line, "send_ts");
  const auto received = number(line, "recv_ts");
  if (!sent || !received) return false;
  const auto at = [](double seconds) {
    return Timestamp(std::chrono::microseconds(std::llround(seconds * 1e6)));
  };
  scrape.timestamp = at(*received);
  scrape.scrape_ms = milliseconds_between(at(*sent), at(*received));
  return true;
}

bool read_body(const json::object& line, RawScrape& scrape) {
  if (auto body = text(line, "body")) {
    scrape.body = std::move(*body);
    return true;
  }
  const auto* lines = line.if_contains("lines");
  if (lines == nullptr || !lines->is_array()) return false;
  for (const auto& entry : lines->get_array()) {
    if (!entry.is_string()) return false;
    scrape.body += std::string_view(entry.get_string());
    scrape.body += '\n';
  }
  return true;
}

}  // namespace

std::string to_raw_line(const RawScrape& scrape) {
  const auto quoted = [](std::string_view value) { return json::serialize(json::string(value)); };
  return fmt::format(R"({{"timestamp":"{}","scrape_ms":{},"status":{},"error":{},"body":{}}})" "\n",
                     formats::format_timestamp(scrape.timestamp),
                     formats::format_number(scrape.scrape_ms), scrape.status,
                     scrape.error ? quoted(*scrape.error) : "null", quoted(scrape.body));
}

Result<RawScrape> parse_raw_line(std::string_view text_line) {
  json::parse_options lenient;
  lenient.allow_invalid_utf8 = true;
  boost::system::error_code error;
  const auto parsed = json::parse(text_line, error, {}, lenient);
  if (error) return unreadable("not JSON");
  if (!parsed.is_object()) return unreadable("not a JSON object");
  const auto& line = parsed.get_object();
  RawScrape scrape;
  if (!read_times(line, scrape)) return unreadable("no readable timestamp and scrape_ms");
  scrape.status = static_cast<int>(number(line, "status").value_or(0));
  scrape.error = text(line, "error");
  if (!read_body(line, scrape)) return unreadable("no readable body");
  return scrape;
}
