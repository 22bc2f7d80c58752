#include "http/redaction.hpp"

#include <gtest/gtest.h>

namespace memprof::http {
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

TEST(Redaction, EncodedValuesAreTakenOutToo) {
  const std::vector<Header> headers{{"Authorization", "Bearer sk/very=secret~1"}};
  const Redaction redaction(headers);
  EXPECT_EQ(redaction.apply("?key=sk%2Fvery%3Dsecret~1&"), "?key=***&");
  // base64 of the value, of the key, and of `x-`, `x-y` and `x-yz` before `key:` and the key.
  for (const char* text : {"QmVhcmVyIHNrL3Zlcnk9c2VjcmV0fjE=", "c2svdmVyeT1zZWNyZXR+MQ==",
                           "eC1rZXk6c2svdmVyeT1zZWNyZXR+MQ==", "eC15a2V5OnNrL3Zlcnk9c2VjcmV0fjE=",
                           "eC15emtleTpzay92ZXJ5PXNlY3JldH4x", "c2svdmVyeT1zZWNyZXR-MQ"}) {
    const auto left = redaction.apply(text);
    EXPECT_NE(left.find("***"), std::string::npos) << text;
    EXPECT_LE(left.size(), 16u) << left;
  }
}

TEST(Redaction, AnotherSecretGoesAsHeadersDo) {
  const Redaction redaction({{"x-tenant", "tenant-42"}}, "salt-12345678");
  EXPECT_EQ(redaction.apply("tenant-42: salt-12345678-3 c2FsdC0xMjM0NTY3OA=="),
            "***: ***-3 ***A==");
}

TEST(Redaction, OtherWordsStay) {
  EXPECT_EQ(kRedaction.apply("HTTP 401: 1 key is missing"), "HTTP 401: 1 key is missing");
  EXPECT_EQ(kRedaction.apply(""), "");
  EXPECT_EQ(Redaction({}).apply("sk-very-secret"), "sk-very-secret");
}

}  // namespace
}  // namespace memprof::http
