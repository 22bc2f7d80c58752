// What reading an answer of /metrics costs: recorded ones, in reads of the size that a connection
// makes.

#include "http/response_parser.hpp"
#include "server_metrics/history.hpp"

#include <benchmark/benchmark.h>

#include <fstream>
#include <iterator>
#include <string>

namespace {

using namespace memprof;

constexpr std::size_t kReadBytes = 4096;

std::string recorded(const char* name) {
  std::ifstream file(std::string(MEMPROF_TEST_DATA "/metrics/") + name + ".resp", std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

struct NoSink final : formats::PrometheusScanner::Sink {
  bool all = false;
  std::int64_t samples = 0;
  bool wants(std::string_view) override { return all; }
  void on_sample(const formats::PrometheusSample&) override { ++samples; }
};

/// Every sample with all its labels, or none.
void scan(benchmark::State& state) {
  const auto text = recorded("metrics_dp2_idle");
  NoSink sink;
  sink.all = state.range(0) != 0;
  formats::PrometheusScanner scanner(sink);
  for (auto _ : state) {
    scanner.reset();
    scanner.feed(text);
    scanner.finish();
  }
  benchmark::DoNotOptimize(sink.samples);
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(text.size()));
}
BENCHMARK(scan)->ArgName("all")->Arg(0)->Arg(1);

struct Body final : http::ResponseParser::Sink {
  server_metrics::ScrapeReader reader;
  void on_head(int, std::string_view) override {}
  void on_body(std::string_view piece) override { reader.feed(piece); }
};

/// From the socket's bytes to rows, as the sampler does it.
void scrape_to_rows(benchmark::State& state, const char* name) {
  const auto bytes = recorded(name);
  Body body;
  http::ResponseParser parser(body);
  server_metrics::History history;
  for (auto _ : state) {
    parser.reset();
    body.reader.reset();
    for (std::size_t at = 0; at < bytes.size(); at += kReadBytes) {
      parser.feed(std::string_view(bytes).substr(at, kReadBytes));
    }
    benchmark::DoNotOptimize(history.take(body.reader.finish(), {}, 5).size());
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(bytes.size()));
  state.counters["answer_bytes"] = static_cast<double>(bytes.size());
}
BENCHMARK_CAPTURE(scrape_to_rows, full_60k, "metrics_after_preemption_idle");
BENCHMARK_CAPTURE(scrape_to_rows, full_64k_two_engines, "metrics_dp2_under_load_1");
BENCHMARK_CAPTURE(scrape_to_rows, filtered, "metrics_filter_slash");

}  // namespace

BENCHMARK_MAIN();
