#include "gpu/smi_source.hpp"

#include "formats/text.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace memprof::gpu {
namespace {

using namespace std::chrono_literals;
using clock::RunClock;

/// A GPU whose line has not come this long after the others' is left blank.
constexpr auto kBatchGap = 50ms;
constexpr auto kAnswerTime = 5s;
/// Without the persistence daemon a driver initialises every GPU at each start.
constexpr auto kAnswerTimePerGpu = 3s;

}  // namespace

Result<std::vector<GpuInfo>> SmiSource::probe() {
  if (auto found = smi_.find(); found.has_error()) return found.error();
  // The caller's own patience is the shorter one, and it interrupts.
  auto infos = smi_.list_gpus(60s);
  if (infos.has_error()) return infos;
  for (const auto& info : *infos) {
    const auto index = info.gpu_idx;
    if (!spec_.gpus) slots_.emplace_back().row.gpu_idx = index;
  }
  if (spec_.gpus) {
    for (const auto index : *spec_.gpus) slots_.emplace_back().row.gpu_idx = index;
  }
  return infos;
}

std::vector<std::int64_t> SmiSource::lost() const { return lost_; }

std::chrono::nanoseconds SmiSource::patience() const {
  return kAnswerTime + kAnswerTimePerGpu * static_cast<std::int64_t>(slots_.size()) +
         spec_.interval;
}

bool SmiSource::starts_next_batch(const std::string& line) const {
  const auto reading = parse_reading(line);
  return reading && std::any_of(slots_.begin(), slots_.end(), [&](const Slot& slot) {
           return slot.filled && slot.row.gpu_idx == reading->row.gpu_idx;
         });
}

bool SmiSource::take_line(const std::string& line) {
  const auto reading = parse_reading(line);
  if (!reading) {
    words_ = formats::one_line(line, 200);
    return false;
  }
  bool all = true;
  for (auto& slot : slots_) {
    if (slot.row.gpu_idx == reading->row.gpu_idx) slot = {reading->row, true, reading->lost};
    all &= slot.filled;
  }
  if (reading->lost) {
    warn_once(fmt::format("lost {}", reading->row.gpu_idx),
              fmt::format("GPU {}: nvidia-smi shows {}: its cells stay empty",
                          reading->row.gpu_idx, reading->unknown_cell));
  } else if (!reading->unknown_cell.empty()) {
    warn_once(reading->unknown_cell,
              fmt::format("GPU {}: nvidia-smi shows {}: such cells stay empty",
                          reading->row.gpu_idx, reading->unknown_cell));
  }
  return all;
}

void SmiSource::emit(std::vector<GpuMemRow>& rows) {
  rows.resize(slots_.size());
  lost_.clear();
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    auto& slot = slots_[i];
    rows[i] = {};
    rows[i].gpu_idx = slot.row.gpu_idx;
    if (slot.filled) {
      rows[i] = slot.row;
    } else if (!words_.empty()) {
      warn_once("words", fmt::format("GPU {}: no row from nvidia-smi, which says: {}",
                                     slot.row.gpu_idx, words_));
    }
    if (slot.lost) lost_.push_back(slot.row.gpu_idx);
    slot.filled = false;
  }
}

SmiStreamSource::~SmiStreamSource() {
  if (child_) smi_.end(*child_);
}

void SmiStreamSource::start() {
  auto arguments = smi_query(kReadingColumns, spec_.gpus);
  arguments.emplace_back("-lms");
  arguments.push_back(std::to_string(
      std::chrono::duration_cast<std::chrono::milliseconds>(spec_.interval).count()));
  heard_at_ = RunClock::since_boot();
  auto child = smi_.start(std::move(arguments));
  if (child.has_value()) {
    child_.emplace(std::move(*child));
  } else {
    stop_child("start", child.error().message);
  }
}

void SmiStreamSource::stop_child(std::string_view kind, const std::string& why) {
  if (child_) smi_.end(*child_);
  child_.reset();
  words_.clear();
  for (auto& slot : slots_) slot.filled = false;
  const auto now = RunClock::since_boot();
  start_at_ = now + back_off_.next();
  if (!blank_until_batch_) next_blank_at_ = now;
  blank_until_batch_ = true;
  warn_once(kind, fmt::format("nvidia-smi: {}: cells stay empty while it is started anew", why));
}

bool SmiStreamSource::read(std::vector<GpuMemRow>& rows) {
  for (;;) {
    const auto now = RunClock::since_boot();
    if (!child_ && now >= start_at_) start();
    if (child_ && collect_batch()) {
      emit(rows);
      blank_until_batch_ = false;
      back_off_.reset();
      return true;
    }
    if (child_) look_for_end();
    if (blank_until_batch_ && now >= next_blank_at_) {
      for (auto& slot : slots_) slot.filled = false;
      emit(rows);
      next_blank_at_ = std::max(next_blank_at_ + spec_.interval, now);
      return true;
    }
    auto deadline = child_ ? heard_at_ + patience() : start_at_;
    if (blank_until_batch_) deadline = std::min(deadline, next_blank_at_);
    const bool partial = std::any_of(slots_.begin(), slots_.end(),
                                     [](const Slot& slot) { return slot.filled; });
    if (partial) deadline = std::min(deadline, heard_at_ + kBatchGap);
    if (!(child_ ? smi_.wait(*child_, deadline) : smi_.sleep_until(deadline))) return false;
  }
}

bool SmiStreamSource::collect_batch() {
  bool whole = false;
  bool heard = false;
  const auto take = [&](const std::string& line) {
    if (starts_next_batch(line)) {
      // The older batch is whole as it is; only the newest one is worth a row.
      for (auto& slot : slots_) slot.filled = false;
      whole = false;
    }
    whole |= take_line(line);
    heard = true;
  };
  for (auto* stream : {&child_->output(), &child_->errors()}) {
    while (stream->is_open()) {
      const auto lines = stream->read();
      if (lines.empty()) break;
      for (const auto& line : lines) take(line);
    }
  }
  const auto now = RunClock::since_boot();
  if (heard) heard_at_ = now;
  const bool some = std::any_of(slots_.begin(), slots_.end(),
                                [](const Slot& slot) { return slot.filled; });
  return whole || (some && now >= heard_at_ + kBatchGap);
}

void SmiStreamSource::look_for_end() {
  if (const auto status = child_->ended()) {
    // What it said last may have come after the last look.
    collect_batch();
    stop_child(process::describe(*status),
               "ended with " + NvidiaSmi::describe_end(*status, words_));
  } else if (RunClock::since_boot() >= heard_at_ + patience()) {
    stop_child("silent", fmt::format("silent for {}", formats::format_duration(
                               std::chrono::duration<double>(patience()).count())));
  }
}

bool SmiPollSource::read(std::vector<GpuMemRow>& rows) {
  const auto answer = smi_.ask(smi_query(kReadingColumns, spec_.gpus), patience());
  if (answer.interrupted) return false;
  for (const auto& line : answer.lines) {
    if (answer.problem.empty()) take_line(line);
  }
  if (!answer.problem.empty()) {
    warn_once(fmt::format("ask {}", answer.exit_code),
              fmt::format("nvidia-smi: {}: cells stay empty", answer.problem));
  }
  emit(rows);
  return true;
}

}  // namespace memprof::gpu
