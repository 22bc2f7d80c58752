#include "report/svg.hpp"

#include <gtest/gtest.h>

namespace memprof::report {
namespace {

std::size_t count(const std::string& text, std::string_view what) {
  std::size_t found = 0;
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++found;
  return found;
}

Chart chart(std::vector<std::optional<double>> values) {
  return {"title", "", "x", {"1", "2", "3"}, {{"line", std::move(values)}}, {}, {}};
}

TEST(Svg, AbsentIsNotDrawn) {
  const auto html = line_chart(chart({1.0, std::nullopt, 3.0}));
  EXPECT_EQ(count(html, "<circle"), 2U);
  EXPECT_EQ(html.find('L', html.find(" d=\"")), std::string::npos) << html;
  EXPECT_EQ(count(bar_chart(chart({1.0, std::nullopt, 3.0})), ">?</text>"), 1U);
}

TEST(Svg, NothingMeasuredIsSaid) {
  const auto html = line_chart(chart({std::nullopt, std::nullopt, std::nullopt}));
  EXPECT_EQ(html.find("<svg"), std::string::npos);
  EXPECT_NE(html.find("not measured"), std::string::npos);
}

TEST(Svg, ZeroIsDrawn) {
  EXPECT_EQ(count(line_chart(chart({0.0, 0.0, 0.0})), "<circle"), 3U);
}

TEST(Svg, WordsAreEscaped) {
  auto hostile = chart({1.0});
  hostile.title = hostile.series[0].label = hostile.categories[0] = "\"><b>";
  EXPECT_EQ(line_chart(hostile).find("<b>"), std::string::npos);
  EXPECT_EQ(stacked_bar({{"\"><b>", "c0", 1}}, "\"><b>").find("<b>"), std::string::npos);
}

TEST(Svg, StepsAreRound) {
  EXPECT_EQ(nice_step(100, 4), 50);
  EXPECT_EQ(nice_step(7, 4), 2);
  EXPECT_EQ(nice_step(0, 4), 1);
}

TEST(Svg, TicksHaveNoDigitsOfTheMultiplication) {
  EXPECT_EQ(tick_label(3 * 0.2), "0.6");
  EXPECT_EQ(tick_label(105), "105");
  EXPECT_EQ(tick_label(50000), "50 k");
  EXPECT_EQ(tick_label(2.5e6), "2.5 M");
}

TEST(Svg, PartsFillTheBar) {
  const auto html = stacked_bar({{"a", "c0", 25}, {"b", "free", 75}, {"none", "c1", 0}}, "GPU");
  EXPECT_EQ(count(html, "<rect"), 2U);
  EXPECT_NE(html.find("width=\"750.00\""), std::string::npos);
}

}  // namespace
}  // namespace memprof::report
