#include "report/comparison_chart.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <set>

namespace memprof::report {
namespace {

std::size_t count(const std::string& text, std::string_view what) {
  std::size_t found = 0;
  for (auto from = text.find(what); from != std::string::npos; from = text.find(what, from + 1)) {
    ++found;
  }
  return found;
}

LevelCurves two_levels(std::vector<LevelFigure> figures) {
  return {"Peak", "%", {2, 4}, {std::move(figures)}};
}

TEST(ComparisonChart, NoTwoRunsLookTheSameWithoutColour) {
  std::set<std::string> keys;
  for (std::size_t run = 0; run < kMostCompared; ++run) {
    auto key = run_key(run);
    for (auto colour = key.find("\"mark c"); colour != std::string::npos;
         colour = key.find("\"mark c", colour + 1)) {
      key.replace(colour + 6, 2, "");
    }
    keys.insert(key.substr(key.find("\"mark")));
  }
  EXPECT_EQ(keys.size(), kMostCompared);
}

TEST(ComparisonChart, ALevelNotMeasuredIsAQuestionMarkAndBreaksTheLine) {
  const auto chart = level_curves({"Peak", "%", {2, 4, 8},
                                   {{{true, 10, {}}, {true, {}, {}}, {true, 30, {}}}}});
  EXPECT_EQ(count(chart, ">A?</text>"), 1U);
  EXPECT_EQ(count(chart, "with ?: not measured"), 1U);
  EXPECT_EQ(count(chart, "class=\"mark "), 2U);
  const auto line = chart.substr(chart.find("class=\"line"));
  const auto path = line.substr(0, line.find("\"/>"));
  EXPECT_EQ(count(path, "M"), 2U) << path;
  EXPECT_EQ(count(path, "L"), 0U) << path;
}

TEST(ComparisonChart, ALevelNotAskedForIsPassedOver) {
  const auto chart = level_curves({"Peak", "%", {2, 4, 8},
                                   {{{true, 10, {}}, {}, {true, 30, {}}}}});
  EXPECT_EQ(count(chart, "?</text>"), 0U);
  const auto line = chart.substr(chart.find("class=\"line"));
  EXPECT_EQ(count(line.substr(0, line.find("\"/>")), "L"), 1U);
}

TEST(ComparisonChart, ZeroIsDrawnAndNothingIsSaid) {
  EXPECT_EQ(count(level_curves(two_levels({{true, 0, {}}, {true, 0, {}}})), "class=\"mark "), 2U);
  const auto none = level_curves(two_levels({{true, {}, {}}, {true, {}, {}}}));
  EXPECT_NE(none.find("not measured"), std::string::npos);
  EXPECT_EQ(none.find("<svg"), std::string::npos);
}

TEST(ComparisonChart, EachCellIsADot) {
  const auto chart = level_curves(two_levels({{true, 50, {20, 50}}, {true, 60, {}}}));
  EXPECT_EQ(count(chart, "class=\"cell "), 2U);
  EXPECT_EQ(count(chart, "small dots"), 1U);
}

TEST(ComparisonChart, AGapInTimeIsNotBridged) {
  const double gap = std::numeric_limits<double>::quiet_NaN();
  const auto chart = time_curves("KV", {{"", {{0, 5}, {1, 6}, {2, gap}, {9, 7}, {10, 8}}}, {}});
  const auto line = chart.substr(chart.find("class=\"line"));
  EXPECT_EQ(count(line.substr(0, line.find("\"/>")), "M"), 2U);
  EXPECT_NE(time_curves("KV", {{}, {}}).find("not measured"), std::string::npos);
}

}  // namespace
}  // namespace memprof::report
