#include "report/page.hpp"

#include "analysis/summarize.hpp"
#include "report/assets.hpp"

#include <gtest/gtest.h>

namespace memprof::report {
namespace {

constexpr std::size_t kMostBytes = 2'000'000;
const std::string kHostile = "\"'></script><script>alert(1)</script><!--";

Timestamp at(double seconds) {
  return Timestamp(std::chrono::microseconds(1'700'000'000'000'000 +
                                             static_cast<std::int64_t>(seconds * 1e6)));
}

std::string render(const analysis::RunTraces& traces, const Manifest& manifest) {
  return render_page(manifest, analysis::summarize(traces, manifest), traces);
}

std::size_t count(const std::string& text, std::string_view what) {
  std::size_t found = 0;
  for (auto from = text.find(what); from != std::string::npos; from = text.find(what, from + 1)) {
    ++found;
  }
  return found;
}

RequestTraceRow request(int n, const std::string& words) {
  RequestTraceRow row;
  row.req_id = words + std::to_string(n);
  row.input_len = 100 + n % 7;
  row.output_len = 10;
  row.concurrency_group = n % 100;
  row.start_ts = at(n * 0.1);
  row.end_ts = at(n * 0.1 + 5);
  row.status = n % 2 == 0 ? "ok" : "error:" + words;
  row.error_detail = words;
  return row;
}

analysis::RunTraces large(int requests, int ticks, const std::string& words) {
  analysis::RunTraces traces;
  for (int i = 0; i < requests; ++i) traces.requests.push_back(request(i, words));
  for (int gpu = 0; gpu < 64; ++gpu) {
    for (int i = 0; i < ticks; ++i) {
      traces.gpus[gpu].readings.push_back({at(i * 0.2), 60'000 + i % 977});
    }
  }
  for (int engine = 0; engine < 40; ++engine) {
    auto& series = traces.engines[words + std::to_string(engine)];
    for (int i = 0; i < ticks; ++i) {
      analysis::EngineReading reading{};
      reading.timestamp = reading.asked = at(i * 0.2);
      reading.usage_pct = i % 97 + 0.123;
      reading.running = reading.waiting = i % 1000;
      reading.counters.preemptions_total = i;
      series.readings.push_back(reading);
    }
  }
  return traces;
}

Manifest hostile_manifest(const std::string& words) {
  Manifest manifest;
  manifest.run_id = words;
  manifest.tag = manifest.config.base_url = words;
  manifest.server.model = manifest.server.version = manifest.server.simulator = words;
  manifest.simulated = manifest.interrupted = true;
  manifest.host.hostname = manifest.host.os = manifest.host.cpu_model = words;
  manifest.gpus.push_back({0, words, words, words, words, 1000, 10});
  for (int i = 0; i < 300; ++i) {
    manifest.options[words + std::to_string(i)] = words;
    manifest.file_checks[words + std::to_string(i)] = {1, words};
  }
  manifest.server.cache_config = boost::json::object{{words, words}};
  return manifest;
}

TEST(Page, HostileWordsStayWords) {
  auto traces = large(20, 20, kHostile);
  traces.problems = {kHostile};
  const auto page = render(traces, hostile_manifest(kHostile));
  EXPECT_EQ(count(page, "<script"), 3U);  // the data, dygraphs, ours
  EXPECT_EQ(count(page, "</script"), 3U);
  EXPECT_EQ(count(page, "<script>alert"), 0U);
  EXPECT_EQ(count(page, "<!--"), 0U);
  EXPECT_EQ(count(page, "alert(1)"), count(page, "alert(1)&lt;") + count(page, "alert(1)\\u003c"));
}

TEST(Page, IsSmallForAnyRun) {
  for (const char byte : {'"', '<', '&'}) {  // up to six bytes each once escaped
    const std::string words(500, byte);
    EXPECT_LT(render(large(20'000, 3000, words), hostile_manifest(words)).size(), kMostBytes);
    EXPECT_LT(render(large(3'900, 3000, words), hostile_manifest(words)).size(), kMostBytes);
  }
}

TEST(Page, WhatWasNotMeasuredIsSaid) {
  const auto page = render({}, {});
  EXPECT_NE(page.find("Not measured: device memory"), std::string::npos);
  EXPECT_NE(page.find("Not measured: KV cache usage"), std::string::npos);
  EXPECT_NE(page.find("\"charts\":[]"), std::string::npos);
  EXPECT_EQ(page.find("class=\"banner"), std::string::npos);
}

TEST(Page, BannersSayWhatARunIsNot) {
  const auto page = render({}, hostile_manifest("x"));
  EXPECT_NE(page.find("class=\"banner simulated\">SIMULATED"), std::string::npos);
  EXPECT_NE(page.find("class=\"banner interrupted\">INTERRUPTED"), std::string::npos);
}

TEST(Page, NamesNoAddressToLoadFrom) {
  const auto page = render({}, {});
  for (const auto* what : {" src=", " href=", "url(", "@import", "onclick=", "style=\""}) {
    EXPECT_EQ(count(page.substr(0, page.find("<script>")), what), 0U) << what;
  }
}

TEST(Page, WhatIsEmbeddedCannotEndItsElement) {
  for (const auto text : {assets::page_script(), assets::dygraphs_script(), assets::page_style(),
                          assets::dygraphs_style()}) {
    EXPECT_FALSE(text.empty());
    // A browser reads CR as LF, and the hash in the policy would not be that of the text.
    for (const auto* what : {"</script", "</style", "<!--", "\r"}) {
      EXPECT_EQ(text.find(what), std::string_view::npos) << what;
    }
  }
  EXPECT_NE(assets::dygraphs_licence().find("Permission is hereby granted"), std::string::npos);
}

}  // namespace
}  // namespace memprof::report
