#include "backend_choice.hpp"

#include "formats/text.hpp"
#include "gpu/candidates.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include <poll.h>

using namespace memprof;

namespace {

using Probed = Result<std::vector<GpuInfo>>;

/// None: a signal came first.
std::optional<Probed> await_probe(gpu::Sensor& sensor, const cli::StopSignal& stop) {
  const auto patience = gpu::probe_patience();
  const auto deadline = clock::RunClock::since_boot() + patience;
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(
        deadline - clock::RunClock::since_boot());
    std::array<pollfd, 2> waits{{{stop.fd(), POLLIN, 0}, {sensor.fd(), POLLIN, 0}}};
    ::poll(waits.data(), waits.size(), static_cast<int>(std::max<std::int64_t>(left.count(), 0)));
    if (stop.number() != 0) return {};
    if (auto probed = sensor.probed()) return probed;
    if (left.count() <= 0) {
      return Error{ExitCode::environment,
                   fmt::format("no answer within {}",
                               formats::format_duration(
                                   std::chrono::duration<double>(patience).count()))};
    }
  }
}

std::unique_ptr<gpu::Sensor> start_sensor(gpu::Backend backend, const Options& options) {
  gpu::SourceSpec spec;
  spec.gpus = options.gpus;
  spec.interval = std::chrono::milliseconds(options.interval_ms);
  spec.sysfs_root = options.sysfs_root;
  spec.simulator = simulator_of(options);
  return std::make_unique<gpu::Sensor>([backend, spec](int interrupt_fd) mutable {
    spec.interrupt_fd = interrupt_fd;
    return gpu::make_source(backend, spec);
  });
}

std::string list_of(const std::vector<GpuInfo>& gpus) {
  std::string text;
  for (const auto& info : gpus) {
    if (!text.empty()) text += ", ";
    text += fmt::format("{} ({})", info.gpu_idx, info.name.value_or("no name"));
  }
  return text;
}

}  // namespace

std::optional<http::Url> simulator_of(const Options& options) {
  const bool chosen = options.backend == gpu::Backend::simulated;
  if (chosen != options.simulator_url.has_value()) {
    throw ToolError(ExitCode::usage,
                    chosen ? "--backend simulated needs --simulator-url, where the simulator is"
                           : "--simulator-url is for --backend simulated alone");
  }
  if (!chosen) return {};
  return http::parse_url(*options.simulator_url, "--simulator-url").value();
}

Chosen choose_backend(const Options& options, cli::Tool& tool, const cli::StopSignal& stop) {
  std::string rejected;
  for (const auto backend : gpu::candidates(options.backend)) {
    if (backend == gpu::Backend::none) return {};
    auto sensor = start_sensor(backend, options);
    auto probed = await_probe(*sensor, stop);
    if (!probed) return {};
    const auto name = formats::enum_name(backend);
    if (probed->has_value()) {
      if (!rejected.empty()) tool.note("not usable: " + rejected);
      return {backend, std::move(sensor), std::move(**probed)};
    }
    const std::string reason = fmt::format("{}: {}", name, probed->error().message);
    if (options.backend) throw ToolError(ExitCode::environment, "--backend " + reason);
    rejected += (rejected.empty() ? "" : "; ") + reason;
  }
  if (options.gpus) {
    throw ToolError(ExitCode::environment,
                    fmt::format("--gpus: there is no GPU here ({})", rejected));
  }
  tool.warn(fmt::format("no GPU can be read, so there are no rows ({})", rejected));
  return {};
}

std::vector<GpuInfo> chosen_gpus(const Options& options, const Chosen& chosen) {
  if (!options.gpus || !chosen.sensor) return chosen.gpus;
  std::vector<GpuInfo> infos;
  for (const auto index : *options.gpus) {
    const auto found = std::find_if(chosen.gpus.begin(), chosen.gpus.end(),
                                    [&](const GpuInfo& info) { return info.gpu_idx == index; });
    if (found == chosen.gpus.end()) {
      throw ToolError(ExitCode::environment,
                      fmt::format("--gpus: no GPU {}; there are: {}", index, list_of(chosen.gpus)));
    }
    infos.push_back(*found);
  }
  return infos;
}
