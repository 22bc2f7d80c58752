#include "load_step.hpp"

#include "cli/option_groups.hpp"
#include "cli/progress.hpp"
#include "files/document.hpp"
#include "formats/json.hpp"
#include "formats/text.hpp"
#include "process/line_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <system_error>

namespace memprof::profile {
namespace {

/// Beyond the longest time in which no request need begin or end; reading the workload comes first.
constexpr Seconds kSlack = 15;
constexpr double kSlowestReading = 10e6;  // bytes a second

std::vector<std::string> runner_arguments(const RunContext& run, int progress_fd) {
  cli::CommonOptions unused;
  TargetSpec target = run.options.target;
  target.model = run.server.model;
  ReplaySpec replay = run.options.replay;
  cli::OptionTable table("request_runner", "", unused);
  cli::add_target_options(table, target);
  cli::add_replay_options(table, replay);
  cli::add_schedule_option(table, replay.schedule);
  auto arguments = table.arguments();
  arguments.push_back("--request-id-prefix=" + run.folder.run_id());
  arguments.push_back(fmt::format("--progress-fd={}", progress_fd));
  arguments.push_back("--output=" + run.folder.file("request_trace.csv"));
  arguments.push_back(run.folder.file("workload.jsonl"));
  return arguments;
}

double workload_bytes(const RunContext& run) {
  std::error_code error;
  const auto bytes = std::filesystem::file_size(run.folder.file("workload.jsonl"), error);
  return error ? 0 : static_cast<double>(bytes);
}

/// The runner as it is watched.
class Load {
 public:
  Load(RunContext& run, const Samplers& samplers)
      : run_(run), samplers_(samplers), progress_(run.tool.quiet()), pipe_(process::make_pipe()) {
    patience_ = run.options.replay.timeout + run.options.target.connect_timeout +
                run.options.replay.group_pause_s + kSlack +
                workload_bytes(run) / kSlowestReading;
    runner_.emplace("request_runner", runner_arguments(run, pipe_.write_end.get()), run.folder,
                    run.tool.clock(), std::vector<int>{pipe_.write_end.get()});
    pipe_.write_end.reset();
    lines_ = process::LineReader(std::move(pipe_.read_end));
    run.manifest.timeline.load_start = runner_->record().started_ts;
  }

  void watch() {
    begun_ = looked_ = clock::RunClock::since_boot();
    while (!runner_->ended()) {
      if (!wait_for_any(children(), {lines_.fd()}, run_.stop, from_now(kBetweenLooks)) ||
          run_.lost_folder()) {
        return end_now();
      }
      take_progress();
      for (SamplerStep* sampler : samplers_) {
        if (!sampler->has_news()) continue;
        progress_.clear();
        sampler->tell_news();
      }
      if (still_ > patience_) return give_up();
    }
    runner_->set_ended_as_told(runner_->ended_with({0, 1}));
  }

  void finish() {
    progress_.clear();
    run_.manifest.timeline.load_end = run_.tool.clock().now();
    const auto account = files::read_json<RunnerAccount>(run_.folder.stats("request_runner"));
    if (account.has_value()) {
      runner_->pass_on(account->process.warnings, run_.tool);
      runner_->set_rows(account->process.rows);
    }
    run_.manifest.children.push_back(runner_->record());
    if (runner_->was_told() || runner_->ended_with({0, 1})) return;
    if (runner_->ended_with({2, 3})) {
      run_.fail(runner_->as_error());
    } else {
      run_.tool.warn(runner_->last_words());
    }
  }

 private:
  [[nodiscard]] std::vector<ToolChild*> children() {
    std::vector<ToolChild*> all{&*runner_};
    for (SamplerStep* sampler : samplers_) all.push_back(&sampler->child());
    return all;
  }

  void take_progress() {
    for (const auto& line : lines_.read()) {
      boost::system::error_code error;
      const auto json = boost::json::parse(line, error);
      if (error) continue;
      if (const auto read = formats::from_json<cli::ReplayProgress>(json); read.has_value()) {
        counts_ = *read;
        still_ = 0;
      }
    }
    const auto now = clock::RunClock::since_boot();
    const std::chrono::duration<double> elapsed = now - begun_;
    // While this process was stopped itself, or the machine suspended, nothing could move.
    still_ += std::min(std::chrono::duration<double>(now - looked_).count(), 2 * kBetweenLooks);
    looked_ = now;
    progress_.update((run_.manifest.simulated ? "SIMULATED " : "") +
                     cli::describe_progress(counts_, elapsed.count()));
  }

  void end_now() {
    progress_.clear();
    run_.tool.note("ending…");
    stop_together(children(), kQuickEnd);
    runner_->set_ended_as_told(runner_->ended_with({0, 1, 130, 143}));
  }

  void give_up() {
    progress_.clear();
    run_.tool.warn(fmt::format("request_runner has not moved for {}: it is ended",
                               formats::format_duration(patience_)));
    runner_->stop(kOrdinaryEnd);
  }

  RunContext& run_;
  const Samplers& samplers_;
  cli::ProgressLine progress_;
  process::Pipe pipe_;
  process::LineReader lines_;
  std::optional<ToolChild> runner_;
  cli::ReplayProgress counts_;
  Seconds patience_ = 0;
  clock::SinceBoot begun_{};
  clock::SinceBoot looked_{};
  Seconds still_ = 0;  ///< since it moved
};

}  // namespace

void run_load(RunContext& run, const Samplers& samplers) {
  Load load(run, samplers);
  load.watch();
  load.finish();
}

}  // namespace memprof::profile
