#pragma once

#include "records/units.hpp"
#include "records/workload.hpp"

#include <boost/describe.hpp>

#include <cstdint>
#include <optional>
#include <string>

namespace memprof {

/// A row of request_trace.csv: what one request did. The first nine columns are the original
/// scripts' and stay for ever.
struct RequestTraceRow {
  std::string req_id;
  Tokens input_len = 0;
  Tokens output_len = 0;
  std::int64_t concurrency_group = 0;
  std::optional<Timestamp> start_ts;  ///< first byte given to the socket; none if none was
  std::optional<Timestamp> end_ts;    ///< last byte of the answer, or the failure
  std::string status;                 ///< `ok` or `error:<reason>` (docs/formats.md)
  std::optional<Tokens> prompt_tokens;      ///< the server's `usage`, never counted here
  std::optional<Tokens> completion_tokens;  ///< the server's `usage`, never counted here
  std::optional<PrefixMode> prefix_mode;
  std::optional<std::int64_t> rep;
  std::optional<Timestamp> scheduled_ts;    ///< when its turn came; none if it never did
  std::optional<Timestamp> first_token_ts;  ///< first event with text; none when not streamed
  std::optional<Tokens> cached_tokens;
  std::optional<std::int64_t> http_status;
  std::optional<std::int64_t> in_flight_at_start;  ///< including this one
  std::string error_detail;  ///< one line, valid UTF-8, <= 300 characters, no secret

  [[nodiscard]] bool ok() const { return status == "ok"; }
};
BOOST_DESCRIBE_STRUCT(RequestTraceRow, (),
                      (req_id, input_len, output_len, concurrency_group, start_ts, end_ts, status,
                       prompt_tokens, completion_tokens, prefix_mode, rep, scheduled_ts,
                       first_token_ts, cached_tokens, http_status, in_flight_at_start,
                       error_detail))

}  // namespace memprof
