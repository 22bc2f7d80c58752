#include "formats/iso8601.hpp"
#include "formats/number.hpp"
#include "formats/text.hpp"
#include "report/html.hpp"
#include "report/sections.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>

namespace memprof::report {
namespace {

constexpr std::size_t kMostRows = 80;
constexpr auto kUnknown = "not known";

template <class T>
std::string known(const std::optional<T>& value) {
  if (!value) return kUnknown;
  if constexpr (std::is_same_v<T, bool>) {
    return *value ? "yes" : "no";
  } else if constexpr (std::is_same_v<T, double>) {
    return formats::format_number(*value);
  } else {
    return fmt::format("{}", *value);
  }
}

std::string plain(const boost::json::value& value) {
  return value.is_string() ? std::string(value.get_string()) : boost::json::serialize(value);
}

std::string server_table(const Summary& summary, const Manifest& manifest) {
  const auto& server = manifest.server;
  Table table("The run, its server and the machine of the tools", {{"what"}, {"value"}});
  table.add({"run", manifest.run_id});
  const bool is_timed = manifest.timestamp != Timestamp{};
  table.add({"started", is_timed ? formats::format_timestamp(manifest.timestamp) : kUnknown});
  table.add({"tag", manifest.tag.value_or("none")});
  table.add({"server", manifest.config.base_url.empty() ? kUnknown : manifest.config.base_url});
  table.add({"model", known(server.model)});
  table.add({"server version", known(server.version)});
  if (server.simulator) table.add({"simulator", *server.simulator});
  if (server.simulator_speed) table.add({"simulator speed", known(server.simulator_speed)});
  table.add({"longest context, tokens", known(server.max_model_len)});
  if (summary.server_metrics) {
    table.add({"engines", fmt::to_string(summary.server_metrics->engines)});
    table.add({"prefix caching", known(summary.server_metrics->prefix_caching)});
  }
  const auto& host = manifest.host;
  table.add({"machine of the tools", known(host.hostname)});
  table.add({"its system", known(host.os) + ", " + known(host.kernel)});
  table.add({"its CPU", fmt::format("{}, {} cores", known(host.cpu_model), known(host.cpu_count))});
  return table.html();
}

std::string key_value_table(std::string_view title, std::string_view key,
                            const boost::json::object& values) {
  if (values.empty()) return "";
  Table table(title, {{std::string(key)}, {"value"}});
  std::size_t shown = 0;
  for (const auto& [name, value] : values) {
    if (++shown > kMostRows) break;
    table.add({std::string(name), plain(value)});
  }
  return folded(title, table.html());
}

std::string cache_table(const ServerInfo& server) {
  if (!server.cache_config || !server.cache_config->is_object()) return "";
  return key_value_table("The server's cache configuration", "setting",
                         server.cache_config->get_object());
}

std::string gpu_table(const Manifest& manifest) {
  if (manifest.gpus.empty()) return "";
  Table table("GPUs", {{"GPU"}, {"name"}, {"UUID"}, {"PCI"}, {"driver"}, {"memory", true},
                       {"reserved", true}});
  for (std::size_t i = 0; i < std::min(kMostRows, manifest.gpus.size()); ++i) {
    const auto& gpu = manifest.gpus[i];
    table.add({fmt::to_string(gpu.gpu_idx), known(gpu.name), known(gpu.uuid),
               known(gpu.pci_bus_id), known(gpu.driver_version), mib_cell(gpu.total_mib),
               mib_cell(gpu.reserved_mib)});
  }
  return table.html();
}

void add_ticks(Table& table, std::string_view name, const TickAccount& ticks) {
  table.add({std::string(name), fmt::format("{:.0f} ms", ticks.interval_ms),
             fmt::to_string(ticks.due), fmt::to_string(ticks.taken), fmt::to_string(ticks.missed),
             cell(ticks.lateness_p99_ms, "ms")});
}

std::string sampler_table(const Manifest& manifest) {
  Table table("How often the samplers looked", {{"sampler"}, {"interval", true}, {"due", true},
                                       {"taken", true}, {"missed", true},
                                       {"late by at most (99 %)", true}});
  const auto& gpu = manifest.samplers.gpu_mem_sampler;
  const auto& server = manifest.samplers.server_metrics_sampler;
  if (gpu && gpu->backend != "none") {
    add_ticks(table, "device memory, by " + gpu->backend, gpu->ticks);
  }
  if (server) add_ticks(table, "server's metrics", server->ticks);
  return table.empty() ? "" : table.html();
}

std::string file_table(const Manifest& manifest) {
  if (manifest.file_checks.empty()) {
    return paragraph("File checks: in manifest.json, once the run has ended.");
  }
  Table table("Files of the run", {{"file"}, {"bytes", true}, {"SHA-256"}});
  std::size_t shown = 0;
  for (const auto& [name, check] : manifest.file_checks) {
    if (++shown > kMostRows) break;
    table.add({name, fmt::to_string(check.bytes), check.sha256.value_or("not computed")});
  }
  return folded("Files and their checksums", table.html());
}

std::string child_table(const Manifest& manifest) {
  if (manifest.children.empty()) return "";
  Table table("Tools that the run started", {{"tool"}, {"exit code", true}, {"signal", true},
                                             {"rows", true}, {"ended as told"}});
  for (std::size_t i = 0; i < std::min(kMostRows, manifest.children.size()); ++i) {
    const auto& child = manifest.children[i];
    table.add({child.name, cell(child.exit_code), cell(child.signal), cell(child.rows),
               child.ended_as_told ? "yes" : "no"});
  }
  return folded("Tools", table.html());
}

}  // namespace

std::string provenance_section(const Summary& summary, const Manifest& manifest) {
  return section("provenance", "How it was obtained",
                 server_table(summary, manifest) + gpu_table(manifest) + sampler_table(manifest) +
                     cache_table(manifest.server) +
                     key_value_table("Options with their values in this run", "option",
                                     manifest.options) +
                     child_table(manifest) + file_table(manifest));
}

}  // namespace memprof::report
