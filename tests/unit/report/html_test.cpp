#include "report/html.hpp"

#include <gtest/gtest.h>

namespace memprof::report {
namespace {

TEST(Html, NothingIsMarkup) {
  EXPECT_EQ(escape("<script>\"a\" & 'b'</script>"),
            "&lt;script&gt;&quot;a&quot; &amp; &#39;b&#39;&lt;/script&gt;");
  EXPECT_EQ(escape("two\nlines\x01"), "two lines");
  EXPECT_EQ(escape("abcdef", 3).substr(0, 2), "ab");
}

TEST(Html, AJsonStringCannotEndItsScript) {
  const auto text = json_string("</script><!-- \"&");
  EXPECT_EQ(text, "\"\\u003c/script\\u003e\\u003c!-- \\\"\\u0026\"");
}

TEST(Html, AbsentIsNotZero) {
  EXPECT_EQ(cell(std::optional<std::int64_t>()), kAbsent);
  EXPECT_EQ(cell(std::optional<double>()), kAbsent);
  EXPECT_EQ(mib_cell(std::optional<double>()), kAbsent);
  EXPECT_EQ(cell(std::optional<std::int64_t>(0)), "0");
  EXPECT_EQ(cell(std::optional<double>(12.34), "%"), "12.3 %");
}

TEST(Html, TablesEscapeTheirCells) {
  Table table("a<b", {{"x"}, {"n", true}});
  EXPECT_TRUE(table.empty());
  table.add({"<img src=x>", "1"});
  const auto html = table.html();
  EXPECT_NE(html.find("<caption>a&lt;b</caption>"), std::string::npos);
  EXPECT_NE(html.find("<td>&lt;img src=x&gt;</td><td class=\"n\">1</td>"), std::string::npos);
  EXPECT_EQ(html.find("<img"), std::string::npos);
}

}  // namespace
}  // namespace memprof::report
