#include "gpu/simulated_source.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>

namespace memprof::gpu {
namespace {

constexpr Seconds kAnswerTimeout = 2;

http::FetchRequest request_to(const SourceSpec& spec) {
  http::FetchRequest request;
  request.url = spec.simulator.value();
  auto& path = request.url.path;
  if (path.ends_with("/v1")) path.resize(path.size() - 3);
  request.target = request.url.target("/simulator/gpus");
  request.connect_timeout = kAnswerTimeout;
  request.timeout = kAnswerTimeout;
  request.stop_fd = spec.interrupt_fd;
  return request;
}

const SimulatedGpu* find(const std::vector<SimulatedGpu>& gpus, std::int64_t index) {
  const auto found = std::find_if(gpus.begin(), gpus.end(), [&](const SimulatedGpu& gpu) {
    return gpu.gpu_idx == index;
  });
  return found == gpus.end() ? nullptr : &*found;
}

MiB mib(std::int64_t bytes) { return to_mib(static_cast<std::uint64_t>(bytes)); }

}  // namespace

SimulatedSource::SimulatedSource(SourceSpec spec)
    : spec_(std::move(spec)), request_(request_to(spec_)) {}

Result<SimulatedGpus> SimulatedSource::ask() {
  const auto fetched = http::fetch(request_);
  if (const auto* failure = std::get_if<http::Failure>(&fetched)) {
    interrupted_ = failure->reason == "cancelled";
    return Error{ExitCode::environment,
                 fmt::format("{}: {}", request_.url.to_string(), failure->detail)};
  }
  const auto& response = std::get<http::Response>(fetched);
  if (response.status != 200) {
    return Error{ExitCode::environment,
                 fmt::format("{}: GET {} answered {}: is it a vllm_simulator?",
                             request_.url.to_string(), request_.target, response.status)};
  }
  return parse_simulated_gpus(response.body);
}

Result<std::vector<GpuInfo>> SimulatedSource::probe() {
  const auto page = ask();
  if (page.has_error()) return page.error();
  std::vector<GpuInfo> infos;
  for (const auto& gpu : page->gpus) {
    GpuInfo info;
    info.gpu_idx = gpu.gpu_idx;
    info.name = gpu.name;
    info.uuid = gpu.uuid;
    info.driver_version = "simulated";
    info.total_mib = mib(gpu.total_bytes);
    info.reserved_mib = mib(gpu.reserved_bytes);
    infos.push_back(std::move(info));
    if (!spec_.gpus) chosen_.push_back(gpu.gpu_idx);
  }
  if (spec_.gpus) chosen_ = *spec_.gpus;
  return infos;
}

bool SimulatedSource::read(std::vector<GpuMemRow>& rows) {
  auto page = ask();
  if (interrupted_) return false;
  const auto now = clock::RunClock::since_boot();
  last_.clear();
  if (page.has_value()) {
    last_ = std::move(page->gpus);
  } else {
    warn_once("page", page.error().message + ": cells stay empty");
  }
  rows.resize(chosen_.size());
  for (std::size_t i = 0; i < chosen_.size(); ++i) {
    rows[i] = {};
    rows[i].gpu_idx = chosen_[i];
    const auto* gpu = find(last_, chosen_[i]);
    if (gpu == nullptr) continue;
    rows[i].used_mib = mib(gpu->used_bytes);
    rows[i].total_mib = mib(gpu->total_bytes);
    rows[i].util_pct = utilization(*gpu, now);
  }
  return true;
}

std::optional<std::int64_t> SimulatedSource::utilization(const SimulatedGpu& gpu,
                                                         clock::SinceBoot now) {
  const auto [before, first] = busy_.try_emplace(gpu.gpu_idx, Busy{now, gpu.busy_s});
  if (first) return {};
  const Busy last = std::exchange(before->second, Busy{now, gpu.busy_s});
  const std::chrono::duration<double> passed = now - last.at;
  const double busy = gpu.busy_s - last.total;
  // A simulator that was started anew counts from zero again.
  if (passed.count() <= 0 || busy < 0) return {};
  return std::clamp<std::int64_t>(std::llround(100 * busy / passed.count()), 0, 100);
}

std::vector<std::int64_t> SimulatedSource::lost() const {
  std::vector<std::int64_t> lost;
  for (const auto index : chosen_) {
    if (find(last_, index) == nullptr) lost.push_back(index);
  }
  return lost;
}

std::vector<ProcessUse> SimulatedSource::processes() {
  std::vector<ProcessUse> uses;
  for (const auto index : chosen_) {
    if (const auto* gpu = find(last_, index)) {
      uses.push_back({index, gpu->pid, mib(gpu->used_bytes)});
    }
  }
  return uses;
}

}  // namespace memprof::gpu
