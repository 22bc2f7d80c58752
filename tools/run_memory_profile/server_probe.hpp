#pragma once

#include "cli/run_tool.hpp"
#include "http/credentials.hpp"
#include "http/url.hpp"
#include "options.hpp"
#include "records/manifest.hpp"

#include <optional>
#include <string>
#include <vector>

namespace memprof::profile {

/// The server as it is asked before anything is started.
struct Server {
  http::Url url;
  std::string model;  ///< as to be sent
  ServerInfo info;
  bool has_metrics = false;  ///< /metrics has series that are known
};

/// Reads URL and credentials; nothing is asked. Throws a ToolError (usage, or environment when a
/// file cannot be read).
http::Url parse_base_url(const Options& options);

/// Asks /v1/models, waiting for it up to --ready-timeout, and /version. Throws a ToolError: no
/// server there, or it lets us not in (environment); several models for `default` (usage). What a
/// run can do without is a warning.
Server ask_server(const Options& options, const http::Url& url,
                  const std::vector<http::Header>& headers, cli::Tool& tool);

}  // namespace memprof::profile
