#include "gpu_step.hpp"

#include "cli/option_table.hpp"
#include "files/document.hpp"
#include "formats/csv.hpp"
#include "formats/text.hpp"
#include "process/sibling.hpp"
#include "records/gpu.hpp"

#include <fmt/format.h>

#include <filesystem>

namespace memprof::profile {
namespace {

/// A driver that has to wake GPUs up takes 1–3 s for each; more than one backend may be tried.
constexpr Seconds kFirstReadingTimeout = 90;
constexpr Seconds kBetweenSizes = 0.02;

std::vector<std::string> source_arguments(const Options& options) {
  const GpuOptions& gpu = options.gpu;
  const auto backend = options.simulate ? gpu::Backend::simulated : gpu.backend;
  std::vector<std::string> arguments;
  if (backend) arguments.push_back("--backend=" + cli::show_text(*backend));
  if (backend == gpu::Backend::simulated) {
    arguments.push_back("--simulator-url=" + options.target.base_url);
  }
  if (gpu.indices) arguments.push_back("--gpus=" + cli::show_text(*gpu.indices));
  return arguments;
}

std::vector<std::string> sampler_arguments(const RunContext& run) {
  auto arguments = source_arguments(run.options);
  arguments.push_back(fmt::format("--interval-ms={}", run.options.gpu.interval_ms));
  arguments.push_back("--output=" + run.folder.file("gpu_mem_trace.csv"));
  return arguments;
}

/// The sampler's error line in terms of our flags.
std::string in_our_words(std::string line) {
  constexpr std::string_view kLead = "gpu_mem_sampler: error: ";
  if (line.starts_with(kLead)) line.erase(0, kLead.size());
  if (line.starts_with("--gpus")) return "--gpu-indices" + line.substr(6);
  if (line.starts_with("--backend")) return "--gpu-backend" + line.substr(9);
  return line;
}

}  // namespace

void check_gpus(const Options& options) {
  if (!options.gpu.indices && !options.gpu.backend) return;
  process::Spec spec;
  spec.executable = process::sibling("gpu_mem_sampler");
  spec.arguments = source_arguments(options);
  spec.arguments.insert(spec.arguments.end(), {"--list-gpus", "--quiet"});
  spec.errors = process::Stream::pipe();
  auto sampler = process::Child::spawn(spec).value();
  const auto status = sampler.wait_until(from_now(kFirstReadingTimeout));
  if (status && status->ok()) return;
  std::string words = status ? describe(*status) : "no answer from the driver";
  for (const auto& line : sampler.errors().read()) words = line;
  throw ToolError(ExitCode::environment, in_our_words(words));
}

GpuStep::GpuStep(RunContext& run)
    : SamplerStep(run, "gpu_mem_sampler", sampler_arguments(run), "GPU readings") {
  await_first_reading();
}

bool GpuStep::has_reading() const {
  std::error_code error;
  const auto size = std::filesystem::file_size(run_.folder.file("gpu_mem_trace.csv"), error);
  return !error && size > formats::csv_header<GpuMemRow>().size();
}

void GpuStep::await_first_reading() {
  const auto deadline = from_now(kFirstReadingTimeout);
  while (!child_.ended() && !has_reading() && !run_.lost_folder()) {
    if (clock::RunClock::since_boot() >= deadline) {
      run_.tool.warn(fmt::format("no GPU reading within {} s; the run goes on",
                                 kFirstReadingTimeout));
      return;
    }
    if (!wait_for_any({&child_}, {}, run_.stop, from_now(kBetweenSizes))) return;
  }
  if (!child_.ended()) return;
  if (!child_.ended_with({0})) return refuse();
  if (has_reading()) return;
  set_nothing_to_read();
  run_.tool.note("no GPU memory to read here; the load runs all the same");
}

void GpuStep::take_account() {
  const auto account = files::read_json<GpuSamplerAccount>(run_.folder.stats("gpu_mem_sampler"));
  if (!account.has_value()) return;
  if (!nothing_to_read()) child_.pass_on(account->process.warnings, run_.tool);
  child_.set_rows(account->process.rows);
  run_.manifest.gpus = account->gpus;
  run_.manifest.simulated = run_.manifest.simulated || account->simulated;
  run_.manifest.samplers.gpu_mem_sampler =
      GpuSamplerRecord{account->backend, account->ticks, account->process.wall_clock_shift_ms,
                       account->lost_gpus, account->processes};
}

}  // namespace memprof::profile
