#include "sampling.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include <poll.h>

using namespace memprof;
using namespace std::chrono_literals;
using clock::RunClock;
using clock::SinceBoot;

namespace {

/// A reading under way at the end is waited for this long; a driver needs microseconds.
constexpr auto kGrace = 100ms;
constexpr auto kStuck = 5s;
/// A GPU without a figure for this long at the end (and for three ticks) is lost.
constexpr auto kSilence = 2s;

int poll_time(SinceBoot deadline) {
  const auto left =
      std::chrono::ceil<std::chrono::milliseconds>(deadline - RunClock::since_boot());
  return static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 1'000'000'000));
}

}  // namespace

Sampling::Sampling(const Options& options, cli::Tool& tool, cli::StopSignal& stop,
                   files::CsvFile<GpuMemRow>& trace)
    : tool_(tool),
      stop_(stop),
      trace_(trace),
      interval_(std::chrono::milliseconds(options.interval_ms)) {
  if (options.duration) {
    duration_ = std::chrono::nanoseconds(std::llround(*options.duration * 1e9));
  }
}

void Sampling::run(gpu::Sensor& sensor, bool paces_itself) {
  paces_itself_ = paces_itself;
  started_ = RunClock::since_boot();
  if (duration_) end_ = started_ + *duration_;
  if (!paces_itself_) ticks_.emplace(started_, interval_);
  gpu::Answer answer;
  for (;;) {
    if (!paces_itself_) {
      const auto due = ticks_->next_due();
      const bool last = end_ && due >= *end_;
      if (!stop_.sleep_until(last ? *end_ : due) || last) return;
    }
    sensor.ask();
    if (!await_answer(sensor)) break;
    sensor.take(answer);
    take(answer);
    if (stop_.number() != 0) return;
  }
  // Asked and not answered. A source with its own pace may still have been in time for its tick.
  if (!ticks_) ticks_.emplace(started_, interval_);
  const auto now = RunClock::since_boot();
  if (now >= ticks_->next_due() + (paces_itself_ ? interval_ : 0ns)) ticks_->miss(now);
}

bool Sampling::await_answer(gpu::Sensor& sensor) {
  const auto asked = RunClock::since_boot();
  const auto grace = paces_itself_ ? 0ms : kGrace;
  auto deadline = end_ ? std::max(*end_, asked + grace) : SinceBoot::max();
  bool stopping = false;
  for (;;) {
    const bool watch_stuck = !paces_itself_ && !warned_stuck_;
    const auto wake = watch_stuck ? std::min(deadline, asked + kStuck) : deadline;
    std::array<pollfd, 2> waits{
        {{sensor.fd(), POLLIN, 0}, {stopping ? -1 : stop_.fd(), POLLIN, 0}}};
    ::poll(waits.data(), waits.size(), wake == SinceBoot::max() ? -1 : poll_time(wake));
    if (waits[0].revents != 0) return true;
    const auto now = RunClock::since_boot();
    if (!stopping && stop_.number() != 0) {
      stopping = true;
      deadline = std::min(deadline, now + grace);
    }
    if (now >= deadline) return false;
    if (watch_stuck && now >= asked + kStuck) {
      warned_stuck_ = true;
      tool_.warn("the driver has not answered for 5 s: ticks are missed until it does");
    }
  }
}

void Sampling::take(gpu::Answer& answer) {
  for (const auto& warning : answer.warnings) tool_.warn(warning);
  processes_.add(answer.processes);
  if (answer.came) {
    if (count_tick(answer)) write_rows(answer);
  } else if (!paces_itself_) {
    ticks_->miss(RunClock::since_boot());
  }
}

bool Sampling::count_tick(const gpu::Answer& answer) {
  if (!paces_itself_) {
    ticks_->take(std::max(answer.begun, ticks_->next_due()), answer.ended);
    return true;
  }
  if (!ticks_) ticks_.emplace(answer.ended, interval_);
  if (answer.ended + interval_ <= ticks_->next_due()) return false;
  const auto at = std::max(answer.ended, ticks_->next_due());
  ticks_->take(at, at);
  return true;
}

void Sampling::write_rows(gpu::Answer& answer) {
  const auto timestamp = tool_.clock().at(answer.ended);
  for (auto& row : answer.rows) {
    row.timestamp = timestamp;
    if (row.used_mib) last_figure_[row.gpu_idx] = answer.ended;
  }
  said_lost_ = answer.lost;
  trace_.write(answer.rows);
}

void Sampling::fill(GpuSamplerAccount& account, const std::vector<GpuInfo>& gpus) const {
  account.ticks = ticks_ ? ticks_->account() : clock::Ticks(SinceBoot{0}, interval_).account();
  account.processes = processes_.account();
  const auto silent_since = RunClock::since_boot() - std::max<SinceBoot>(kSilence, 3 * interval_);
  for (const auto& info : gpus) {
    // The probe's figure counts too.
    auto last = info.total_mib ? started_ : SinceBoot::max();
    const auto figure = last_figure_.find(info.gpu_idx);
    if (figure != last_figure_.end()) last = figure->second;
    const bool silent = last < silent_since;
    const bool said = std::find(said_lost_.begin(), said_lost_.end(), info.gpu_idx) !=
                      said_lost_.end();
    if (said || silent) account.lost_gpus.push_back(info.gpu_idx);
  }
}
