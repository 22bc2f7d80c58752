#include "formats/text.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace memprof::formats {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

TEST(OneLine, MakesOneLineOfMany) {
  EXPECT_EQ(one_line("  one\r\n\ttwo \x01\x7F three\n", 100), "one two three");
  EXPECT_EQ(one_line("a\xC2\x85" "b\xE2\x80\xA8" "c", 100), "a b c");  // NEL, line separator
  EXPECT_EQ(one_line("\x1B[31mred", 100), "[31mred");
  EXPECT_EQ(one_line(std::string_view("a\0b", 3), 100), "a b");
  EXPECT_EQ(one_line("", 100), "");
  EXPECT_EQ(one_line(" \n ", 100), "");
}

TEST(OneLine, CutsAtCharactersNotBytes) {
  EXPECT_EQ(one_line("abcdef", 3), "abc");
  EXPECT_EQ(one_line("\xC3\xA4\xC3\xB6\xC3\xBC", 2), "\xC3\xA4\xC3\xB6");
  EXPECT_EQ(one_line("\xF0\x9F\xA6\x99\xF0\x9F\xA6\x99", 1), "\xF0\x9F\xA6\x99");
  EXPECT_EQ(one_line("ab cd", 3), "ab");
  EXPECT_EQ(one_line("abc", 0), "");
}

TEST(OneLine, ReplacesWhatIsNotUtf8) {
  const std::string bad(kReplacement);
  EXPECT_EQ(one_line("a\xFF" "b", 100), "a" + bad + "b");
  EXPECT_EQ(one_line("a\xC3", 100), "a" + bad);                    // cut short
  EXPECT_EQ(one_line("\xC0\xAF", 100), bad + bad);                 // overlong
  EXPECT_EQ(one_line("\xED\xA0\x80", 100), bad + bad + bad);       // surrogate
  EXPECT_EQ(one_line("\xF4\x90\x80\x80", 100), bad + bad + bad + bad);  // above U+10FFFF
  EXPECT_EQ(one_line("\xF4\x8F\xBF\xBF", 100), "\xF4\x8F\xBF\xBF");
}

TEST(OneLine, IsFitForACellWhateverComes) {
  std::mt19937 random(7);
  for (int i = 0; i < 3000; ++i) {
    std::string text(random() % 60, '\0');
    for (auto& c : text) {
      c = static_cast<char>(random() % 4 == 0 ? random() : "a \n\xC3"[random() % 4]);
    }
    const auto line = one_line(text, 20);
    ASSERT_EQ(one_line(line, 20), line);  // valid, trimmed and short already
    ASSERT_EQ(line.find('\n'), std::string::npos);
    ASSERT_LE(line.size(), 80u);
  }
}

TEST(Split, KeepsEmptyPieces) {
  using Pieces = std::vector<std::string_view>;
  EXPECT_EQ(split("a,,b", ','), (Pieces{"a", "", "b"}));
  EXPECT_EQ(split("", ','), (Pieces{""}));
  EXPECT_EQ(split(",", ','), (Pieces{"", ""}));
}

TEST(Trim, TakesBlanksOff) {
  EXPECT_EQ(trim(" \t a b \r\n"), "a b");
  EXPECT_EQ(trim(" \n"), "");
  EXPECT_EQ(trim(""), "");
}

TEST(Utf8, IsToldFromOtherBytes) {
  for (const auto good : {"", "plain", "h\xC3\xA9llo", "\xF0\x9F\xA6\x99"}) {
    EXPECT_TRUE(is_utf8(good)) << good;
  }
  for (const auto bad : {"\xFF\xFE", "\xC3", "a\x80", "\xC0\xAF", "\xED\xA0\x80",
                         "\xF4\x90\x80\x80"}) {
    EXPECT_FALSE(is_utf8(bad)) << bad;
  }
}

TEST(Utf8, IsMadeOfAnyBytes) {
  EXPECT_EQ(made_utf8("h\xC3\xA9\n\x01"), "h\xC3\xA9\n\x01");
  EXPECT_EQ(made_utf8("a\xFF\xC3"), "a\xEF\xBF\xBD\xEF\xBF\xBD");
}

TEST(ForPeople, Sizes) {
  EXPECT_EQ(format_mib(212), "212 MiB");
  EXPECT_EQ(format_mib(1536), "1.5 GiB");
  EXPECT_EQ(format_mib(81559), "79.6 GiB");
  EXPECT_EQ(format_mib(-2048), "-2.0 GiB");
}

TEST(ForPeople, Durations) {
  EXPECT_EQ(format_duration(0), "0.0 s");
  EXPECT_EQ(format_duration(12.34), "12.3 s");
  EXPECT_EQ(format_duration(59.97), "1 min 0 s");
  EXPECT_EQ(format_duration(125), "2 min 5 s");
  EXPECT_EQ(format_duration(3599.7), "1 h 0 min");
  EXPECT_EQ(format_duration(7380), "2 h 3 min");
}

}  // namespace
}  // namespace memprof::formats
