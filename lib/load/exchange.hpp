#pragma once

#include "clock/run_clock.hpp"
#include "http/connection.hpp"
#include "load/completion_reader.hpp"
#include "load/request_writer.hpp"
#include "load/schedule.hpp"

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

namespace memprof::load {

/// Connections that wait for their next request.
class ConnectionPool {
 public:
  /// The one used last; none when all are gone or have been idle for more than 4 s (vLLM closes
  /// connections after 5 s without saying so, and a request sent just then is lost).
  std::shared_ptr<http::Connection> take();
  void put(std::shared_ptr<http::Connection> connection);

 private:
  struct Idle {
    std::shared_ptr<http::Connection> connection;
    clock::SinceBoot since;
  };
  std::vector<Idle> idle_;
};

/// One request under way: connection, bytes out, answer in, one row. Used again for the next
/// request when it has ended.
class Exchange final : http::Connection::Events {
 public:
  /// Who runs exchanges. A call may start this exchange anew.
  class Owner {
   public:
    virtual std::shared_ptr<http::Connection> open_connection(http::Connection::Events& events) = 0;
    /// The first byte is about to be given to the socket. Returns how many are in flight now.
    virtual std::int64_t sending() = 0;
    /// The row is complete. `sent`: sending() was called for it.
    virtual void ended(Exchange& exchange, bool sent) = 0;

   protected:
    ~Owner() = default;
  };

  Exchange(Owner& owner, ConnectionPool& pool, const clock::RunClock& clock,
           const RequestWriter& writer, Seconds connect_timeout, Seconds timeout);

  /// Its turn has come. `request` must stay until it has ended.
  void start(PreparedRequest& request, std::size_t batch);
  /// Looks at the deadlines; called some ten times a second.
  void watch(clock::SinceBoot now);
  /// Ends it now, as `error:cancelled`.
  void cancel(std::string_view why);

  [[nodiscard]] bool active() const { return request_ != nullptr; }
  /// After ended(): the row, valid until the next start().
  [[nodiscard]] const RequestTraceRow& row() const { return *row_; }
  /// Needed a new connection, or was repeated: its start lag is not the client's own.
  [[nodiscard]] bool connected_for_it() const { return connected_for_it_; }
  [[nodiscard]] bool repeated() const { return repeated_; }

 private:
  void on_connected() override { send(); }
  void on_read(std::string_view bytes) override;
  void on_end(bool orderly, const http::Failure& failure) override;

  void connect();
  void send();
  void complete(bool reusable);

  Owner& owner_;
  ConnectionPool& pool_;
  const clock::RunClock& clock_;
  const RequestWriter& writer_;
  Seconds connect_timeout_;
  Seconds timeout_;

  PreparedRequest* request_ = nullptr;
  RequestTraceRow* row_ = nullptr;
  RequestWriter::Bytes bytes_;
  CompletionReader reader_;
  std::shared_ptr<http::Connection> connection_;
  bool connecting_ = false;
  bool sent_ = false;
  bool connected_for_it_ = false;
  bool repeated_ = false;
  bool only_framing_left_ = false;  // at the last look
  clock::SinceBoot connect_deadline_{};
  clock::SinceBoot deadline_{};
  clock::SinceBoot sent_at_{};
};

}  // namespace memprof::load
