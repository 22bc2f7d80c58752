#include "formats/csv.hpp"

#include "input.hpp"
#include "records/gpu.hpp"
#include "records/request_trace.hpp"
#include "records/server_metrics.hpp"

namespace memprof::fuzz {
namespace {

/// The rows as they are written again, and how many were bad.
struct Rows {
  std::string text;
  std::int64_t bad = 0;
  bool readable = false;
  bool operator==(const Rows&) const = default;
};

template <class Row>
Rows read(std::string_view text, Cut cut) {
  Rows rows{formats::csv_header<Row>()};
  formats::CsvReader<Row> reader("file",
                                 [&](Row&& row) { formats::append_csv_row(rows.text, row); });
  in_pieces(text, cut, [&](std::string_view piece) { return reader.feed(piece), true; });
  rows.readable = reader.finish().has_value();
  rows.bad = reader.bad_rows();
  return rows;
}

template <class Row>
void check(std::string_view text) {
  const auto rows = read_alike(text, read<Row>, "any split, the same rows");
  const auto again = read<Row>(rows.text, Cut::whole);
  require(again.bad == 0 && again.text == rows.text, "what is written is read back");
}

}  // namespace
}  // namespace memprof::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace memprof;
  const auto text = fuzz::text_of(data, size);
  fuzz::check<RequestTraceRow>(text);
  fuzz::check<GpuMemRow>(text);
  fuzz::check<ServerMetricsRow>(text);
  return 0;
}
