#include "analysis/event_writer.hpp"

#include "formats/number.hpp"
#include "formats/text.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <cmath>
#include <utility>

namespace memprof::analysis {
namespace {

constexpr std::size_t kPiece = 1 << 20;
constexpr std::size_t kMostCharacters = 1000;

bool is_plain(std::string_view text) {
  return text.size() <= kMostCharacters && std::all_of(text.begin(), text.end(), [](char c) {
           return c >= 0x20 && c < 0x7F && c != '"' && c != '\\';
         });
}

/// Anything becomes valid JSON: one line of valid UTF-8, of bounded length.
void append_string(std::string& out, std::string_view text) {
  if (is_plain(text)) {
    out += '"';
    out += text;
    out += '"';
  } else {
    out += boost::json::serialize(boost::json::string(formats::one_line(text, kMostCharacters)));
  }
}

}  // namespace

void JsonMembers::add_key(std::string_view key) {
  if (!text_.empty()) text_ += ',';
  text_ += '"';
  text_ += key;
  text_ += "\":";
}

void JsonMembers::add(std::string_view key, std::string_view text) {
  add_key(key);
  append_string(text_, text);
}

void JsonMembers::add(std::string_view key, std::int64_t value) {
  add_key(key);
  formats::append_number(text_, value);
}

void JsonMembers::add(std::string_view key, double value) {
  if (!std::isfinite(value)) return;  // JSON has no such number
  add_key(key);
  formats::append_number(text_, value);
}

EventWriter::EventWriter(Timestamp origin, std::function<void(std::string_view)> on_text)
    : origin_(origin), on_text_(std::move(on_text)) {
  text_.reserve(kPiece + (kPiece >> 3));
}

void EventWriter::raw(std::string_view text) { text_ += text; }

void EventWriter::metadata(std::string_view what, Track track, const JsonMembers& args) {
  begin_event('M', track.process);
  member("tid", track.thread);
  text_ += ",\"name\":\"";
  text_ += what;
  text_ += '"';
  end_event(args);
}

void EventWriter::slice(Track track, std::string_view name, std::string_view category,
                        Timestamp begin, Timestamp end, const JsonMembers& args,
                        std::string_view colour) {
  begin_event('X', track.process);
  member("tid", track.thread);
  member("ts", (begin - origin_).count());
  member("dur", (end - begin).count());
  text_ += ",\"name\":";
  append_string(text_, name);
  text_ += ",\"cat\":";
  append_string(text_, category);
  if (!colour.empty()) {
    text_ += ",\"cname\":\"";
    text_ += colour;
    text_ += '"';
  }
  end_event(args);
}

void EventWriter::counter(std::int64_t process, std::string_view name, Timestamp time,
                          const JsonMembers& args) {
  begin_event('C', process);
  member("ts", (time - origin_).count());
  text_ += ",\"name\":";
  append_string(text_, name);
  end_event(args);
}

void EventWriter::flush() {
  if (!text_.empty()) on_text_(text_);
  text_.clear();
}

void EventWriter::begin_event(char phase, std::int64_t process) {
  text_ += first_ ? "\n{\"ph\":\"" : ",\n{\"ph\":\"";
  first_ = false;
  text_ += phase;
  text_ += '"';
  member("pid", process);
}

void EventWriter::member(std::string_view key, std::int64_t value) {
  text_ += ",\"";
  text_ += key;
  text_ += "\":";
  formats::append_number(text_, value);
}

void EventWriter::end_event(const JsonMembers& args) {
  if (!args.text().empty()) {
    text_ += ",\"args\":{";
    text_ += args.text();
    text_ += '}';
  }
  text_ += '}';
  if (text_.size() >= kPiece) flush();
}

}  // namespace memprof::analysis
