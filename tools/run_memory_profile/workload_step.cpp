#include "workload_step.hpp"

#include "cli/option_groups.hpp"
#include "files/document.hpp"
#include "files/row_file.hpp"
#include "process/descriptor.hpp"
#include "tool_child.hpp"
#include "workload/workload_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <map>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

namespace memprof::profile {
namespace {

constexpr double kMostDeviation = 0.1;  // of prompt lengths, as in the verdict

/// From a pipe (`-`, `<(…)`) a workload comes when it comes: a signal must not have to wait for it.
void copy_workload(const std::string& from, const std::string& to, const cli::StopSignal& stop) {
  const process::Descriptor file(
      from == "-" ? ::dup(STDIN_FILENO) : ::open(from.c_str(), O_RDONLY | O_CLOEXEC));
  const auto check = [&](bool good) {
    if (good) return;
    throw ToolError(ExitCode::environment,
                    fmt::format("--workload: {}: cannot read: {}", from, std::strerror(errno)));
  };
  check(file.is_open());
  files::LineFile copy(to, files::Links::replaced);
  workload::WorkloadReader reader(from, [](WorkloadRequest&&) {});
  std::array<char, 1u << 16> buffer;
  while (stop.number() == 0) {
    std::array<pollfd, 2> waits{{{file.get(), POLLIN, 0}, {stop.fd(), POLLIN, 0}}};
    ::poll(waits.data(), waits.size(), -1);
    if (waits[0].revents == 0) continue;
    const auto got = ::read(file.get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    check(got >= 0);
    if (got == 0) {
      reader.finish().value();
      return;
    }
    const std::string_view bytes(buffer.data(), static_cast<std::size_t>(got));
    reader.feed(bytes).value();
    copy.write(bytes);
  }
}

std::vector<std::string> generator_arguments(const RunContext& run) {
  cli::CommonOptions unused;
  WorkloadSpec spec = run.options.grid;
  spec.schedule = run.options.replay.schedule;
  TargetSpec target = run.options.target;
  target.model = run.server.model;
  cli::OptionTable table("workload_gen", "", unused);
  cli::add_grid_options(table, spec);
  cli::add_schedule_option(table, spec.schedule);
  if (run.options.calibrate == YesNo::yes) {
    cli::add_question_options(table, target);
    cli::add_connection_options(table, target);
  }
  auto arguments = table.arguments();
  if (run.options.calibrate == YesNo::yes) {
    arguments.push_back("--calibrate=" + run.options.target.base_url);
  }
  arguments.push_back("--output=" + run.folder.file("workload.jsonl"));
  return arguments;
}

void generate_workload(RunContext& run) {
  ToolChild generator("workload_gen", generator_arguments(run), run.folder, run.tool.clock());
  while (!generator.ended() && !run.lost_folder() &&
         wait_for_any({&generator}, {}, run.stop, from_now(kBetweenLooks))) {
  }
  if (!generator.ended()) generator.stop(kQuickEnd);
  generator.set_ended_as_told(generator.was_told() || generator.ended_with({0}));
  const auto account = files::read_json<WorkloadAccount>(run.folder.stats("workload_gen"));
  if (account.has_value()) {
    generator.pass_on(account->process.warnings, run.tool);
    generator.set_rows(account->process.rows);
  }
  run.manifest.children.push_back(generator.record());
  if (!run.goes_on()) return;
  if (!generator.ended_with({0})) throw ToolError(generator.as_error());
  if (account.has_value() && account->calibrated_deviation.value_or(0) > kMostDeviation) {
    run.tool.warn(fmt::format("calibration leaves prompts up to {:.0f} % off their length",
                              100 * *account->calibrated_deviation));
  }
}

/// vLLM refuses a prompt that fills the context, and cuts an answer short at its end.
void announce_too_long(RunContext& run) {
  const auto limit = run.server.info.max_model_len;
  if (!limit) return;
  if (!run.options.workload) {
    const auto longest = [](const std::vector<std::int64_t>& lengths) {
      return *std::max_element(lengths.begin(), lengths.end());
    };
    if (longest(run.options.grid.input_lens) + longest(run.options.grid.output_lens) <= *limit) {
      return;
    }
  }
  std::map<std::pair<Tokens, Tokens>, std::int64_t> counts;
  workload::read_workload(run.folder.file("workload.jsonl"), [&](WorkloadRequest&& request) {
    if (request.input_len + request.output_len > *limit) {
      ++counts[{request.input_len, request.output_len}];
    }
  }).value();
  std::int64_t requests = 0;
  for (const auto& [lengths, count] : counts) {
    run.manifest.too_long_for_context.push_back({lengths.first, lengths.second, count});
    requests += count;
  }
  if (requests > 0) {
    run.tool.warn(fmt::format("{} requests do not fit the model's context of {} tokens: they will "
                              "be refused or cut short; leave out the longest --input-lens",
                              requests, *limit));
  }
}

}  // namespace

void check_given_workload(const Options& options) {
  struct stat status {};
  if (!options.workload || *options.workload == "-") return;
  if (::stat(options.workload->c_str(), &status) == 0 && !S_ISREG(status.st_mode)) return;
  workload::read_workload(*options.workload, [](WorkloadRequest&&) {}).value();
}

void prepare_workload(RunContext& run) {
  if (run.options.workload) {
    copy_workload(*run.options.workload, run.folder.file("workload.jsonl"), run.stop);
  } else {
    generate_workload(run);
  }
  if (run.goes_on()) announce_too_long(run);
}

}  // namespace memprof::profile
