#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace memprof::formats {

/// Server-sent events as a state machine: bytes in, the `data` of each event out. Comments and
/// other fields are passed over, so is a byte order mark; `\n`, `\r\n` and `\r` end a line; several data lines are joined by
/// `\n`. An event that lies whole in one piece of input is handed on without a copy.
class SseScanner {
 public:
  class Sink {
   public:
    /// `data` is valid during the call.
    virtual void on_event(std::string_view data) = 0;

   protected:
    ~Sink() = default;
  };
  static constexpr std::size_t kMostLineBytes = 1 << 20;

  explicit SseScanner(Sink& sink) : sink_(sink) {}

  void reset();
  /// False: a line, or the data of an event, is longer than kMostLineBytes; nothing more may be
  /// fed.
  bool feed(std::string_view bytes);

 private:
  void take_line(std::string_view line);
  void add_data(std::string_view data);
  void dispatch();

  Sink& sink_;
  std::string line_;           // the beginning of a line whose end has not come
  std::string_view data_;      // of the event under way: in the input, or in kept_
  std::string kept_;
  bool has_data_ = false;
  bool first_line_ = true;
  bool after_cr_ = false;      // a `\n` now belongs to the `\r` before
};

}  // namespace memprof::formats
