#include "server_probe.hpp"

#include "formats/text.hpp"
#include "gpu/simulated_gpus.hpp"
#include "http/exposure.hpp"
#include "http/fetch.hpp"
#include "http/redaction.hpp"
#include "http/this_host.hpp"
#include "load/model_list.hpp"
#include "metrics_step.hpp"
#include "server_processes.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <thread>

namespace memprof::profile {
namespace {

constexpr Seconds kAnswerTimeout = 15;  // a server short of CPU needs seconds for this
constexpr auto kBetweenTries = std::chrono::milliseconds(250);

using Models = std::vector<load::ModelInfo>;

struct Asker {
  const Options& options;
  const http::Url& url;
  const std::vector<http::Header>& headers;
  http::Redaction redaction{headers};

  /// A page beside /v1, where vLLM and most of its relatives have what is not OpenAI's. None: it is
  /// not there.
  [[nodiscard]] std::optional<std::string> ask_beside(std::string_view below) const {
    std::string root = url.path;
    if (root.ends_with("/v1")) root.resize(root.size() - 3);
    auto fetched = ask(root.append(below));
    auto* response = std::get_if<http::Response>(&fetched);
    if (response == nullptr || response->status != 200) return {};
    return std::move(response->body);
  }
  [[nodiscard]] http::Fetched ask(const std::string& target) const {
    auto request = http::request_for(options.target, url, headers, "");
    request.target = target;
    request.timeout = kAnswerTimeout;
    return http::fetch(request);
  }
};

/// Refused, or answered by a server (or a proxy before it) that says it is coming up.
bool not_yet(const http::Fetched& fetched) {
  if (const auto* failure = std::get_if<http::Failure>(&fetched)) {
    return failure->reason == "connect" || failure->reason == "disconnected";
  }
  return std::get<http::Response>(fetched).status == 503;
}

http::Fetched ask_until_ready(const Asker& asker, cli::Tool& tool) {
  const auto deadline = clock::RunClock::since_boot() +
                        std::chrono::nanoseconds(static_cast<std::int64_t>(
                            asker.options.ready_timeout * 1e9));
  bool told = false;
  for (;;) {
    auto fetched = asker.ask(asker.url.target("/models"));
    if (!not_yet(fetched) || clock::RunClock::since_boot() >= deadline) return fetched;
    if (!told) tool.note(fmt::format("waiting for {}", asker.url.to_string()));
    told = true;
    std::this_thread::sleep_for(kBetweenTries);
  }
}

[[noreturn]] void no_server(const http::Url& url, const std::string& reason,
                            const std::string& advice) {
  throw ToolError(ExitCode::environment,
                  fmt::format("--base-url: {}: {}; {}", url.to_string(), reason, advice));
}

/// The list, or none when the server has none that can be read.
std::optional<Models> read_models(const Asker& asker, const http::Fetched& fetched,
                                  cli::Tool& tool) {
  if (const auto* failure = std::get_if<http::Failure>(&fetched)) {
    no_server(asker.url, fmt::format("{} ({})", failure->detail, failure->reason),
              "is the server running? --ready-timeout waits for it");
  }
  const auto& response = std::get<http::Response>(fetched);
  if (response.status == 401 || response.status == 403) {
    no_server(asker.url, fmt::format("GET /models answered {}", response.status),
              asker.headers.empty() ? "give the key with --api-key-file or OPENAI_API_KEY"
                                    : "the key or header that was sent is not accepted");
  }
  if (response.status == 503) {
    no_server(asker.url, "GET /models answered 503", "--ready-timeout waits for the server");
  }
  auto models = response.status == 200 ? load::parse_model_list(response.body) : std::nullopt;
  if (models && load::drop_secret_names(*models, asker.redaction) > 0) {
    tool.warn("the server has a model whose name repeats what was sent as a secret: it is left out");
  }
  if (!models) {
    tool.warn(fmt::format("{}/models answered {}{}: model '{}' is sent as it is",
                          asker.url.to_string(), response.status,
                          response.status == 200 ? " without a list of models" : "",
                          asker.options.target.model));
  }
  return models;
}

/// A real vLLM's /version has no key `simulator`.
void read_version(const Asker& asker, Server& server) {
  ServerInfo& info = server.info;
  const auto body = asker.ask_beside("/version");
  if (!body) return;
  boost::system::error_code error;
  const auto document = boost::json::parse(*body, error);
  const auto* object = error ? nullptr : document.if_object();
  const auto text_of = [&](std::string_view key) -> std::optional<std::string> {
    const auto* value = object == nullptr ? nullptr : object->if_contains(key);
    if (value == nullptr || !value->is_string()) return {};
    return asker.redaction.apply(formats::one_line(std::string_view(value->get_string()), 100));
  };
  info.version = text_of("version");
  info.simulator = text_of("simulator");
  if (!info.simulator) return;
  const auto gpus = gpu::parse_simulated_gpus(asker.ask_beside("/simulator/gpus").value_or(""));
  if (gpus.has_error()) return;
  info.simulator_speed = gpus->speed;
  info.kv_bytes_per_token = gpus->kv_bytes_per_token;
}

void describe_model(const Models& models, Server& server, cli::Tool& tool) {
  const auto found = std::find_if(models.begin(), models.end(), [&](const load::ModelInfo& model) {
    return model.id == server.model;
  });
  if (found != models.end()) {
    server.info.max_model_len = found->max_model_len;
  } else if (!models.empty()) {
    tool.warn(fmt::format("--model: the server does not list '{}', but '{}'{}",
                          formats::one_line(server.model, 100),
                          formats::one_line(models.front().id, 100),
                          models.size() > 1 ? fmt::format(" and {} more", models.size() - 1) : ""));
  }
}

/// vLLM names itself as the owner of its models; behind a gateway its /version may still answer.
std::optional<bool> tell_vllm(const std::optional<Models>& models,
                              const std::optional<std::string>& version) {
  const bool owned = models && std::any_of(models->begin(), models->end(), [](const auto& model) {
    return model.owned_by == "vllm";
  });
  if (owned || version) return true;
  if (models) return false;
  return {};
}

/// Said before anything is sent.
void tell_exposure(const Options& options, const http::Url& url,
                   const std::vector<http::Header>& headers, ServerInfo& info, cli::Tool& tool) {
  std::vector<http::Url> urls{url};
  if (!options.metrics.off) urls.push_back(metrics_url(options, url));
  for (const auto& asked : urls) {
    info.insecure_tls = info.insecure_tls || (asked.tls && options.target.insecure);
    info.key_over_http = info.key_over_http || http::exposes_secrets(asked, headers);
    for (const auto& warning : http::exposures(asked, headers, options.target.insecure)) {
      if (!tool.has_warned(warning)) tool.warn(warning);
    }
  }
}

}  // namespace

http::Url parse_base_url(const Options& options) {
  return http::parse_url(options.target.base_url).value();
}

Server ask_server(const Options& options, const http::Url& url,
                  const std::vector<http::Header>& headers, cli::Tool& tool) {
  Server server{url, options.target.model, {}};
  tell_exposure(options, url, headers, server.info, tool);
  const Asker asker{options, url, headers};
  const auto models = read_models(asker, ask_until_ready(asker, tool), tool);
  if (models) {
    server.model = load::choose_model(options.target.model, *models).value();
    describe_model(*models, server, tool);
  }
  read_version(asker, server);
  server.info.model = server.model;
  server.info.is_vllm = tell_vllm(models, server.info.version);
  server.info.is_local = http::is_this_host(url.host);
  if (*server.info.is_local) server.info.pids = processes_behind_port(url.port);
  return server;
}

}  // namespace memprof::profile
