#include "formats/json.hpp"

#include "input.hpp"
#include "records/manifest.hpp"
#include "records/summary.hpp"

namespace memprof::fuzz {
namespace {

/// Without the characters of numbers: Boost.JSON may read a number's last bit differently.
std::string without_numbers(std::string text) {
  constexpr std::string_view kOfNumbers = "0123456789.-+e";
  std::erase_if(text, [&](char c) { return kOfNumbers.find(c) != std::string_view::npos; });
  return text;
}

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
  require(again.has_value(), "what is written can be read");
  require(without_numbers(formats::pretty_json(formats::to_json(*again))) ==
              without_numbers(written),
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
