#include "load/replay.hpp"

#include "records/error.hpp"
#include "records/nearest_rank.hpp"

#include <fmt/format.h>

#include <sys/resource.h>

namespace memprof::load {
namespace {

/// One timer looks at all deadlines: a timer per request costs more than the request.
constexpr std::chrono::milliseconds kWatchInterval{100};

Seconds to_seconds(std::chrono::nanoseconds duration) {
  return std::chrono::duration<double>(duration).count();
}

}  // namespace

Replay::Replay(boost::asio::io_context& io, const clock::RunClock& clock, Settings settings,
               std::vector<PreparedRequest>& workload, OnRow on_row, OnProgress on_progress)
    : io_(io),
      clock_(clock),
      settings_(std::move(settings)),
      redaction_(settings_.headers, settings_.salt),
      workload_(workload),
      on_row_(std::move(on_row)),
      on_progress_(std::move(on_progress)),
      writer_(settings_.target, settings_.replay, settings_.url, settings_.headers,
              settings_.model, settings_.salt),
      connector_(io, settings_.url, settings_.target.ca_file, settings_.target.insecure),
      batches_(make_batches(workload, settings_.replay.schedule)),
      watchdog_(io),
      pause_(io) {}

void Replay::run() {
  if (batches_.empty()) return;
  begun_ = clock::RunClock::since_boot();
  start_batch();
  watch();
  io_.run();
  account_.load_s = to_seconds(clock::RunClock::since_boot() - begun_);
  // What comes after the load may need their descriptors.
  while (const auto idle = pool_.take()) idle->close();
}

void Replay::start_batch() {
  busy_ = true;
  counts_.concurrency = batches_[batch_].concurrency;
  busy_since_ = clock::RunClock::since_boot();
  busy_cpu_since_ = clock::process_cpu_seconds();
  fill();
}

void Replay::end_batch() {
  busy_ = false;
  account_.busy_s += to_seconds(clock::RunClock::since_boot() - busy_since_);
  account_.busy_cpu_s += clock::process_cpu_seconds() - busy_cpu_since_;
  if (cancelled_ || ++batch_ == batches_.size()) return io_.stop();
  next_ = 0;
  pause_.expires_after(std::chrono::duration_cast<std::chrono::nanoseconds>(
      std::chrono::duration<double>(settings_.replay.group_pause_s)));
  pause_.async_wait([this](auto error) {
    if (!error && !cancelled_) start_batch();
  });
}

void Replay::fill() {
  const auto& batch = batches_[batch_];
  while (!cancelled_ && active_ < batch.concurrency && next_ < batch.requests.size()) {
    if (free_.empty()) {
      Exchange::Owner& owner = *this;
      exchanges_.push_back(std::make_unique<Exchange>(owner, pool_, clock_, writer_,
                                                      settings_.target.connect_timeout,
                                                      settings_.replay.timeout));
      free_.push_back(exchanges_.back().get());
    }
    Exchange* exchange = free_.back();
    free_.pop_back();
    ++active_;
    exchange->start(workload_[batch.requests[next_++]], batch_);
  }
  if (busy_ && active_ == 0) end_batch();
}

std::shared_ptr<http::Connection> Replay::open_connection(http::Connection::Events& events) {
  ++account_.connections_opened;
  return connector_.open(events);
}

std::int64_t Replay::sending() { return ++counts_.in_flight; }

void Replay::ended(Exchange& exchange, bool sent) {
  --active_;
  if (sent) --counts_.in_flight;
  if (exchange.repeated()) ++account_.repeats;
  const auto& row = exchange.row();
  if (sent && !exchange.connected_for_it()) {
    start_lags_.push_back(*row.start_ts - *row.scheduled_ts);
  }
  write_row(row);
  free_.push_back(&exchange);
  fill();
}

void Replay::write_row(const RequestTraceRow& row) {
  ++counts_.done;
  ++(row.ok() ? account_.ok : account_.failed);
  counts_.failed = account_.failed;
  if (row.error_detail.empty()) return on_row_(row);
  RequestTraceRow clean = row;
  clean.error_detail = redaction_.apply(row.error_detail);
  on_row_(clean);
}

void Replay::watch() {
  watchdog_.expires_after(kWatchInterval);
  watchdog_.async_wait([this](auto error) {
    if (error) return;
    const auto now = clock::RunClock::since_boot();
    // An ended exchange may be started again, and new ones added, while this goes on.
    for (std::size_t i = 0; i < exchanges_.size(); ++i) exchanges_[i]->watch(now);
    on_progress_(counts_);
    watch();
  });
}

void Replay::cancel(const std::string& why) {
  if (cancelled_) return;
  cancelled_ = true;
  for (auto& exchange : exchanges_) exchange->cancel(why);
  const auto now = clock_.now();
  for (; batch_ < batches_.size(); ++batch_, next_ = 0) {
    const auto& requests = batches_[batch_].requests;
    for (; next_ < requests.size(); ++next_) {
      auto& row = workload_[requests[next_]].row;
      row.status = "error:cancelled";
      row.error_detail = why;
      row.end_ts = now;
      write_row(row);
    }
  }
  io_.stop();
}

RunnerAccount Replay::account() const {
  RunnerAccount account = account_;
  account.start_lag_count = static_cast<std::int64_t>(start_lags_.size());
  account.start_lag_p50_ms = nearest_rank_ms(start_lags_, 50);
  account.start_lag_p99_ms = nearest_rank_ms(start_lags_, 99);
  return account;
}

void ensure_descriptors(std::int64_t concurrency) {
  const auto needed = static_cast<rlim_t>(concurrency + 64);
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_cur >= needed) return;
  if (limit.rlim_max < needed) {
    throw ToolError(ExitCode::environment,
                    fmt::format("{} connections need {} open files, the limit is {}: raise "
                                "`ulimit -n`",
                                concurrency, needed, limit.rlim_max));
  }
  limit.rlim_cur = needed;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace memprof::load
