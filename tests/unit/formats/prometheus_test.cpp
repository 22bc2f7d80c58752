#include "formats/prometheus.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>
#include <set>
#include <string>
#include <vector>

namespace memprof::formats {
namespace {

/// Writes samples as `name{label=value,…} value`, whatever their escapes were.
struct Collector final : PrometheusScanner::Sink {
  std::set<std::string, std::less<>> wanted;  // empty: all
  std::vector<std::string> samples;

  bool wants(std::string_view name) override { return wanted.empty() || wanted.contains(name); }
  void on_sample(const PrometheusSample& sample) override {
    std::string text(sample.name);
    for (const auto& label : sample.labels) text += fmt::format("|{}={}", label.name, label.value);
    samples.push_back(fmt::format("{} {}", text, sample.value));
  }
};

struct Scanned {
  std::vector<std::string> samples;
  std::int64_t broken = 0;
  bool operator==(const Scanned&) const = default;
};

Scanned scan(std::string_view text, std::size_t piece = std::string_view::npos) {
  Collector collector;
  PrometheusScanner scanner(collector);
  for (std::size_t at = 0; at < text.size(); at += std::min(piece, text.size() - at)) {
    scanner.feed(text.substr(at, piece));
  }
  scanner.finish();
  return {std::move(collector.samples), scanner.broken_lines()};
}

std::vector<std::string> samples_of(std::string_view text) { return scan(text).samples; }

using Lines = std::vector<std::string>;

TEST(Prometheus, ReadsASampleWithAndWithoutLabels) {
  EXPECT_EQ(samples_of("a 1\nb{} 2\nc{x=\"y\"} 3\nd{x=\"y\",z=\"w\",} 4\n"),
            (Lines{"a 1", "b 2", "c|x=y 3", "d|x=y|z=w 4"}));
}

TEST(Prometheus, AllowsBlanksWhereTheyCanStand) {
  EXPECT_EQ(samples_of("  a\t1  \n b { x = \"y\" , z=\"w\" }   2\n"),
            (Lines{"a 1", "b|x=y|z=w 2"}));
}

TEST(Prometheus, UndoesEscapesAndKeepsEveryOtherByte) {
  EXPECT_EQ(samples_of(R"(a{m="we\"ird\\lla🦙",n="x\ny",o="{,=}# ",p=""} 1)" "\n"),
            (Lines{"a|m=we\"ird\\lla🦙|n=x\ny|o={,=}# |p= 1"}));
  EXPECT_EQ(samples_of("a{m=\"\\q\\\\n\xff\"} 1\n"), (Lines{"a|m=\\q\\n\xff 1"}));
}

TEST(Prometheus, DropsTimestampsAndExemplars) {
  EXPECT_EQ(samples_of("a 1 1795490588563\nb{x=\"y\"} 2 # {trace=\"z\"} 0.5 1795490588.5\n"
                       "c 3 -5 # {} 1\n# EOF\n"),
            (Lines{"a 1", "b|x=y 2", "c 3"}));
}

TEST(Prometheus, ReadsEverySpellingOfANumber) {
  EXPECT_EQ(samples_of("a 1.79548990128e+09\nb -0.5\nc +3\nd 1E3\n"),
            (Lines{"a 1795489901.28", "b -0.5", "c 3", "d 1000"}));
  EXPECT_EQ(samples_of("e +Inf\nf -Inf\ng Inf\nh NaN\ni nan\n"),
            (Lines{"e inf", "f -inf", "g inf", "h nan", "i nan"}));
}

TEST(Prometheus, TakesCrlfAndComments) {
  const auto scanned = scan("# HELP a b\r\n#TYPE\r\n\r\na 1\r\n  # x\r\nb{x=\"y\"} 2\r\n");
  EXPECT_EQ(scanned.samples, (Lines{"a 1", "b|x=y 2"}));
  EXPECT_EQ(scanned.broken, 0);
}

TEST(Prometheus, TakesNoLineWhoseEndHasNotCome) {
  for (const std::string cut : {"b", "b 12", "b 12\r", "b{x=\"y\"} 12", " b 12 # {} 1"}) {
    EXPECT_EQ(scan("a 1\n" + cut), (Scanned{{"a 1"}, 1})) << cut;
  }
  for (const std::string harmless : {"# EOF", " # EOF\r", "\r", " "}) {
    EXPECT_EQ(scan("a 1\n" + harmless), (Scanned{{"a 1"}, 0})) << harmless;
  }
}

TEST(Prometheus, PassesBrokenLinesOverAndCountsThem) {
  for (const std::string line :
       {"a", "a ", "a{", "a{x", "a{x=", "a{x=y} 1", "a{x=\"y} 1", "a{x=\"y\\",
        "a{x=\"y\\\" 1", "a{x=\"y\"", "a{x=\"y\"} ", "a{x=\"y\" z=\"w\"} 1", "a{=\"y\"} 1",
        "a{,} 1", "a one", "a 1x", "a 0x1", "a +-1", "a 1 two", "a 1 2 3", "<html>", "1a 2", "{} 1",
        "a=1", "\x1f\x8b", "a 1e999"}) {
    const auto scanned = scan("before 1\n" + line + "\nafter 2\n");
    EXPECT_EQ(scanned.samples, (Lines{"before 1", "after 2"})) << line;
    EXPECT_EQ(scanned.broken, 1) << line;
  }
}

TEST(Prometheus, LooksAtNothingButTheNameOfALineThatIsNotWanted) {
  Collector collector;
  collector.wanted = {"a"};
  PrometheusScanner scanner(collector);
  scanner.feed("b{x= nonsense\na 1\nab 2\nb one\n");
  EXPECT_EQ(collector.samples, Lines{"a 1"});
  EXPECT_EQ(scanner.broken_lines(), 0);
}

TEST(Prometheus, BoundsALinesLength) {
  const std::string longest(PrometheusScanner::kMostLineBytes - 8, 'x');
  for (const std::size_t piece : {std::size_t{1'000}, std::string::npos}) {
    const auto kept = scan("a{x=\"" + longest + "\"} 1\nb 2\n", piece);
    EXPECT_EQ(kept.samples.size(), 1u);  // one byte too long
    EXPECT_EQ(kept.broken, 1);
    const auto fits = scan("a{x=\"" + longest.substr(1) + "\"} 1\nb 2\n", piece);
    EXPECT_EQ(fits.samples.size(), 2u);
    EXPECT_EQ(fits.broken, 0);
    EXPECT_EQ(scan(std::string(10'000'000, 'a') + "\nb 2\n", piece),
              (Scanned{{"b 2"}, 1}));
  }
}

TEST(Prometheus, ForgetsAllWhenReset) {
  Collector collector;
  PrometheusScanner scanner(collector);
  scanner.feed("<broken\na{x=\"y");
  scanner.reset();
  scanner.feed("b 1\n");
  scanner.finish();
  EXPECT_EQ(collector.samples, Lines{"b 1"});
  EXPECT_EQ(scanner.broken_lines(), 0);
}

TEST(Prometheus, FindsALabelByItsName) {
  const PrometheusLabel labels[] = {{"engine", "1"}, {"pid", ""}};
  const PrometheusSample sample{"a", labels, 1};
  EXPECT_EQ(sample.label("engine"), "1");
  EXPECT_EQ(sample.label("pid"), "");
  EXPECT_EQ(sample.label("eng"), std::nullopt);
}

TEST(Prometheus, AnySplitGivesTheSame) {
  const std::string text =
      "# HELP a b\n# TYPE a counter\na{x=\"q\\\"\\\\\\n🦙\",y=\"\"} 1.5e+3 17 # {t=\"u\"} 1\r\n\n"
      "<broken>\nb NaN\nc{x=\"y\\";
  const auto whole = scan(text);
  EXPECT_EQ(whole.samples, (Lines{"a|x=q\"\\\n🦙|y= 1500", "b nan"}));
  EXPECT_EQ(whole.broken, 2);
  for (std::size_t at = 0; at <= text.size(); ++at) {
    for (std::size_t then = at; then <= text.size(); ++then) {
      Collector collector;
      PrometheusScanner scanner(collector);
      scanner.feed(text.substr(0, at));
      scanner.feed(text.substr(at, then - at));
      scanner.feed(text.substr(then));
      scanner.finish();
      ASSERT_EQ(collector.samples, whole.samples) << at << ' ' << then;
      ASSERT_EQ(scanner.broken_lines(), whole.broken) << at << ' ' << then;
    }
  }
}

std::string read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// Head and chunk sizes are left in: lines of another kind, which must do no harm.
TEST(Prometheus, AnySplitOfRecordedAnswersGivesTheSame) {
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(MEMPROF_TEST_DATA "/metrics")) {
    if (entry.path().extension() != ".resp") continue;
    ++files;
    const auto text = read_file(entry.path());
    const auto whole = scan(text);
    const bool plain = entry.path().stem() != "metrics_gzip_slash";
    const bool holds_some = plain && entry.path().stem() != "metrics_filter_slash_nomatch";
    EXPECT_EQ(holds_some, !whole.samples.empty()) << entry.path();
    for (const std::size_t piece : {1u, 2u, 7u, 61u, 1'000u, 4'096u, 65'536u}) {
      ASSERT_EQ(scan(text, piece), whole) << entry.path() << ' ' << piece;
    }
  }
  EXPECT_EQ(files, 24);
}

TEST(Prometheus, ReadsEveryLineOfARecordedAnswer) {
  const auto text = read_file(MEMPROF_TEST_DATA "/metrics/metrics_kv_residency_mfu.resp");
  const auto body = text.substr(text.find("\r\n\r\n") + 4);
  std::size_t lines = 0;
  for (std::size_t at = 0; at < body.size(); at = body.find('\n', at) + 1) lines += body[at] != '#';
  const auto scanned = scan(body);
  EXPECT_EQ(scanned.samples.size(), lines);
  EXPECT_GT(lines, 500u);
  EXPECT_EQ(scanned.broken, 0);
}

}  // namespace
}  // namespace memprof::formats
