#include "report/thinning.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

namespace memprof::report {
namespace {

Series flat(std::string label, int count) {
  Series series{std::move(label), {}};
  for (int i = 0; i < count; ++i) series.points.push_back({i * 0.1, 50});
  return series;
}

std::vector<double> drawn(const Grid& grid, std::size_t series) {
  std::vector<double> values;
  for (const auto& value : grid.y.at(series)) {
    if (value && !std::isnan(*value)) values.push_back(*value);
  }
  return values;
}

TEST(Thinning, FewReadingsStayAsTheyAre) {
  Series other{"b", {{0.05, 1}, {0.1, 2}}};
  const auto grid = align({flat("a", 3), other}, 100);
  EXPECT_FALSE(grid.thinned);
  EXPECT_EQ(grid.x, (std::vector<double>{0, 0.05, 0.1, 0.2}));
  EXPECT_EQ(grid.y[0], (std::vector<std::optional<double>>{50, std::nullopt, 50, 50}));
  EXPECT_EQ(grid.y[1], (std::vector<std::optional<double>>{std::nullopt, 1, 2, std::nullopt}));
}

TEST(Thinning, KeepsEveryPeakAndEveryTrough) {
  auto series = flat("a", 100'000);
  for (const std::size_t at : {0U, 1U, 33'333U, 77'777U, 99'999U}) {
    series.points[at].y = 100 + static_cast<double>(at);
    auto thin = series;
    thin.points[at].y = -1 - static_cast<double>(at);
    const auto low = drawn(align({thin}, 2000), 0);
    EXPECT_EQ(*std::min_element(low.begin(), low.end()), thin.points[at].y);
  }
  const auto grid = align({series}, 2000);
  EXPECT_TRUE(grid.thinned);
  EXPECT_LE(grid.x.size(), 2000U);
  const auto values = drawn(grid, 0);
  for (const std::size_t at : {33'333U, 77'777U, 99'999U}) {
    EXPECT_EQ(std::count(values.begin(), values.end(), series.points[at].y), 1) << at;
  }
}

TEST(Thinning, ManySeriesShareTheBound) {
  std::vector<Series> all;
  for (int i = 0; i < 8; ++i) all.push_back(flat("x", 50'000));
  const auto grid = align(all, 8000);
  EXPECT_LE(grid.x.size() * grid.y.size(), 8000U);
}

TEST(Thinning, LongSilencesBreakTheLine) {
  auto series = flat("a", 100);
  series.points.erase(series.points.begin() + 20, series.points.begin() + 80);
  break_gaps(series);
  EXPECT_EQ(std::count_if(series.points.begin(), series.points.end(),
                          [](const Point& point) { return std::isnan(point.y); }),
            1);
  const auto whole = align({series}, 1000);
  const auto thin = align({series}, 30);
  for (const auto* grid : {&whole, &thin}) {
    EXPECT_TRUE(std::any_of(grid->y[0].begin(), grid->y[0].end(),
                            [](const auto& value) { return value && std::isnan(*value); }));
  }
}

TEST(Thinning, NothingIsNothing) {
  const auto grid = align({Series{"a", {}}}, 10);
  EXPECT_TRUE(grid.x.empty());
  EXPECT_EQ(grid.y.size(), 1U);
}

}  // namespace
}  // namespace memprof::report
