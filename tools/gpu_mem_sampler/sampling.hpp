#pragma once

#include "backend_choice.hpp"
#include "clock/ticks.hpp"
#include "files/row_file.hpp"
#include "gpu/process_tally.hpp"
#include "records/account.hpp"

#include <map>
#include <optional>

/// Asks the sensor at every tick and writes what it answers.
class Sampling {
 public:
  Sampling(const Options& options, memprof::cli::Tool& tool, memprof::cli::StopSignal& stop,
           memprof::files::CsvFile<memprof::GpuMemRow>& trace);

  /// Until the duration is over or a signal has come. Throws what writing throws.
  void run(memprof::gpu::Sensor& sensor, bool paces_itself);
  /// Ticks, lost GPUs and processes; `gpus` are those that were read.
  void fill(memprof::GpuSamplerAccount& account, const std::vector<memprof::GpuInfo>& gpus) const;

 private:
  bool await_answer(memprof::gpu::Sensor& sensor);
  void take(memprof::gpu::Answer& answer);
  /// False: one reading too many, from a source that runs ahead of its pace.
  bool count_tick(const memprof::gpu::Answer& answer);
  void write_rows(memprof::gpu::Answer& answer);

  memprof::cli::Tool& tool_;
  memprof::cli::StopSignal& stop_;
  memprof::files::CsvFile<memprof::GpuMemRow>& trace_;
  std::chrono::nanoseconds interval_;
  memprof::clock::SinceBoot started_{0};
  std::optional<memprof::clock::SinceBoot> end_;
  std::optional<std::chrono::nanoseconds> duration_;
  bool paces_itself_ = false;
  bool warned_stuck_ = false;
  std::optional<memprof::clock::Ticks> ticks_;  ///< none: a source with its own pace is awaited
  std::map<std::int64_t, memprof::clock::SinceBoot> last_figure_;  ///< by GPU
  std::vector<std::int64_t> said_lost_;
  memprof::gpu::ProcessTally processes_;
};
