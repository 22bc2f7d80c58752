#pragma once

#include "process/descriptor.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace memprof::process {

/// Lines that come through a pipe; never blocks.
class LineReader {
 public:
  LineReader() = default;
  explicit LineReader(Descriptor read_end) : pipe_(std::move(read_end)) {}

  /// Readable when there is something to read or the other side has closed; -1 after that.
  [[nodiscard]] int fd() const { return pipe_.get(); }
  [[nodiscard]] bool is_open() const { return pipe_.is_open(); }
  /// The whole lines that have come, without their newlines, at most 64 KiB at a call. When the
  /// other side has closed, what came after the last newline is the last line and the reader is
  /// closed. What goes beyond kMostLineBytes in one line is dropped.
  std::vector<std::string> read();

  static constexpr std::size_t kMostLineBytes = 1u << 20;

 private:
  Descriptor pipe_;
  std::string rest_;
};

}  // namespace memprof::process
