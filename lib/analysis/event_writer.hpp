#pragma once

#include "records/units.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace memprof::analysis {

/// The members of a JSON object, as text that grows: `"a":1,"b":"x"`. A value that is absent adds
/// nothing. Keys are ours and need no escapes; text values may be anything.
class JsonMembers {
 public:
  void add(std::string_view key, std::string_view text);
  void add(std::string_view key, const char* text) { add(key, std::string_view(text)); }
  void add(std::string_view key, std::int64_t value);
  void add(std::string_view key, double value);
  template <class T>
  void add(std::string_view key, const std::optional<T>& value) {
    if (value) add(key, *value);
  }
  [[nodiscard]] const std::string& text() const { return text_; }
  void clear() { text_.clear(); }

 private:
  void add_key(std::string_view key);

  std::string text_;
};

/// Where an event belongs. The format's words: a process is a group of tracks, a thread one of its
/// tracks.
struct Track {
  std::int64_t process = 0;
  std::int64_t thread = 0;
};

/// Writes events of the Chrome trace event format, a line each, into a JSON array that its owner
/// opens and closes. Times are microseconds from an origin that is not after any of them.
class EventWriter {
 public:
  /// `on_text` gets the text in pieces of about a megabyte.
  EventWriter(Timestamp origin, std::function<void(std::string_view)> on_text);

  /// Text between the events; the caller sees to it that the whole is JSON.
  void raw(std::string_view text);
  /// A name or another property of a process (`thread` 0) or a thread: `process_name`.
  void metadata(std::string_view what, Track track, const JsonMembers& args);
  /// A stretch of time. One that begins and ends within another of its track is shown below it, if
  /// it is written after it. `colour` is one of the format's names, or empty.
  void slice(Track track, std::string_view name, std::string_view category, Timestamp begin,
             Timestamp end, const JsonMembers& args = {}, std::string_view colour = {});
  /// A step of a curve, which holds until the next.
  void counter(std::int64_t process, std::string_view name, Timestamp time,
               const JsonMembers& args);
  /// Hands on what is left.
  void flush();

 private:
  void begin_event(char phase, std::int64_t process);
  void member(std::string_view key, std::int64_t value);
  void end_event(const JsonMembers& args);

  Timestamp origin_;
  std::function<void(std::string_view)> on_text_;
  std::string text_;
  bool first_ = true;
};

}  // namespace memprof::analysis
