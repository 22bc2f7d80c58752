#pragma once

#include "records/server_metrics.hpp"
#include "server_metrics/capacity.hpp"
#include "server_metrics/scrape.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace memprof::server_metrics {

/// What the scrapes of one server, in order, add up to: a row per engine and scrape, and what
/// cannot be seen in a single one.
class History {
 public:
  /// The rows of one scrape; valid until the next call. `scrape` must not be empty().
  std::span<const ServerMetricsRow> take(const Scrape& scrape, Timestamp came_back,
                                         Milliseconds scrape_ms);
  /// The latest scrape is of another process than the one before it: its start time has changed, or
  /// a counter has fallen.
  [[nodiscard]] bool just_restarted() const { return just_restarted_; }
  /// Engines, restarts, scrapes, broken lines, the largest scrape_ms.
  void fill(ServerMetricsAccount& account) const;

 private:
  struct Engine {
    ServerEngine told;
    Capacity capacity;
  };

  Engine& engine(const EngineReading& reading, std::size_t engines);
  void note_counters(ServerEngine& engine, const EngineReading& reading,
                     const ServerMetricsRow& row);

  std::vector<Engine> engines_;
  std::vector<ServerMetricsRow> rows_;
  std::optional<double> process_start_s_;
  bool just_restarted_ = false;
  std::int64_t restarts_ = 0;
  std::int64_t scrapes_ = 0;
  std::int64_t broken_lines_ = 0;
  std::optional<Milliseconds> largest_scrape_ms_;
};

}  // namespace memprof::server_metrics
