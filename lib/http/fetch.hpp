#pragma once

#include "http/credentials.hpp"
#include "http/failure.hpp"
#include "http/url.hpp"
#include "records/target.hpp"
#include "records/units.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace memprof::http {

/// One question to a server, for set-up work (models, tokenize, version); the load has its own
/// path.
struct FetchRequest {
  std::string method = "GET";
  Url url;
  std::string target;  ///< path and query, e.g. `url.target("/models")`
  std::vector<Header> headers;
  std::string body;    ///< sent as application/json when not empty
  Seconds connect_timeout = 10;
  Seconds timeout = 30;
  std::size_t max_body_bytes = 16u << 20;
  std::optional<std::string> ca_file;
  bool insecure = false;
  int stop_fd = -1;  ///< gives up (`cancelled`) when it becomes readable; -1: none
};

struct Response {
  int status = 0;
  std::string content_type;
  std::string body;
};

using Fetched = std::variant<Response, Failure>;

/// Blocks, at most `timeout` seconds. Any status is a Response; redirects are not followed.
Fetched fetch(const FetchRequest& request);

/// A request to `below` the target's base URL with its headers, TLS settings and connect timeout.
FetchRequest request_for(const TargetSpec& target, const Url& url,
                         const std::vector<Header>& headers, std::string_view below);

}  // namespace memprof::http
