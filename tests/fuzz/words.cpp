#include "cli/option_text.hpp"
#include "formats/iso8601.hpp"
#include "http/url.hpp"
#include "input.hpp"
#include "records/workload.hpp"

namespace memprof::fuzz {
namespace {

template <class T>
void check_option(std::string_view text, cli::Range range = {}) {
  const auto parsed = cli::parse_text<T>(text, range);
  require(!parsed.allowed.empty(), "what is allowed has words");
  if (!parsed.value) return;
  const auto again = cli::parse_text<T>(cli::show_text(*parsed.value), range);
  require(again.value == parsed.value, "an option as shown is the option");
}

void check_url(std::string_view text) {
  const auto url = http::parse_url(text);
  if (url.has_error()) return;
  const auto again = http::parse_url(url->to_string());
  require(again.has_value() && again->to_string() == url->to_string(), "a URL as shown is the URL");
  for (const auto& part : {url->authority(), url->target("/models")}) {
    require(part.find_first_of(std::string_view("\r\n \0", 4)) == std::string::npos,
            "a URL adds no line to a request");
  }
}

}  // namespace
}  // namespace memprof::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace memprof;
  const auto text = fuzz::text_of(data, size);
  fuzz::check_url(text);
  if (const auto time = formats::parse_timestamp(text)) {
    fuzz::require(formats::parse_timestamp(formats::format_timestamp(*time)) == time,
                  "a time as written is the time");
  }
  fuzz::check_option<std::int64_t>(text);
  fuzz::check_option<std::uint64_t>(text);
  fuzz::check_option<double>(text, {0, 1e6});
  fuzz::check_option<PrefixMode>(text);
  fuzz::check_option<std::vector<std::int64_t>>(text, {1, 1e6});
  fuzz::check_option<std::vector<PrefixMode>>(text);
  return 0;
}
