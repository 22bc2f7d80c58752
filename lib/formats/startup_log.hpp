#pragma once

#include "records/manifest.hpp"

#include <string>
#include <string_view>

namespace memprof::formats {

/// Finds the memory lines in a vLLM server's log, given in pieces of any size. Wordings of vLLM 0.6
/// to 0.32, whatever stands before them. A log of several starts gives the last one's lines. What
/// older versions call GB there is 2^30 bytes, as GiB is.
class StartupLogReader {
 public:
  void feed(std::string_view bytes);
  /// The log's end: what stands after the last line end is a line too.
  const StartupMemory& finish();

 private:
  void append(std::string_view piece);
  void read_line();

  std::string line_;
  StartupMemory found_;
};

/// Nothing of it was in the log.
bool is_empty(const StartupMemory& memory);

}  // namespace memprof::formats
