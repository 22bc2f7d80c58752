#include "load/exchange.hpp"

#include <fmt/format.h>

#include <utility>

namespace memprof::load {
namespace {

constexpr std::chrono::seconds kLongestIdle{4};
/// A kept connection that dies this soon was dead before: the request is worth repeating.
constexpr std::chrono::seconds kStaleWithin{1};

std::chrono::nanoseconds to_duration(Seconds seconds) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
      std::chrono::duration<double>(seconds));
}

}  // namespace

std::shared_ptr<http::Connection> ConnectionPool::take() {
  const auto now = clock::RunClock::since_boot();
  while (!idle_.empty()) {
    Idle last = std::move(idle_.back());
    idle_.pop_back();
    if (last.connection->alive() && now - last.since <= kLongestIdle) {
      return std::move(last.connection);
    }
    last.connection->close();
  }
  return nullptr;
}

void ConnectionPool::put(std::shared_ptr<http::Connection> connection) {
  connection->set_events(nullptr);
  idle_.push_back({std::move(connection), clock::RunClock::since_boot()});
}

Exchange::Exchange(Owner& owner, ConnectionPool& pool, const clock::RunClock& clock,
                   const RequestWriter& writer, Seconds connect_timeout, Seconds timeout)
    : owner_(owner),
      pool_(pool),
      clock_(clock),
      writer_(writer),
      connect_timeout_(connect_timeout),
      timeout_(timeout) {}

void Exchange::start(PreparedRequest& request, std::size_t batch) {
  request_ = &request;
  row_ = &request.row;
  const auto now = clock::RunClock::since_boot();
  row_->scheduled_ts = clock_.at(now);
  deadline_ = now + to_duration(timeout_);
  sent_ = repeated_ = connected_for_it_ = connecting_ = only_framing_left_ = false;
  reader_.reset();
  bytes_ = writer_.write(request, batch);
  connection_ = pool_.take();
  if (!connection_) return connect();
  connection_->set_events(this);
  send();
}

void Exchange::connect() {
  connecting_ = true;
  connected_for_it_ = true;
  connect_deadline_ = clock::RunClock::since_boot() + to_duration(connect_timeout_);
  connection_ = owner_.open_connection(*this);
}

void Exchange::send() {
  connecting_ = false;
  if (!sent_) row_->in_flight_at_start = owner_.sending();
  sent_ = true;
  sent_at_ = clock::RunClock::since_boot();
  row_->start_ts = clock_.at(sent_at_);
  connection_->send(bytes_.pieces(request_->prompt_json));
}

void Exchange::on_read(std::string_view bytes) {
  if (reader_.feed(bytes, clock_.now())) complete(reader_.can_reuse());
}

void Exchange::on_end(bool orderly, const http::Failure& failure) {
  if (connecting_) {
    reader_.abandon(failure.reason, failure.detail);
    return complete(false);
  }
  const bool reused = !connected_for_it_;
  if (reused && !reader_.started() &&
      clock::RunClock::since_boot() - sent_at_ <= kStaleWithin) {
    repeated_ = true;
    return connect();
  }
  reader_.finish(orderly, failure);
  complete(false);
}

void Exchange::watch(clock::SinceBoot now) {
  if (!active()) return;
  if (reader_.done()) {
    // The answer is whole, only the end of its framing is missing. It comes at once, often in a
    // piece of its own, and saves the connection; from one look to the next is all that it gets.
    if (!std::exchange(only_framing_left_, true)) return;
    reader_.abandon("timeout", "");
  } else if (now >= deadline_) {
    reader_.abandon("timeout", fmt::format("no whole answer after {} s", timeout_));
  } else if (connecting_ && now >= connect_deadline_) {
    reader_.abandon("connect", fmt::format("not connected after {} s", connect_timeout_));
  } else {
    return;
  }
  complete(false);
}

void Exchange::cancel(std::string_view why) {
  if (!active()) return;
  reader_.abandon("cancelled", why);
  complete(false);
}

void Exchange::complete(bool reusable) {
  const Answer& answer = reader_.answer();
  row_->end_ts = answer.end_ts ? answer.end_ts : std::optional(clock_.now());
  row_->status = answer.status;
  row_->error_detail = answer.detail;
  row_->prompt_tokens = answer.usage.prompt_tokens;
  row_->completion_tokens = answer.usage.completion_tokens;
  row_->cached_tokens = answer.usage.cached_tokens;
  row_->first_token_ts = answer.first_token_ts;
  if (answer.http_status) row_->http_status = *answer.http_status;
  if (reusable && connection_->sent() && connection_->alive()) {
    pool_.put(std::move(connection_));
  } else if (connection_) {
    connection_->close();
  }
  connection_.reset();
  request_ = nullptr;
  owner_.ended(*this, sent_);
}

}  // namespace memprof::load
