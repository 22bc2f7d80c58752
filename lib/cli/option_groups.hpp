#pragma once

#include "cli/option_table.hpp"
#include "records/target.hpp"
#include "records/workload.hpp"

namespace memprof::cli {

/// Options that more than one tool takes; written once, so that the orchestrator can pass them on.
void add_grid_options(OptionTable& table, WorkloadSpec& spec);
/// --schedule, for the tools that take both a grid and a replay once.
void add_schedule_option(OptionTable& table, Schedule& schedule);
/// --api-key-file --ca-file --insecure: being let in.
void add_access_options(OptionTable& table, TargetSpec& target);
/// --connect-timeout --header-file.
void add_connection_options(OptionTable& table, TargetSpec& target);
/// --model --endpoint --api-key-file --ca-file --insecure: what asking a server a question takes.
void add_question_options(OptionTable& table, TargetSpec& target);
/// Those, --base-url, --connect-timeout and --header-file.
void add_target_options(OptionTable& table, TargetSpec& target);
/// Without --schedule.
void add_replay_options(OptionTable& table, ReplaySpec& replay);

}  // namespace memprof::cli
