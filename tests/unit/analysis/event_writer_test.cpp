#include "analysis/event_writer.hpp"

#include "sample_run.hpp"

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include <limits>

namespace memprof::analysis {
namespace {

using testing::at;

std::string written(const std::function<void(EventWriter&)>& write, int* pieces = nullptr) {
  std::string text;
  EventWriter writer(at(0), [&](std::string_view piece) {
    text += piece;
    if (pieces != nullptr) ++*pieces;
  });
  write(writer);
  writer.flush();
  return text;
}

TEST(EventWriter, ALineForEachEvent) {
  EXPECT_EQ(written([](EventWriter& writer) {
              JsonMembers args;
              args.add("name", "Requests");
              writer.metadata("process_name", {2, 0}, args);
              writer.slice({2, 3}, "a", "ok", at(1), at(1.5), {}, "good");
              args.clear();
              args.add("%", 12.5);
              args.add("absent", std::optional<double>());
              args.add("no number", std::numeric_limits<double>::infinity());
              writer.counter(4, "use", at(2), args);
            }),
            R"(
{"ph":"M","pid":2,"tid":0,"name":"process_name","args":{"name":"Requests"}},
{"ph":"X","pid":2,"tid":3,"ts":1000000,"dur":500000,"name":"a","cat":"ok","cname":"good"},
{"ph":"C","pid":4,"ts":2000000,"name":"use","args":{"%":12.5}})");
}

TEST(EventWriter, AnyTextIsValidJson) {
  const std::string hostile("\"\\</script>\n\t\x01\xff\xc3 \xe2\x82\xac\0|", 23);
  const auto text = written([&](EventWriter& writer) {
    JsonMembers args;
    args.add("text", hostile);
    args.add("long", std::string(100'000, '"'));
    writer.slice({1, 1}, hostile, hostile, at(0), at(1), args);
    writer.counter(1, hostile, at(0), args);
  });
  const auto events = boost::json::parse("[" + text + "]");
  const auto& slice = events.at(0);
  EXPECT_EQ(slice.at("name"), "\"\\</script> \xEF\xBF\xBD\xEF\xBF\xBD \xe2\x82\xac |");
  EXPECT_EQ(slice.at("args").at("text"), slice.at("name"));
  EXPECT_EQ(slice.at("args").at("long").as_string().size(), 1000u);
  EXPECT_EQ(events.at(1).at("name"), slice.at("name"));
}

TEST(EventWriter, HandsOnTextInPieces) {
  int pieces = 0;
  const auto text = written(
      [](EventWriter& writer) {
        JsonMembers args;
        args.add("MiB", std::int64_t{81920});
        for (int i = 0; i < 50'000; ++i) writer.counter(4, "GPU 0 memory used", at(i), args);
      },
      &pieces);
  EXPECT_EQ(pieces, static_cast<int>(text.size() >> 20) + 1);
  EXPECT_EQ(boost::json::parse("[" + text + "]").as_array().size(), 50'000u);
}

}  // namespace
}  // namespace memprof::analysis
