#pragma once

#include "sampler_step.hpp"

#include <optional>
#include <vector>

namespace memprof::profile {

/// Where the server's /metrics is: --metrics-url, else beside the base URL's /v1. Throws a
/// ToolError (usage).
http::Url metrics_url(const Options& options, const http::Url& base_url);

/// Whether anything there is known: one question, at most 15 s. A note says why not.
bool has_known_metrics(const Options& options, const http::Url& base_url,
                       const std::vector<http::Header>& headers, cli::Tool& tool);

/// The memory lines of a server's log. A log without any is a ToolError (usage).
StartupMemory read_server_log(const std::string& path);

/// server_metrics_sampler over a run; only for servers with known metrics.
class MetricsStep final : public SamplerStep {
 public:
  explicit MetricsStep(RunContext& run);

 private:
  void take_account() override;
};

}  // namespace memprof::profile
