#include "formats/number.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <random>
#include <string>

namespace memprof::formats {
namespace {

TEST(Number, WritesTheShortestPlainText) {
  EXPECT_EQ(format_number(12.5), "12.5");
  EXPECT_EQ(format_number(3), "3");
  EXPECT_EQ(format_number(0.1), "0.1");
  EXPECT_EQ(format_number(0), "0");
  EXPECT_EQ(format_number(-0.0), "0");
  EXPECT_EQ(format_number(-2.25), "-2.25");
  EXPECT_EQ(format_number(123456789012345), "123456789012345");
  EXPECT_EQ(format_number(1e-6), "0.000001");
  EXPECT_EQ(format_number(1e15), "1e+15");
  EXPECT_EQ(format_number(1e-10), "1e-10");
  std::string out;
  append_number(out, std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(out, "-9223372036854775808");
}

TEST(Number, ReadsBackWhatItWrote) {
  std::mt19937_64 random(7);
  for (int i = 0; i < 50'000; ++i) {
    const auto value = std::bit_cast<double>(random());
    if (!std::isfinite(value)) continue;
    ASSERT_EQ(parse_double(format_number(value)), value);
  }
  std::uniform_real_distribution<double> usual(0, 1e6);
  for (int i = 0; i < 50'000; ++i) {
    const double value = usual(random);
    const auto text = format_number(value);
    ASSERT_EQ(parse_double(text), value);
    ASSERT_EQ(text.find('e'), std::string::npos) << text;
  }
}

TEST(Number, TakesWholeTextsOnly) {
  EXPECT_EQ(parse_int("-12"), -12);
  EXPECT_EQ(parse_int("9223372036854775807"), 9223372036854775807);
  EXPECT_EQ(parse_uint("18446744073709551615"), 18446744073709551615u);
  EXPECT_EQ(parse_double("1e3"), 1000);
  EXPECT_EQ(parse_double("-0.5"), -0.5);
  for (const char* text : {"", " 1", "1 ", "+1", "0x10", "1.0", "1e3", "one", "--1",
                           "9223372036854775808", "1,000"}) {
    EXPECT_FALSE(parse_int(text)) << text;
  }
  for (const char* text : {"-1", "", "18446744073709551616"}) EXPECT_FALSE(parse_uint(text));
  for (const char* text : {"", "nan", "inf", "-inf", "0x1p3", "1e999", "1.5x", " 1", "+1", "."}) {
    EXPECT_FALSE(parse_double(text)) << text;
  }
}

}  // namespace
}  // namespace memprof::formats
