#include "formats/csv.hpp"
#include "formats/number.hpp"
#include "input.hpp"
#include "server_metrics/history.hpp"
#include "server_metrics/scrape.hpp"

#include <boost/json/serialize.hpp>

namespace memprof::fuzz {
namespace {

struct Samples final : formats::PrometheusScanner::Sink {
  std::string seen;
  bool wants(std::string_view name) override { return !name.ends_with("_bucket"); }
  void on_sample(const formats::PrometheusSample& sample) override {
    seen += sample.name;
    for (const auto& label : sample.labels) {
      seen.append("\t").append(label.name).append("=").append(label.value);
    }
    formats::append_number(seen.append("\t"), sample.value);
    seen += '\n';
  }
};

std::string scan(std::string_view text, Cut cut) {
  Samples samples;
  formats::PrometheusScanner scanner(samples);
  in_pieces(text, cut, [&](std::string_view piece) { return scanner.feed(piece), true; });
  scanner.finish();
  return samples.seen + std::to_string(scanner.broken_lines());
}

std::string scrape(std::string_view text, Cut cut) {
  server_metrics::ScrapeReader reader;
  in_pieces(text, cut, [&](std::string_view piece) { return reader.feed(piece), true; });
  const auto& found = reader.finish();
  std::string seen = std::to_string(found.broken_lines);
  for (const auto& engine : found.engines) {
    seen += '\n' + engine.engine + boost::json::serialize(engine.cache_config);
    for (const auto& value : engine.values) {
      formats::append_number(seen.append(value ? " " : " none "), value.value_or(0));
    }
  }
  return seen;
}

/// What the server says as the rows of a trace, twice, as if it had been asked again.
void check_rows(std::string_view text) {
  server_metrics::ScrapeReader reader;
  reader.feed(text);
  const auto& found = reader.finish();
  if (found.empty()) return;
  server_metrics::History history;
  std::string first;
  for (int scrape = 0; scrape < 2; ++scrape) {
    auto out = formats::csv_header<ServerMetricsRow>();
    std::size_t rows = 0;
    for (const auto& row : history.take(found, Timestamp{}, 1)) {
      formats::append_csv_row(out, row);
      ++rows;
    }
    require(rows == found.engines.size(), "a row for each engine");
    require(scrape == 0 || (out == first && !history.just_restarted()),
            "the same again is the same server");
    std::size_t read = 0;
    formats::CsvReader<ServerMetricsRow> back("file", [&](ServerMetricsRow&&) { ++read; });
    back.feed(out);
    require(back.finish().has_value() && back.bad_rows() == 0 && read == rows,
            "what is written is read back");
    first = std::move(out);
  }
}

}  // namespace
}  // namespace memprof::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace memprof::fuzz;
  const auto text = text_of(data, size);
  read_alike(text, scan, "any split, the same samples");
  read_alike(text, scrape, "any split, the same reading");
  check_rows(text);
  return 0;
}
