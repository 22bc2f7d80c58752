#pragma once

#include "http/response_parser.hpp"
#include "server_metrics/scrape.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

namespace memprof::server_metrics {

inline Scrape read_scrape(std::string_view body, std::size_t piece = std::string_view::npos) {
  ScrapeReader reader;
  for (std::size_t at = 0; at < body.size(); at += std::min(piece, body.size() - at)) {
    reader.feed(body.substr(at, piece));
  }
  return reader.finish();
}

struct BodyKeeper final : http::ResponseParser::Sink {
  std::string body;
  void on_head(int, std::string_view) override {}
  void on_body(std::string_view piece) override { body += piece; }
};

/// The body of tests/data/metrics/<name>.resp.
inline std::string recorded_body(const std::string& name) {
  std::ifstream file(MEMPROF_TEST_DATA "/metrics/" + name + ".resp", std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(file), {}};
  BodyKeeper keeper;
  http::ResponseParser parser(keeper);
  EXPECT_EQ(parser.feed(bytes), http::ResponseParser::State::complete) << name;
  return keeper.body;
}

inline Scrape recorded(const std::string& name) { return read_scrape(recorded_body(name)); }

}  // namespace memprof::server_metrics
