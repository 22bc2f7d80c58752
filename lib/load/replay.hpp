#pragma once

#include "clock/run_clock.hpp"
#include "http/credentials.hpp"
#include "http/redaction.hpp"
#include "load/exchange.hpp"
#include "load/schedule.hpp"
#include "records/account.hpp"
#include "records/target.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace memprof::load {

/// How a replay stands.
struct ReplayCounts {
  std::int64_t done = 0;  ///< rows written, failed ones included
  std::int64_t failed = 0;
  std::int64_t in_flight = 0;
  std::int64_t concurrency = 0;  ///< of the batch that runs
};

/// Sends a workload: batch by batch, at most the batch's concurrency in flight, one row per request
/// as it ends, whatever happens. A failed request never disturbs another.
class Replay final : Exchange::Owner {
 public:
  struct Settings {
    TargetSpec target;
    ReplaySpec replay;
    http::Url url;
    std::vector<http::Header> headers;
    std::string model;  ///< as sent
    std::string salt;   ///< text that no other run has
  };
  using OnRow = std::function<void(const RequestTraceRow&)>;
  using OnProgress = std::function<void(const ReplayCounts&)>;

  /// `workload` must outlive it. `on_progress` is called some ten times a second.
  Replay(boost::asio::io_context& io, const clock::RunClock& clock, Settings settings,
         std::vector<PreparedRequest>& workload, OnRow on_row, OnProgress on_progress);

  /// Returns when every request has its row. What OnRow throws ends it.
  void run();
  /// Ends what is in flight and what was never sent as `error:cancelled`; run() then returns.
  void cancel(const std::string& why);

  /// The load's part of the account; `process`, `model` and `requests` are the caller's.
  [[nodiscard]] RunnerAccount account() const;

 private:
  std::shared_ptr<http::Connection> open_connection(http::Connection::Events& events) override;
  std::int64_t sending() override;
  void ended(Exchange& exchange, bool sent) override;

  void start_batch();
  void end_batch();
  void fill();
  void watch();
  void write_row(const RequestTraceRow& row);

  boost::asio::io_context& io_;
  const clock::RunClock& clock_;
  Settings settings_;
  http::Redaction redaction_;
  std::vector<PreparedRequest>& workload_;
  OnRow on_row_;
  OnProgress on_progress_;
  RequestWriter writer_;
  http::Connector connector_;
  ConnectionPool pool_;
  std::vector<Batch> batches_;
  std::size_t batch_ = 0;
  std::size_t next_ = 0;  // in the batch
  std::int64_t active_ = 0;
  bool busy_ = false;
  bool cancelled_ = false;
  std::vector<std::unique_ptr<Exchange>> exchanges_;
  std::vector<Exchange*> free_;
  boost::asio::steady_timer watchdog_;
  boost::asio::steady_timer pause_;
  ReplayCounts counts_;
  RunnerAccount account_;
  std::vector<std::chrono::microseconds> start_lags_;
  clock::SinceBoot begun_{};
  clock::SinceBoot busy_since_{};
  Seconds busy_cpu_since_ = 0;
};

/// Raises the soft limit of open files to what `concurrency` connections need. Throws a ToolError
/// (environment) that names `ulimit -n` when the hard limit is lower.
void ensure_descriptors(std::int64_t concurrency);

}  // namespace memprof::load
