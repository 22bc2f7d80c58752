#include "records/error.hpp"

#include "records/units.hpp"

#include <gtest/gtest.h>

#include <string>

namespace memprof {
namespace {

TEST(Result, GivesItsValueOrThrowsItsError) {
  const Result<int> good = 7;
  EXPECT_EQ(good.value(), 7);
  const Result<int> bad = Error{ExitCode::usage, "w.jsonl:3: prompt: is missing"};
  try {
    static_cast<void>(bad.value());
    FAIL() << "nothing thrown";
  } catch (const ToolError& error) {
    EXPECT_EQ(error.code(), ExitCode::usage);
    EXPECT_STREQ(error.what(), "w.jsonl:3: prompt: is missing");
  }
}

TEST(Result, OfNothingThrowsToo) {
  Result<void> fine{};
  EXPECT_NO_THROW(fine.value());
  const Result<void> bad = Error{ExitCode::environment, "no server"};
  EXPECT_THROW(bad.value(), ToolError);
}

TEST(ExitCodes, AreTheOnesThatPipelinesKnow) {
  EXPECT_EQ(static_cast<int>(ExitCode::ok), 0);
  EXPECT_EQ(static_cast<int>(ExitCode::failed), 1);
  EXPECT_EQ(static_cast<int>(ExitCode::usage), 2);
  EXPECT_EQ(static_cast<int>(ExitCode::environment), 3);
}

TEST(Units, TimesApart) {
  const Timestamp from{std::chrono::microseconds(1'000'000)};
  const Timestamp to{std::chrono::microseconds(3'500'250)};
  EXPECT_DOUBLE_EQ(milliseconds_between(from, to), 2500.25);
  EXPECT_DOUBLE_EQ(seconds_between(to, from), -2.50025);
}

}  // namespace
}  // namespace memprof
