#pragma once

#include <string>

namespace memprof::http {

/// No usable answer. `reason` is a status of request_trace.csv without `error:` (connect, dns, tls,
/// timeout, disconnected, bad_response, too_large); `detail` says why, in one line.
struct Failure {
  std::string reason;
  std::string detail;
};

}  // namespace memprof::http
