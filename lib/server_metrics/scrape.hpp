#pragma once

#include "formats/prometheus.hpp"
#include "server_metrics/families.hpp"

#include <boost/json/object.hpp>

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace memprof::server_metrics {

/// What one answer says of one engine.
struct EngineReading {
  std::string engine;    ///< `0` where no series names one
  bool labelled = false;  ///< its series name it: vLLM V1
  std::array<std::optional<double>, kQuantities> values;
  std::array<std::size_t, kQuantities> family{};  ///< which one each value is of
  boost::json::object cache_config;  ///< empty: not told

  [[nodiscard]] std::optional<double> value(Quantity quantity) const {
    return values[index_of(quantity)];
  }
};

/// What one answer of /metrics says. An engine's series over several processes (label `pid`:
/// several API servers before vLLM 0.12) are one: counters are summed, of gauges the largest
/// counts, since each process keeps the last value that it was told.
struct Scrape {
  std::vector<EngineReading> engines;  ///< in order of their names, numbers by value
  std::optional<double> process_start_s;
  bool by_process = false;  ///< series carry a label `pid`
  std::int64_t broken_lines = 0;

  /// None of a known server's series.
  [[nodiscard]] bool empty() const { return engines.empty(); }
};

/// `part` has every engine with every quantity that `whole` has.
bool covers(const Scrape& part, const Scrape& whole);
/// `later` covers `earlier` and can have come from the same server after it: no counter has fallen,
/// the start time is the same.
bool continues(const Scrape& later, const Scrape& earlier);

/// Reads an answer's body as it comes.
class ScrapeReader final : formats::PrometheusScanner::Sink {
 public:
  /// `clean` takes out of a server's words what must not get into files.
  using Clean = std::function<std::string(std::string_view)>;
  explicit ScrapeReader(Clean clean = {}) : clean_(std::move(clean)), scanner_(*this) {}

  void reset();
  void feed(std::string_view bytes) { scanner_.feed(bytes); }
  /// The body has ended.
  const Scrape& finish();

 private:
  bool wants(std::string_view name) override;
  void on_sample(const formats::PrometheusSample& sample) override;
  void clean_words();
  EngineReading& engine(std::optional<std::string_view> name);

  Clean clean_;
  formats::PrometheusScanner scanner_;
  std::size_t family_ = 0;  // of the line under way
  boost::json::object common_config_;  // without an engine: of all
  Scrape scrape_;
};

}  // namespace memprof::server_metrics
