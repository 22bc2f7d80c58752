#pragma once

#include "clock/run_clock.hpp"
#include "records/units.hpp"

#include <boost/describe.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace memprof::cli {

/// A line of `request_runner --progress-fd`.
struct ReplayProgress {
  std::int64_t total = 0;
  std::int64_t done = 0;    ///< ended, failed ones included
  std::int64_t failed = 0;
  std::int64_t in_flight = 0;
  std::int64_t concurrency = 0;  ///< level of the group that runs
};
BOOST_DESCRIBE_STRUCT(ReplayProgress, (), (total, done, failed, in_flight, concurrency))

/// `12/48 requests, 8 in flight of 8, 0 failed, 14 s, 0.9/s, about 38 s left`
std::string describe_progress(const ReplayProgress& progress, Seconds elapsed);

/// One line about work under way, on stderr: rewritten in place on a terminal, else a plain line
/// every five seconds. Says nothing when quiet.
class ProgressLine {
 public:
  explicit ProgressLine(bool quiet);
  ~ProgressLine();
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  /// Shows `text` now or, when the last showing is too fresh, not at all.
  void update(std::string_view text);
  /// Clears the line on a terminal, so that other words can be written.
  void clear();

 private:
  bool quiet_;
  bool terminal_;
  bool shown_ = false;
  clock::SinceBoot next_;
};

}  // namespace memprof::cli
