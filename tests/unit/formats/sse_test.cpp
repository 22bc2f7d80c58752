#include "formats/sse.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace memprof::formats {
namespace {

class Recorder final : public SseScanner::Sink {
 public:
  void on_event(std::string_view data) override { events.push_back("<" + std::string(data) + ">"); }
  std::vector<std::string> events;
};

/// The events of `text` in pieces, or `refused`.
std::string scan(std::string_view text, const std::vector<std::size_t>& cuts) {
  Recorder recorder;
  SseScanner scanner(recorder);
  std::size_t at = 0;
  for (std::size_t i = 0; i <= cuts.size(); ++i) {
    const auto end = i < cuts.size() ? cuts[i] : text.size();
    // A copy of its own, freed at once: nothing of it may be used later.
    const std::string piece(text.substr(at, end - at));
    if (!scanner.feed(piece)) return "refused";
    at = end;
  }
  std::string out;
  for (const auto& event : recorder.events) out += event;
  return out;
}

/// The same for the whole, every cut, every two cuts, and each byte alone.
std::string scan_all(std::string_view text) {
  const auto whole = scan(text, {});
  std::vector<std::size_t> single;
  for (std::size_t a = 1; a < text.size(); ++a) {
    single.push_back(a);
    if (scan(text, {a}) != whole) return "cut at " + std::to_string(a) + ": " + scan(text, {a});
    for (std::size_t b = a + 1; b < text.size() && text.size() < 200; ++b) {
      if (scan(text, {a, b}) != whole) {
        return "cut at " + std::to_string(a) + ", " + std::to_string(b) + ": " + scan(text, {a, b});
      }
    }
  }
  return scan(text, single) == whole ? whole : "byte by byte: " + scan(text, single);
}

TEST(Sse, EventsEndWithABlankLine) {
  EXPECT_EQ(scan_all("data: one\n\ndata: two\n\n"), "<one><two>");
  EXPECT_EQ(scan_all("data: one\n\ndata: not ended\n"), "<one>");
  EXPECT_EQ(scan_all(""), "");
  EXPECT_EQ(scan_all("\n\n\n"), "");
}

TEST(Sse, EveryLineEnd) {
  EXPECT_EQ(scan_all("data: one\r\n\r\ndata: two\r\n\r\n"), "<one><two>");
  EXPECT_EQ(scan_all("data: one\r\rdata: two\r\r"), "<one><two>");
  EXPECT_EQ(scan_all("data: one\r\n\ndata: two\n\r\ndata: 3\r\rdata: 4\r\n\rdata: 5\n\r"),
            "<one><two><3><4><5>");
  EXPECT_EQ(scan_all("data: a\rdata: b\ndata: c\r\ndata: d\n\n"), "<a\nb\nc\nd>");
}

TEST(Sse, AByteOrderMarkAtTheFront) {
  EXPECT_EQ(scan_all("\xEF\xBB\xBF""data: one\n\n\xEF\xBB\xBF""data: two\n\ndata: 3\n\n"),
            "<one><3>");
}

TEST(Sse, BlanksAfterTheColon) {
  EXPECT_EQ(scan_all("data:x\n\n"), "<x>");
  EXPECT_EQ(scan_all("data: x\n\n"), "<x>");
  EXPECT_EQ(scan_all("data:  x \n\n"), "< x >");
  EXPECT_EQ(scan_all("data:\tx\n\n"), "<\tx>");
}

TEST(Sse, SeveralDataLinesAreJoined) {
  EXPECT_EQ(scan_all("data: a\ndata: b\n\n"), "<a\nb>");
  EXPECT_EQ(scan_all("data: a\ndata\ndata:\n\n"), "<a\n\n>");
  EXPECT_EQ(scan_all("data\n\n"), "<>");
  EXPECT_EQ(scan_all("data:\n\n"), "<>");
  EXPECT_EQ(scan_all("data\ndata: b\n\n"), "<\nb>");
  EXPECT_EQ(scan_all("data: a\nevent: x\n: c\ndata: b\n\ndata: c\n\n"), "<a\nb><c>");
}

TEST(Sse, CommentsAndOtherFieldsArePassedOver) {
  EXPECT_EQ(scan_all(": ping\n\nevent: x\nid: 1\nretry: 5\ndata: a\n\n"), "<a>");
  EXPECT_EQ(scan_all("event: x\n\n"), "");
  EXPECT_EQ(scan_all("database: x\ndat: y\nDATA: z\n data: q\n\n"), "");
  EXPECT_EQ(scan_all("data data: x\n\n"), "");
  EXPECT_EQ(scan_all(":data: x\n\n"), "");
}

TEST(Sse, DataIsHandedOnUntouched) {
  EXPECT_EQ(scan_all("data: data: x\n\n"), "<data: x>");
  EXPECT_EQ(scan_all("data: \xC3\xA9\xF0\x9F\x98\x80:\"\\n\"\n\n"),
            "<\xC3\xA9\xF0\x9F\x98\x80:\"\\n\">");
  EXPECT_EQ(scan_all(std::string("data: a\0b\n\n", 11)), std::string("<a\0b>", 5));
}

TEST(Sse, LongEventsSurviveTheirPieces) {
  const std::string a(300, 'a'), b(5, 'b');
  EXPECT_EQ(scan_all("data: " + a + "\ndata: " + b + "\n\ndata: " + b + "\ndata: " + a + "\n\n"),
            "<" + a + "\n" + b + "><" + b + "\n" + a + ">");
}

TEST(Sse, LinesOver1MiBAreRefusedHoweverTheyCome) {
  const std::string most(SseScanner::kMostLineBytes - 6, 'a');
  EXPECT_EQ(scan("data: " + most + "\n\n", {}).size(), most.size() + 2);
  for (const std::vector<std::size_t>& cuts :
       {std::vector<std::size_t>{}, {10}, {500'000}, {1'000'000, 1'048'570}, {1'048'590}}) {
    EXPECT_EQ(scan("data: " + most + std::string(20, 'a') + "\n\n", cuts), "refused");
    EXPECT_EQ(scan(": " + most + std::string(20, 'a') + "\n\n", cuts), "refused") << "a comment";
  }
}

TEST(Sse, ManyDataLinesAreBoundedToo) {
  std::string text;
  for (int i = 0; i < 1100; ++i) text += "data: " + std::string(1000, 'a') + "\n";
  EXPECT_EQ(scan(text + "\n", {4096, 8192, text.size()}), "refused");
}

TEST(Sse, ResetForgetsTheEventUnderWay) {
  Recorder recorder;
  SseScanner scanner(recorder);
  for (const char* before : {"data: a", "data: a\n", "data: a\r", "data: a\ndata: b"}) {
    scanner.reset();
    recorder.events.clear();
    scanner.feed(before);
    scanner.reset();
    scanner.feed("\ndata: c\n\n");
    EXPECT_EQ(recorder.events, std::vector<std::string>{"<c>"}) << before;
  }
}

}  // namespace
}  // namespace memprof::formats
