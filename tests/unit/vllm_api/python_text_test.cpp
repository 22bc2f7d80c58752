#include "vllm_api/python_text.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <string>

namespace memprof::vllm_api {
namespace {

TEST(PythonText, Floats) {
  EXPECT_EQ(python_float(0), "0.0");
  EXPECT_EQ(python_float(-1), "-1.0");
  EXPECT_EQ(python_float(0.92), "0.92");
  EXPECT_EQ(python_float(18.96), "18.96");
  EXPECT_EQ(python_float(0.0001), "0.0001");
  EXPECT_EQ(python_float(0.00001), "1e-05");
  EXPECT_EQ(python_float(1.25e-7), "1.25e-07");
  EXPECT_EQ(python_float(1e15), "1000000000000000.0");
  EXPECT_EQ(python_float(1e16), "1e+16");
  EXPECT_EQ(python_float(1e100), "1e+100");
  EXPECT_EQ(python_float(123456.5), "123456.5");
  EXPECT_EQ(python_float(std::numeric_limits<double>::infinity()), "inf");
  EXPECT_EQ(python_float(-std::numeric_limits<double>::infinity()), "-inf");
  EXPECT_EQ(python_float(std::numeric_limits<double>::quiet_NaN()), "nan");
}

TEST(PythonText, Strings) {
  EXPECT_EQ(python_string("many"), "'many'");
  EXPECT_EQ(python_string("it's"), R"("it's")");
  EXPECT_EQ(python_string(R"(it's "it")"), R"('it\'s "it"')");
  EXPECT_EQ(python_string("a\n\t\\\x01"), R"('a\n\t\\\x01')");
  EXPECT_EQ(python_string("é"), "'é'");
}

TEST(PythonText, MetricNumbers) {
  const auto text = [](double value) {
    std::string out;
    append_metric_number(out, value);
    return out;
  };
  EXPECT_EQ(text(0), "0.0");
  EXPECT_EQ(text(36011), "36011.0");
  EXPECT_EQ(text(0.001), "0.001");
  EXPECT_EQ(text(21.6508526802063), "21.6508526802063");
  EXPECT_EQ(text(999999), "999999.0");
  EXPECT_EQ(text(1234567), "1.234567e+06");
  EXPECT_EQ(text(1e6), "1e+06");
  EXPECT_EQ(text(1795489956.0689635), "1.7954899560689635e+09");
  EXPECT_EQ(text(1136140288), "1.136140288e+09");
  EXPECT_EQ(text(1e12), "1e+012");  // as the client writes it
  EXPECT_EQ(text(std::numeric_limits<double>::infinity()), "+Inf");
}

}  // namespace
}  // namespace memprof::vllm_api
