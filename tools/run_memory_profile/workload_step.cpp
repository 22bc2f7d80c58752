#include "workload_step.hpp"

#include "cli/option_groups.hpp"
#include "files/document.hpp"
#include "files/row_file.hpp"
#include "tool_child.hpp"
#include "workload/workload_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

namespace memprof::profile {
namespace {

constexpr double kMostDeviation = 0.1;  // of prompt lengths, as in the verdict

void copy_workload(const std::string& from, const std::string& to) {
  files::LineFile copy(to);
  workload::WorkloadReader reader(from, [](WorkloadRequest&&) {});
  Result<void> outcome{};
  const auto read = files::read_in_pieces(from, [&](std::string_view bytes) {
    if (outcome.has_error()) return;
    outcome = reader.feed(bytes);
    if (outcome.has_value()) copy.write(bytes);
  });
  read.value();
  outcome.value();
  reader.finish().value();
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
  if (run.options.calibrate == YesNo::yes) cli::add_question_options(table, target);
  auto arguments = table.arguments();
  if (run.options.calibrate == YesNo::yes) {
    arguments.push_back("--calibrate=" + run.options.target.base_url);
  }
  arguments.push_back("--output=" + run.folder.file("workload.jsonl"));
  return arguments;
}

void generate_workload(RunContext& run) {
  ToolChild generator("workload_gen", generator_arguments(run), run.folder, run.tool.clock());
  while (!generator.ended() &&
         wait_for_any({&generator}, {}, run.stop, from_now(3600))) {
  }
  if (run.interrupted()) generator.stop(kQuickEnd);
  generator.set_ended_as_told(run.interrupted() || generator.ended_with({0}));
  const auto account = files::read_json<WorkloadAccount>(run.folder.stats("workload_gen"));
  if (account.has_value()) generator.set_rows(account->process.rows);
  run.manifest.children.push_back(generator.record());
  if (run.interrupted()) return;
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
  if (!options.workload || *options.workload == "-") return;
  workload::read_workload(*options.workload, [](WorkloadRequest&&) {}).value();
}

void prepare_workload(RunContext& run) {
  if (run.options.workload) {
    copy_workload(*run.options.workload, run.folder.file("workload.jsonl"));
  } else {
    generate_workload(run);
  }
  if (!run.interrupted()) announce_too_long(run);
}

}  // namespace memprof::profile
