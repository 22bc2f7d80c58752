#include "formats/iso8601.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace memprof::formats {
namespace {

Timestamp at(std::int64_t microseconds) {
  return Timestamp{std::chrono::microseconds(microseconds)};
}

constexpr std::int64_t kMoment = 1'772'013'600'123'456;  // 2026-02-25T10:00:00.123456 UTC

TEST(Iso8601, Writes) {
  EXPECT_EQ(format_timestamp(at(kMoment)), "2026-02-25T10:00:00.123456+00:00");
  EXPECT_EQ(format_timestamp(at(0)), "1970-01-01T00:00:00.000000+00:00");
  EXPECT_EQ(format_timestamp(at(-1)), "1969-12-31T23:59:59.999999+00:00");
  EXPECT_EQ(format_timestamp(at(951'782'400'000'000)), "2000-02-29T00:00:00.000000+00:00");
}

TEST(Iso8601, ReadsWhatPythonWrites) {
  for (const char* text : {"2026-02-25T10:00:00.123456+00:00", "2026-02-25 10:00:00.123456+00:00",
                           "2026-02-25T10:00:00.123456", "2026-02-25T10:00:00.123456Z",
                           "2026-02-25T12:00:00.123456+02:00", "2026-02-25T04:30:00.123456-05:30",
                           "2026-02-25T10:00:00.123456789+00:00", "2026-02-25T12:00:00.123456+0200",
                           "2026-02-24T23:00:00.123456-11:00"}) {
    EXPECT_EQ(parse_timestamp(text), at(kMoment)) << text;
  }
  EXPECT_EQ(parse_timestamp("2026-02-25T10:00:00+00:00"), at(kMoment - 123'456));
  EXPECT_EQ(parse_timestamp("2026-02-25T10:00:00.5"), at(kMoment - 123'456 + 500'000));
  EXPECT_EQ(parse_timestamp("2026-02-25T10:00:00.123+00:00"), at(kMoment - 456));
}

TEST(Iso8601, RefusesTheRest) {
  for (const char* text :
       {"", "2026-02-25", "2026-02-30T10:00:00", "2026-13-01T10:00:00", "2026-00-01T10:00:00",
        "2025-02-29T10:00:00", "2026-02-25T24:00:00", "2026-02-25T10:60:00", "2026-02-25T10:00:60",
        "2026-02-25T10:00", "2026-02-25T10:00:00.", "2026-02-25T10:00:00.1234567890",
        "2026-02-25T10:00:00+", "2026-02-25T10:00:00+1", "2026-02-25T10:00:00+24:00",
        "2026-02-25T10:00:00+02:60", "2026-02-25T10:00:00 x", "2026-02-25T10:00:00Zx",
        "26-02-25T10:00:00", " 2026-02-25T10:00:00", "2026-02-25T10:00:00\n", "1772013600",
        "2026-2-25T10:00:00", "+026-02-25T10:00:00", "2026-02-25X10:00:00"}) {
    EXPECT_FALSE(parse_timestamp(text)) << text;
  }
}

TEST(Iso8601, ReadsBackWhatItWrote) {
  std::mt19937_64 random(7);
  // Years 1900 to 2200.
  std::uniform_int_distribution<std::int64_t> moments(-2'208'988'800'000'000,
                                                      7'258'118'400'000'000);
  for (int i = 0; i < 20'000; ++i) {
    const Timestamp time = at(moments(random));
    const std::string text = format_timestamp(time);
    ASSERT_EQ(text.size(), 32u);
    ASSERT_EQ(parse_timestamp(text), time) << text;
  }
}

TEST(Iso8601, TextSortsAsTimeDoes) {
  std::string earlier = format_timestamp(at(kMoment));
  for (std::int64_t step = 1; step < 1'000'000'000'000'000; step *= 7) {
    const std::string later = format_timestamp(at(kMoment + step));
    EXPECT_LT(earlier, later);
    earlier = later;
  }
}

}  // namespace
}  // namespace memprof::formats
