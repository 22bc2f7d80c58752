#pragma once

#include "records/error.hpp"
#include "records/units.hpp"

#include <optional>
#include <string>
#include <string_view>

/// A line of --raw: one answer as it came.
struct RawScrape {
  memprof::Timestamp timestamp;  ///< when it had come back
  memprof::Milliseconds scrape_ms = 0;
  int status = 0;                    ///< 0: no head has come
  std::optional<std::string> error;  ///< the reason when there was no whole 200
  std::string body;                  ///< what had come of it
};

/// One line, newline included. Bytes that are not UTF-8 stay as they are.
std::string to_raw_line(const RawScrape& scrape);
/// Also takes lines with `send_ts`, `recv_ts` (Unix seconds) and `lines` in place of `body`.
memprof::Result<RawScrape> parse_raw_line(std::string_view line);
