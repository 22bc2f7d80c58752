#include "load/redaction.hpp"

#include <gtest/gtest.h>

namespace memprof::load {
namespace {

const Redaction kRedaction({{"Authorization", "Bearer sk-very-secret"},
                            {"X-Proxy", "Basic dXNlcjpwYXNz"},
                            {"X-Odd", "two \t blanks\"quoted\""},
                            {"X-Flag", "1"},
                            {"X-Empty", ""}});

TEST(Redaction, ValuesAreTakenOutWhereverTheyStand) {
  EXPECT_EQ(kRedaction.apply("bad key sk-very-secret."), "bad key ***.");
  EXPECT_EQ(kRedaction.apply("sk-very-secretsk-very-secret"), "******");
  EXPECT_EQ(kRedaction.apply("got 'Bearer sk-very-secret'"), "got '***'");
  EXPECT_EQ(kRedaction.apply("no user dXNlcjpwYXNz, Basic dXNlcjpwYXNz"), "no user ***, ***");
  EXPECT_EQ(kRedaction.apply("two blanks\"quoted\""), "***");
  EXPECT_EQ(kRedaction.apply("{\"h\":\"two blanks\\\"quoted\\\"\"}"), "{\"h\":\"***\"}");
}

TEST(Redaction, AValueCutAtTheEndIsTakenOutToo) {
  EXPECT_EQ(kRedaction.apply("bad key sk-very-secre"), "bad key ***");
  EXPECT_EQ(kRedaction.apply("bad key sk-v"), "bad key ***");
}

TEST(Redaction, OtherWordsStay) {
  EXPECT_EQ(kRedaction.apply("HTTP 401: 1 key is missing"), "HTTP 401: 1 key is missing");
  EXPECT_EQ(kRedaction.apply(""), "");
  EXPECT_EQ(Redaction({}).apply("sk-very-secret"), "sk-very-secret");
}

}  // namespace
}  // namespace memprof::load
