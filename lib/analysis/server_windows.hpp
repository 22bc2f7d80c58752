#pragma once

#include "analysis/run_traces.hpp"
#include "records/summary.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace memprof::analysis {

/// All engines in one scrape.
struct ServerScrape {
  Timestamp timestamp;  ///< when the answer had come back
  Timestamp asked;
  double usage_sum_pct = 0;
  std::int64_t engines = 0;  ///< that usage_sum_pct is of
  std::optional<Percent> usage_peak_pct;  ///< of the fullest engine
  std::optional<Tokens> tokens_used;      ///< sum
  std::optional<std::int64_t> running;    ///< sum
  std::optional<std::int64_t> waiting;    ///< sum
  /// How much each counter, in the order of CounterTotals, has grown since the first scrape, all
  /// engines together. After a reset a counter's value is all growth.
  std::array<std::int64_t, 5> grown{};
};

/// When a part of the load ran.
struct PartTime {
  Timestamp first_start;
  Timestamp last_end;
};

/// The server's metrics, over the whole run and any part of it.
class ServerWindows {
 public:
  explicit ServerWindows(const RunTraces& traces);

  [[nodiscard]] const std::vector<ServerScrape>& scrapes() const { return scrapes_; }
  /// Scrapes in which an engine's counter had fallen.
  [[nodiscard]] std::int64_t resets() const { return resets_; }
  /// The last scrape that came back by `time`; none: there is none.
  [[nodiscard]] const ServerScrape* last_by(Timestamp time) const;
  /// The first scrape that came back at `time` or later; none: there is none.
  [[nodiscard]] const ServerScrape* first_from(Timestamp time) const;
  /// A counter that no engine has is none.
  [[nodiscard]] CounterTotals growth(const ServerScrape& begin, const ServerScrape& end) const;

  /// Gauges of the scrapes in the part's time, without counters.
  [[nodiscard]] KvWindow gauges(const PartTime& part) const;
  /// What each of some parts of a load did to the server. The window of a part that overlaps
  /// another is empty: nobody can tell whose memory it was. Counters are those from the last scrape
  /// before it to the last one before the next part; none when no scrape stands between two parts.
  [[nodiscard]] std::vector<KvWindow> attribute(const std::vector<PartTime>& parts) const;

 private:
  void add_engine(const EngineSeries& series);
  [[nodiscard]] std::size_t first_after(Timestamp time) const;

  std::vector<ServerScrape> scrapes_;
  std::array<bool, 5> known_{};  ///< counters that some engine has
  std::int64_t resets_ = 0;
};

/// Sets the counters of `window`.
void set_counters(const CounterTotals& growth, KvWindow& window);

}  // namespace memprof::analysis
