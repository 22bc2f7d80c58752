#include "formats/json.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <optional>
#include <string>
#include <vector>

namespace memprof::formats {

BOOST_DEFINE_ENUM_CLASS(Way, there_and_back, nowhere)

struct Inner {
  std::int64_t idx = 0;
  std::optional<std::string> name;
};
BOOST_DESCRIBE_STRUCT(Inner, (), (idx, name))

struct Outer {
  std::string text;
  std::optional<double> share;
  bool flag = false;
  Way way = Way::nowhere;
  std::optional<Timestamp> at;
  std::vector<Inner> inners;
  std::vector<std::int64_t> list;
  std::map<std::string, std::int64_t> counts;
};
BOOST_DESCRIBE_STRUCT(Outer, (), (text, share, flag, way, at, inners, list, counts))

namespace {

Outer example() {
  Outer outer;
  outer.text = "a \"b\"\n";
  outer.share = 12.5;
  outer.flag = true;
  outer.way = Way::there_and_back;
  outer.at = Timestamp{std::chrono::microseconds(0)};
  outer.inners = {{3, "x"}, {4, {}}};
  outer.list = {1, 9007199254740993};
  outer.counts = {{"k", 2}};
  return outer;
}

constexpr std::string_view kExample = R"({
  "text": "a \"b\"\n",
  "share": 12.5,
  "flag": true,
  "way": "there-and-back",
  "at": "1970-01-01T00:00:00.000000+00:00",
  "inners": [
    {
      "idx": 3,
      "name": "x"
    },
    {
      "idx": 4,
      "name": null
    }
  ],
  "list": [1, 9007199254740993],
  "counts": {
    "k": 2
  }
}
)";

std::string problem_of(std::string_view text) {
  const auto read = from_json<Outer>(boost::json::parse(text));
  return read.has_error() ? read.error().message : "";
}

TEST(Json, IsUtf8WhateverTheTextsAre) {
  EXPECT_EQ(pretty_json(boost::json::object{{"a\xFF", "b\x80"}}),
            "{\n  \"a\xEF\xBF\xBD\": \"b\xEF\xBF\xBD\"\n}\n");
}

TEST(Json, WritesForPeople) { EXPECT_EQ(pretty_json(to_json(example())), kExample); }

TEST(Json, EveryKeyIsThereAndAbsentIsNull) {
  EXPECT_EQ(boost::json::serialize(to_json(Outer{})),
            R"({"text":"","share":null,"flag":false,"way":"nowhere","at":null,"inners":[],)"
            R"("list":[],"counts":{}})");
  EXPECT_EQ(pretty_json(boost::json::object{}), "{}\n");
  EXPECT_EQ(pretty_json(boost::json::array{}), "[]\n");
}

TEST(Json, NumbersHaveNoExponent) {
  for (const auto& [value, text] : {std::pair(12.5, "12.5\n"), {100.0, "100\n"},
                                    {1e-5, "0.00001\n"},
                                    {123456789.25, "123456789.25\n"}, {0.0, "0\n"}}) {
    EXPECT_EQ(pretty_json(value), text);
  }
  EXPECT_EQ(to_json(std::numeric_limits<double>::quiet_NaN()), nullptr);
  EXPECT_EQ(to_json(std::numeric_limits<double>::infinity()), nullptr);
}

TEST(Json, ReadsBackWhatItWrote) {
  const auto read = from_json<Outer>(boost::json::parse(kExample));
  ASSERT_FALSE(read.has_error());
  EXPECT_EQ(pretty_json(to_json(*read)), kExample);
}

TEST(Json, ReadsOlderAndNewerDocuments) {
  const auto read = from_json<Outer>(
      boost::json::parse(R"({"new": {"x": [1]}, "flag": null, "share": 3, "list": [2.0]})"));
  ASSERT_FALSE(read.has_error());
  EXPECT_EQ(read->share, 3);
  EXPECT_EQ(read->list, (std::vector<std::int64_t>{2}));
  EXPECT_FALSE(read->flag);
  EXPECT_FALSE(read->at);
}

TEST(Json, NamesThePathOfWhatIsWrong) {
  EXPECT_EQ(problem_of("[]"), "document: must be an object");
  EXPECT_EQ(problem_of(R"({"text": 1})"), "text: must be a string");
  EXPECT_EQ(problem_of(R"({"share": "1"})"), "share: must be a number");
  EXPECT_EQ(problem_of(R"({"flag": 1})"), "flag: must be true or false");
  EXPECT_EQ(problem_of(R"({"way": "up"})"), "way: must be one of there-and-back, nowhere");
  EXPECT_EQ(problem_of(R"({"at": "today"})"),
            "at: must be a time like 2026-02-25T10:00:00.123456+00:00");
  EXPECT_EQ(problem_of(R"({"inners": [{"idx": 1}, {"idx": 1.5}]})"),
            "inners[1].idx: must be a whole number");
  EXPECT_EQ(problem_of(R"({"inners": {}})"), "inners: must be an array");
  EXPECT_EQ(problem_of(R"({"list": [1, null]})"), "list[1]: must be a whole number");
  EXPECT_EQ(problem_of(R"({"list": [1e300]})"), "list[0]: must be a whole number");
  EXPECT_EQ(problem_of(R"({"counts": {"k": []}})"), "counts.k: must be a whole number");
}

}  // namespace
}  // namespace memprof::formats
