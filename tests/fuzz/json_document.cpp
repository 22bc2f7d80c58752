#include "formats/json.hpp"

#include "input.hpp"
#include "records/account.hpp"
#include "records/manifest.hpp"
#include "records/server_metrics.hpp"
#include "records/summary.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace memprof::fuzz {
namespace {

bool same(const boost::json::value& a, const boost::json::value& b);

bool same_members(const boost::json::object& a, const boost::json::object& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const auto& x, const auto& y) {
    return x.key() == y.key() && same(x.value(), y.value());
  });
}

/// Equal to the letter, in the same order, but for a last bit: Boost.JSON 1.81 may read a number
/// with a fraction that far off.
bool same(const boost::json::value& a, const boost::json::value& b) {
  if (a.is_number() && b.is_number() && (a.is_double() || b.is_double())) {
    const auto x = a.to_number<double>();
    const auto y = b.to_number<double>();
    return std::abs(x - y) <= 4 * std::numeric_limits<double>::epsilon() * std::abs(x);
  }
  if (a.kind() != b.kind()) return false;
  if (const auto* object = a.if_object()) return same_members(*object, b.get_object());
  if (const auto* array = a.if_array()) {
    const auto& other = b.get_array();
    return std::equal(array->begin(), array->end(), other.begin(), other.end(), same);
  }
  return a == b;
}

template <class Document>
void check(const boost::json::value& json) {
  const auto read = formats::from_json<Document>(json);
  if (read.has_error()) {
    require(!read.error().message.empty(), "an error has words");
    return;
  }
  const auto written = formats::to_json(*read);
  boost::system::error_code error;
  const auto parsed = boost::json::parse(formats::pretty_json(written), error);
  require(!error, "what is written is JSON");
  const auto again = formats::from_json<Document>(parsed);
  require(again.has_value(), "what is written can be read");
  require(same(formats::to_json(*again), written), "what is written is read back");
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
  fuzz::check<GpuSamplerAccount>(json);
  fuzz::check<RunnerAccount>(json);
  fuzz::check<ServerMetricsAccount>(json);
  fuzz::check<SimulatorAccount>(json);
  fuzz::check<WorkloadAccount>(json);
  return 0;
}
