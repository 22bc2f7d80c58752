#include "formats/csv.hpp"

#include <boost/describe.hpp>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <optional>
#include <string>
#include <vector>

namespace memprof::formats {

BOOST_DEFINE_ENUM_CLASS(Shade, dark_red, blue)

struct Row {
  std::string name;
  std::int64_t count = 0;
  std::optional<double> share = {};
  std::optional<Shade> shade = {};
  std::optional<Timestamp> at = {};
  std::string note = {};

  bool operator==(const Row&) const = default;
};
BOOST_DESCRIBE_STRUCT(Row, (), (name, count, share, shade, at, note))

namespace {

const std::string kHeader = "name,count,share,shade,at,note\n";

std::vector<Row> tricky_rows() {
  const Timestamp at{std::chrono::microseconds(1'771'999'200'123'456)};
  return {
      {"plain", 1, 0.5, Shade::dark_red, at, "x"},
      {"a,b", -7, {}, {}, {}, ""},
      {"say \"hi\"", 0, 100, Shade::blue, {}, "\"\""},
      {"two\nlines", 9, 1e-12, {}, at, "cr\rlf\r\n"},
      {" blanks ", 5, -0.125, {}, {}, "\t"},
      {"Gr\xC3\xBC\xC3\x9F" "e", 2, {}, {}, {}, ","},
      {"", 9223372036854775807, {}, {}, {}, "end"},
  };
}

struct Read {
  std::vector<Row> rows;
  std::int64_t bad = 0;
  std::string problem;
  std::string error;
};

Read read(std::string_view text, std::size_t piece = 1 << 20) {
  Read out;
  CsvReader<Row> reader("t.csv", [&](Row&& row) { out.rows.push_back(std::move(row)); });
  for (; !text.empty(); text.remove_prefix(std::min(piece, text.size()))) {
    reader.feed(text.substr(0, piece));
  }
  const auto finished = reader.finish();
  if (finished.has_error()) {
    out.error = finished.error().message;
  } else {
    EXPECT_EQ(*finished, static_cast<std::int64_t>(out.rows.size()));
  }
  out.bad = reader.bad_rows();
  out.problem = reader.first_problem();
  return out;
}

TEST(Csv, QuotesOnlyWhatMustBe) {
  const auto quoted = [](std::string_view text) {
    std::string out;
    append_csv_text(out, text);
    return out;
  };
  EXPECT_EQ(quoted("plain text"), "plain text");
  EXPECT_EQ(quoted(""), "");
  EXPECT_EQ(quoted("a,b"), "\"a,b\"");
  EXPECT_EQ(quoted("a\"b"), "\"a\"\"b\"");
  EXPECT_EQ(quoted("a\nb"), "\"a\nb\"");
  EXPECT_EQ(quoted("a\rb"), "\"a\rb\"");
}

TEST(Csv, WritesARow) {
  std::string line;
  append_csv_row(line, tricky_rows()[0]);
  append_csv_row(line, tricky_rows()[1]);
  EXPECT_EQ(line,
            "plain,1,0.5,dark-red,2026-02-25T06:00:00.123456+00:00,x\n"
            "\"a,b\",-7,,,,\n");
}

TEST(Csv, ANumberThatIsNoneIsAnEmptyCell) {
  for (const double none : {std::nan(""), std::numeric_limits<double>::infinity()}) {
    std::string line;
    append_csv_row(line, Row{.name = "n", .share = none});
    EXPECT_EQ(line, "n,0,,,,\n");
  }
}

TEST(Csv, SplitAtEveryByteReadsTheSame) {
  const auto rows = tricky_rows();
  std::string text = kHeader;
  for (const auto& row : rows) append_csv_row(text, row);
  for (std::size_t piece = 1; piece <= text.size(); ++piece) {
    const auto out = read(text, piece);
    ASSERT_EQ(out.error, "");
    ASSERT_EQ(out.problem, "");
    ASSERT_TRUE(out.rows == rows) << piece;
  }
}

TEST(Csv, ReadsColumnsByName) {
  const auto out = read("count,unknown,name\r\n5,x,a\r\n6,\"y,\nz\",b");
  ASSERT_EQ(out.rows.size(), 2u);
  EXPECT_EQ(out.rows[0], (Row{.name = "a", .count = 5}));
  EXPECT_EQ(out.rows[1], (Row{.name = "b", .count = 6}));
  EXPECT_EQ(read("\xEF\xBB\xBFname,count\na,5\n").rows[0].name, "a");
}

TEST(Csv, PassesOverBadRowsAndNamesTheFirst) {
  const auto out = read(kHeader +
                        "a,1,,,,\n"
                        "b,one,,,,\n"
                        "c,2,,green,,\n"
                        "d,3\n"
                        "e,4,nan,,,\n"
                        "f,5,,,yesterday,\n"
                        "g,,,,,\n"
                        "h,6,,,,\n");
  ASSERT_EQ(out.rows.size(), 2u);
  EXPECT_EQ(out.rows[1].name, "h");
  EXPECT_EQ(out.bad, 6);
  EXPECT_EQ(out.problem, "t.csv: record 2: count: unreadable value");
  EXPECT_EQ(read(kHeader + "d,3\n").problem, "t.csv: record 1: 2 cells instead of 6");
}

TEST(Csv, ARowThatWasCutIsBadAndTheOthersStay) {
  const auto out = read(kHeader + "a,1,,,,x\nb,2,");
  EXPECT_EQ(out.rows.size(), 1u);
  EXPECT_EQ(out.bad, 1);
}

TEST(Csv, NeedsAHeader) {
  EXPECT_EQ(read("").error, "t.csv: no header line");
  EXPECT_EQ(read("x,y\n1,2\n").error, "t.csv: not one known column in its header");
  EXPECT_EQ(read(kHeader).error, "");
}

}  // namespace
}  // namespace memprof::formats
