// What the text formats cost per row, event and timestamp.

#include "formats/csv.hpp"
#include "formats/iso8601.hpp"
#include "formats/sse.hpp"
#include "load/completion_reader.hpp"
#include "mock_shapes.hpp"
#include "records/request_trace.hpp"

#include <benchmark/benchmark.h>

#include <string>

namespace {

using namespace memprof;

constexpr int kTokens = 128;

RequestTraceRow sample_row() {
  RequestTraceRow row;
  row.req_id = "r_064c_32768i_128o_high_00";
  row.input_len = 32768;
  row.output_len = 128;
  row.concurrency_group = 64;
  row.start_ts = row.end_ts = row.scheduled_ts = row.first_token_ts =
      Timestamp{std::chrono::microseconds{1'795'490'530'123'456}};
  row.status = "ok";
  row.prompt_tokens = 32771;
  row.completion_tokens = 128;
  row.http_status = 200;
  row.in_flight_at_start = 64;
  return row;
}

std::string one_read(const std::string& chunk_bytes) {  // a chunk without its framing
  const auto begin = chunk_bytes.find("\r\n") + 2;
  return chunk_bytes.substr(begin, chunk_bytes.size() - begin - 2);
}

void csv_row(benchmark::State& state) {
  const auto row = sample_row();
  std::string out;
  for (auto _ : state) {
    out.clear();
    formats::append_csv_row(out, row);
    benchmark::DoNotOptimize(out.data());
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(out.size()));
}
BENCHMARK(csv_row);

void iso8601_format(benchmark::State& state) {
  const auto time = *sample_row().start_ts;
  std::string out;
  for (auto _ : state) {
    out.clear();
    formats::append_timestamp(out, time);
    benchmark::DoNotOptimize(out.data());
  }
}
BENCHMARK(iso8601_format);

void iso8601_parse(benchmark::State& state) {
  const auto text = formats::format_timestamp(*sample_row().start_ts);
  for (auto _ : state) benchmark::DoNotOptimize(formats::parse_timestamp(text));
}
BENCHMARK(iso8601_parse);

struct Counter final : formats::SseScanner::Sink {
  std::int64_t events = 0;
  void on_event(std::string_view) override { ++events; }
};

/// An item: an event of 246 bytes that lies whole in one read.
void sse_event(benchmark::State& state) {
  Counter counter;
  formats::SseScanner scanner(counter);
  const auto event = one_read(bench::kToken);
  for (auto _ : state) benchmark::DoNotOptimize(scanner.feed(event));
  state.SetItemsProcessed(counter.events);
}
BENCHMARK(sse_event);

/// An item: a token's chunk, through HTTP, SSE and the search for what a row needs.
void completion_token(benchmark::State& state) {
  load::CompletionReader reader;
  const std::string last = bench::kLastToken + bench::event("\"choices\":[]," + bench::usage(128)) +
                           bench::chunk("data: [DONE]\n\n") + "0\r\n\r\n";
  for (auto _ : state) {
    reader.reset();
    reader.feed(bench::kStreamHead, {});
    for (int n = 1; n < kTokens; ++n) reader.feed(bench::kToken, {});
    if (!reader.feed(last, {}) || reader.answer().status != "ok") {
      state.SkipWithError("the stream did not end well");
      break;
    }
  }
  state.SetItemsProcessed(state.iterations() * kTokens);
}
BENCHMARK(completion_token);

}  // namespace

BENCHMARK_MAIN();
