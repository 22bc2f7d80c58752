#include "load/completion_json.hpp"

#include <gtest/gtest.h>

#include <string>

namespace memprof::load {
namespace {

TEST(ErrorWords, EveryShapeOfAnErrorBody) {
  EXPECT_EQ(error_words(R"({"error":{"message":"nested","type":"T","code":400}})"), "nested");
  EXPECT_EQ(error_words(R"({"object":"error","message":"flat","code":400})"), "flat");
  EXPECT_EQ(error_words(R"({"error":"a string"})"), "a string");
  EXPECT_EQ(error_words(R"({"detail":"Not Found"})"), "Not Found");
  EXPECT_EQ(error_words(R"({"error":null,"detail":"d"})"), "d");
  EXPECT_EQ(error_words(R"("just words")"), "just words");
  EXPECT_EQ(error_words(R"({"detail":[{"loc":["body"],"msg":"Field required"}]})"),
            R"([{"loc":["body"],"msg":"Field required"}])");
  EXPECT_EQ(error_words(R"({"error":{"type":"T"}})"), R"({"type":"T"})");
  EXPECT_EQ(error_words("<html>\n<h1>502</h1>\n</html>"), "<html> <h1>502</h1> </html>");
  EXPECT_EQ(error_words("no healthy upstream"), "no healthy upstream");
  EXPECT_EQ(error_words(R"({"other":1})"), R"({"other":1})");
  EXPECT_EQ(error_words(""), "");
}

TEST(ErrorWords, WhateverComesIsOneLineOf300Characters) {
  EXPECT_EQ(error_words(R"({"error":{"message":"a\n\u0000\u001b[1m\tb"}})"), "a [1m b");
  EXPECT_EQ(error_words(std::string(1000, 'x')).size(), 300u);
  EXPECT_EQ(error_words("a\xff\xfe").substr(0, 4), "a\xEF\xBF\xBD");
  std::string wide;
  for (int i = 0; i < 400; ++i) wide += "\xC3\xA9";
  EXPECT_EQ(error_words(wide).size(), 600u);
  EXPECT_EQ(error_words(std::string(60'000, '[')), std::string(300, '['));
  EXPECT_EQ(error_words(R"({"error":{"message":{"message":{"message":"deep"}}}})"), "deep");
}

}  // namespace
}  // namespace memprof::load
