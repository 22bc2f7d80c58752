#include "http/exposure.hpp"

#include <gtest/gtest.h>

namespace memprof::http {
namespace {

const std::vector<Header> kKey{{"Authorization", "Bearer sk-very-secret"}};

std::vector<std::string> told(const char* url, const std::vector<Header>& headers, bool insecure) {
  return exposures(parse_url(url).value(), headers, insecure);
}

TEST(Exposure, AKeyOverPlainHttpToAnotherMachineIsTold) {
  const auto words = told("http://192.0.2.1:8000/v1", kKey, false);
  ASSERT_EQ(words.size(), 1u);
  EXPECT_NE(words[0].find("http://192.0.2.1:8000 unencrypted"), std::string::npos) << words[0];
  EXPECT_EQ(words[0].find("sk-"), std::string::npos);
  EXPECT_EQ(told("http://[2001:db8::1]/v1", kKey, true).size(), 1u);
}

TEST(Exposure, NotWithoutAKeyOrToThisMachineOrOverTls) {
  EXPECT_TRUE(told("http://192.0.2.1:8000/v1", {}, true).empty());
  for (const char* here : {"http://127.0.0.1/v1", "http://127.8.7.6/v1", "http://[::1]:8000/v1",
                           "http://localhost:8000/v1"}) {
    EXPECT_TRUE(told(here, kKey, false).empty()) << here;
  }
  EXPECT_TRUE(told("https://192.0.2.1/v1", kKey, false).empty());
}

TEST(Exposure, AnUncheckedCertificateIsTold) {
  const auto words = told("https://192.0.2.1/v1", kKey, true);
  ASSERT_EQ(words.size(), 1u);
  EXPECT_NE(words[0].find("--insecure: the certificate of https://192.0.2.1 is not checked"),
            std::string::npos)
      << words[0];
  EXPECT_NE(words[0].find("get the key"), std::string::npos);
  EXPECT_EQ(told("https://127.0.0.1/v1", {}, true).size(), 1u);
}

}  // namespace
}  // namespace memprof::http
