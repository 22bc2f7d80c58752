#pragma once

#include <cstddef>
#include <limits>
#include <optional>
#include <string>
#include <vector>

namespace memprof::report {

/// A reading; `y` is NaN where readings were missing for so long that no line may be drawn.
struct Point {
  double x = 0;  ///< seconds since the run's first moment
  double y = 0;
};

struct Series {
  std::string label;
  std::vector<Point> points;  ///< in the order of time
};

/// Series on shared times. A value is none where its series has no reading at that time (draw on),
/// NaN where the line is to break.
struct Grid {
  std::vector<double> x;
  std::vector<std::vector<std::optional<double>>> y;  ///< a list per series, as long as x
  bool thinned = false;
};

/// Puts a NaN between two readings that are much further apart than is usual in the series: more
/// than ten times the median distance, and two seconds.
void break_gaps(Series& series);

/// All readings if they are at most `max_values`; else each series' smallest and largest in every
/// one of equal slices of time, in the order in which they came: no peak is lost.
Grid align(const std::vector<Series>& all, std::size_t max_values);

}  // namespace memprof::report
