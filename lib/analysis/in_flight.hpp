#pragma once

#include "analysis/range_peaks.hpp"
#include "records/request_trace.hpp"
#include "records/units.hpp"

#include <cstdint>
#include <optional>
#include <vector>

namespace memprof::analysis {

/// How many of some requests were in flight, from the first start to the last end. Empty when none
/// was sent.
struct InFlight {
  std::optional<Timestamp> first_start;
  std::optional<Timestamp> last_end;
  std::optional<std::int64_t> max;
  std::optional<double> mean;  ///< time-weighted
};

/// A request that ends in the microsecond in which the next starts is not in flight with it.
/// Requests that were never sent do not count.
InFlight in_flight(const std::vector<const RequestTraceRow*>& rows);

/// How many requests were in flight at any time.
class InFlightSteps {
 public:
  explicit InFlightSteps(const std::vector<RequestTraceRow>& rows);
  /// The most at once in [from, to], ends included.
  [[nodiscard]] std::int64_t peak(Timestamp from, Timestamp to) const;

 private:
  struct Step {
    Timestamp time;
    std::int64_t count;  ///< from then on
  };
  std::vector<Step> steps_;
  std::optional<RangePeaks<std::int64_t>> peaks_;
};

}  // namespace memprof::analysis
