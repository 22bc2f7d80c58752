#include "gpu_step.hpp"

#include "cli/option_table.hpp"
#include "files/document.hpp"
#include "formats/csv.hpp"
#include "records/gpu.hpp"

#include <fmt/format.h>

#include <filesystem>

namespace memprof::profile {
namespace {

/// A driver that has to wake GPUs up takes 1–3 s for each.
constexpr Seconds kFirstReadingTimeout = 30;
constexpr Seconds kBetweenLooks = 0.02;

std::vector<std::string> sampler_arguments(const RunContext& run) {
  const GpuOptions& gpu = run.options.gpu;
  std::vector<std::string> arguments{
      "--output=" + run.folder.file("gpu_mem_trace.csv"),
      fmt::format("--interval-ms={}", gpu.interval_ms),
      "--backend=" + gpu.backend,
  };
  if (gpu.indices) arguments.push_back("--gpus=" + cli::show_text(*gpu.indices));
  return arguments;
}

}  // namespace

GpuStep::GpuStep(RunContext& run)
    : run_(run),
      child_("gpu_mem_sampler", sampler_arguments(run), run.folder, run.tool.clock()) {
  await_first_reading();
}

bool GpuStep::has_reading() const {
  std::error_code error;
  const auto size = std::filesystem::file_size(run_.folder.file("gpu_mem_trace.csv"), error);
  return !error && size > formats::csv_header<GpuMemRow>().size();
}

void GpuStep::await_first_reading() {
  const auto deadline = from_now(kFirstReadingTimeout);
  while (!child_.ended() && !has_reading()) {
    if (clock::RunClock::since_boot() >= deadline) {
      run_.tool.warn(fmt::format("no GPU reading within {} s; the run goes on",
                                 kFirstReadingTimeout));
      return;
    }
    if (!wait_for_any({&child_}, {}, run_.stop, from_now(kBetweenLooks))) return;
  }
  if (!child_.ended()) return;
  if (!child_.ended_with({0})) throw ToolError(child_.as_error());
  nothing_to_read_ = !has_reading();
  if (nothing_to_read_) run_.tool.note("no GPU memory to read here; the load runs all the same");
}

bool GpuStep::sampling() { return !child_.ended(); }

void GpuStep::sample_for(Seconds seconds) {
  const auto end = from_now(seconds);
  while (sampling() && clock::RunClock::since_boot() < end &&
         wait_for_any({&child_}, {}, run_.stop, end)) {
  }
  look();
}

void GpuStep::look() {
  if (said_ || nothing_to_read_ || sampling()) return;
  said_ = true;
  if (child_.ended_with({3})) run_.fail(child_.as_error());  // disk full, for one
  run_.tool.warn(child_.last_words() + "; the run goes on without GPU readings");
}

void GpuStep::finish() {
  look();
  const bool died = !nothing_to_read_ && said_;
  child_.stop(kOrdinaryEnd);
  child_.set_ended_as_told(!died && child_.ended_with({0, 130, 143}));
  const auto account = files::read_json<GpuSamplerAccount>(run_.folder.stats("gpu_mem_sampler"));
  if (account.has_value()) {
    child_.set_rows(account->process.rows);
    run_.manifest.gpus = account->gpus;
    run_.manifest.simulated = account->simulated;
    run_.manifest.samplers.gpu_mem_sampler =
        GpuSamplerRecord{account->backend, account->ticks, account->process.wall_clock_shift_ms,
                         account->lost_gpus, account->processes};
  }
  run_.manifest.children.push_back(child_.record());
}

}  // namespace memprof::profile
