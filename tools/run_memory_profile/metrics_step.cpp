#include "metrics_step.hpp"

#include "cli/option_groups.hpp"
#include "files/document.hpp"
#include "formats/startup_log.hpp"
#include "http/fetch.hpp"
#include "records/server_metrics.hpp"
#include "server_metrics/scrape.hpp"

#include <fmt/format.h>

namespace memprof::profile {
namespace {

constexpr Seconds kAnswerTimeout = 15;

std::vector<std::string> sampler_arguments(const RunContext& run) {
  cli::CommonOptions unused;
  TargetSpec target = run.options.target;
  cli::OptionTable table("server_metrics_sampler", "", unused);
  cli::add_access_options(table, target);
  cli::add_connection_options(table, target);
  auto arguments = table.arguments();
  const auto url = metrics_url(run.options, run.server.url);
  arguments.push_back("--metrics-url=" + url.to_string());
  arguments.push_back(fmt::format("--interval-ms={}", run.options.metrics.interval_ms));
  arguments.push_back("--output=" + run.folder.file("server_metrics_trace.csv"));
  return arguments;
}

}  // namespace

http::Url metrics_url(const Options& options, const http::Url& base_url) {
  if (options.metrics.url) return http::parse_url(*options.metrics.url, "--metrics-url").value();
  http::Url url = base_url;
  if (url.path.ends_with("/v1")) url.path.resize(url.path.size() - 3);
  url.path += "/metrics";
  return url;
}

bool has_known_metrics(const Options& options, const http::Url& base_url,
                       const std::vector<http::Header>& headers, cli::Tool& tool) {
  if (options.metrics.off) return false;
  const auto url = metrics_url(options, base_url);
  auto request = http::request_for(options.target, url, headers, "");
  request.timeout = kAnswerTimeout;
  const auto fetched = http::fetch(request);
  std::string why;
  if (const auto* failure = std::get_if<http::Failure>(&fetched)) {
    why = failure->detail;
  } else {
    const auto& response = std::get<http::Response>(fetched);
    server_metrics::ScrapeReader reader;
    reader.feed(response.body);
    if (response.status == 200 && !reader.finish().empty()) return true;
    why = response.status == 200 ? "none of its series is known"
                                 : fmt::format("HTTP status {}", response.status);
  }
  tool.note(fmt::format("no server metrics from {} ({}); the load runs all the same",
                        url.to_string(), why));
  return false;
}

StartupMemory read_server_log(const std::string& path) {
  formats::StartupLogReader reader;
  files::read_in_pieces(path, files::Source::any, [&](std::string_view bytes) {
    reader.feed(bytes);
  }).value();
  auto memory = reader.finish();
  if (formats::is_empty(memory)) {
    throw ToolError(ExitCode::usage,
                    fmt::format("--server-log: {}: no memory line of a vLLM start-up in it; give "
                                "the log from the server's start on",
                                path));
  }
  return memory;
}

MetricsStep::MetricsStep(RunContext& run)
    : SamplerStep(run, "server_metrics_sampler", sampler_arguments(run), "server metrics") {}

void MetricsStep::take_account() {
  const auto account =
      files::read_json<ServerMetricsAccount>(run_.folder.stats("server_metrics_sampler"));
  if (!account.has_value()) return;
  child_.pass_on(account->process.warnings, run_.tool);
  child_.set_rows(account->process.rows);
  run_.manifest.samplers.server_metrics_sampler = ServerSamplerRecord{
      account->url,      account->filtered,       account->ticks,
      account->process.wall_clock_shift_ms, account->restarts, account->failed_scrapes};
  if (!account->engines.empty() && !account->engines.front().cache_config.empty()) {
    run_.manifest.server.cache_config = account->engines.front().cache_config;
  }
}

}  // namespace memprof::profile
