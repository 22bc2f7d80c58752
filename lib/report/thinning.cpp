#include "report/thinning.hpp"

#include <algorithm>
#include <cmath>

namespace memprof::report {
namespace {

constexpr double kGapFactor = 10;
constexpr double kLeastGap = 2;  ///< seconds
constexpr std::size_t kLeastSlices = 16;

double median_distance(const std::vector<Point>& points) {
  std::vector<double> distances;
  // A sample is enough, and keeps a million readings cheap.
  const auto step = std::max<std::size_t>(1, points.size() / 1000);
  for (std::size_t i = 1; i < points.size(); i += step) {
    distances.push_back(points[i].x - points[i - 1].x);
  }
  const auto middle = distances.begin() + static_cast<std::ptrdiff_t>(distances.size() / 2);
  std::nth_element(distances.begin(), middle, distances.end());
  return *middle;
}

Grid all_of(const std::vector<Series>& all) {
  Grid grid;
  for (const auto& series : all) {
    for (const auto& point : series.points) grid.x.push_back(point.x);
  }
  std::sort(grid.x.begin(), grid.x.end());
  grid.x.erase(std::unique(grid.x.begin(), grid.x.end()), grid.x.end());
  for (const auto& series : all) {
    auto& values = grid.y.emplace_back(grid.x.size());
    std::size_t at = 0;
    for (const auto& point : series.points) {
      while (grid.x[at] < point.x) ++at;
      values[at] = point.y;
    }
  }
  return grid;
}

/// The readings of one slice of time.
struct Slice {
  std::optional<Point> least;
  std::optional<Point> most;
  bool gap = false;

  void add(const Point& point) {
    if (std::isnan(point.y)) {
      gap = true;
      return;
    }
    if (!least || point.y < least->y) least = point;
    if (!most || point.y > most->y) most = point;
  }
  void write(std::optional<double>& first, std::optional<double>& second) const {
    if (!least) {
      if (gap) first = std::numeric_limits<double>::quiet_NaN();
      return;
    }
    first = least->x <= most->x ? least->y : most->y;
    second = least->x <= most->x ? most->y : least->y;
  }
};

Grid slices_of(const std::vector<Series>& all, std::size_t slices, double from, double to) {
  Grid grid;
  grid.thinned = true;
  const double width = (to - from) / static_cast<double>(slices);
  for (std::size_t i = 0; i < slices; ++i) {
    grid.x.push_back(from + width * (static_cast<double>(i) + 0.25));
    grid.x.push_back(from + width * (static_cast<double>(i) + 0.75));
  }
  for (const auto& series : all) {
    std::vector<Slice> found(slices);
    for (const auto& point : series.points) {
      const auto slice = static_cast<std::size_t>((point.x - from) / width);
      found[std::min(slice, slices - 1)].add(point);
    }
    auto& values = grid.y.emplace_back(grid.x.size());
    for (std::size_t i = 0; i < slices; ++i) found[i].write(values[2 * i], values[2 * i + 1]);
  }
  return grid;
}

}  // namespace

void break_gaps(Series& series) {
  if (series.points.size() < 3) return;
  const double limit = std::max(kLeastGap, kGapFactor * median_distance(series.points));
  std::vector<Point> broken;
  broken.reserve(series.points.size());
  for (const auto& point : series.points) {
    if (!broken.empty() && point.x - broken.back().x > limit) {
      broken.push_back({(broken.back().x + point.x) / 2, std::numeric_limits<double>::quiet_NaN()});
    }
    broken.push_back(point);
  }
  series.points = std::move(broken);
}

Grid align(const std::vector<Series>& all, std::size_t max_values) {
  std::size_t longest = 0;
  double from = std::numeric_limits<double>::max();
  double to = std::numeric_limits<double>::lowest();
  for (const auto& series : all) {
    longest = std::max(longest, series.points.size());
    if (series.points.empty()) continue;
    from = std::min(from, series.points.front().x);
    to = std::max(to, series.points.back().x);
  }
  if (longest == 0) return {{}, std::vector<std::vector<std::optional<double>>>(all.size()), false};
  if (longest * all.size() <= max_values) {
    auto grid = all_of(all);
    if (grid.x.size() * all.size() <= max_values) return grid;
  }
  if (to <= from) return all_of(all);
  return slices_of(all, std::max(kLeastSlices, max_values / (2 * all.size())), from, to);
}

}  // namespace memprof::report
