#include "formats/json.hpp"

#include "input.hpp"
#include "records/manifest.hpp"
#include "records/summary.hpp"

namespace memprof::fuzz {
namespace {

template <class Document>
void check(const boost::json::value& json) {
  const auto read = formats::from_json<Document>(json);
  if (read.has_error()) {
    require(!read.error().message.empty(), "an error has words");
    return;
  }
  const auto written = formats::pretty_json(formats::to_json(*read));
  boost::system::error_code error;
  const auto parsed = boost::json::parse(written, error);
  require(!error, "what is written is JSON");
  const auto again = formats::from_json<Document>(parsed);
  require(again.has_value() && formats::pretty_json(formats::to_json(*again)) == written,
          "what is written is read back");
}

}  // namespace
}  // namespace memprof::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace memprof;
  boost::system::error_code error;
  const auto json = boost::json::parse(fuzz::text_of(data, size), error);
  if (error) return 0;
  fuzz::check<Manifest>(json);
  fuzz::check<Summary>(json);
  return 0;
}
