#include "options.hpp"

#include "cli/option_groups.hpp"

namespace memprof {

cli::OptionTable option_table(Options& options) {
  cli::OptionTable table("request_runner",
                         "sends a workload to an OpenAI-compatible server and writes one row per "
                         "request, whatever happens to it.",
                         options);
  table.example("request_runner workload.jsonl -o request_trace.csv",
                "all requests to http://127.0.0.1:8000/v1, group by group");
  table.example("workload_gen -o - | request_runner - -o - --stream --exact-output",
                "in a pipeline, streaming, exactly output_len tokens each");
  table.example("request_runner workload.jsonl -o trace.csv --base-url https://gpu7:8443/v1 "
                "--api-key-file key",
                "another server, with a key");
  table.positional("WORKLOAD", options.workload, "workload.jsonl; - is stdin.");
  table.section("Files");
  table.add("output", options.output, "FILE", "Where the trace goes; - is stdout.", {}, 'o');
  table.require("output");
  table.add("progress-fd", options.progress_fd, "N",
            "File descriptor for progress, as JSON lines, instead of words on stderr.", {0, 1e6});
  cli::add_target_options(table, options.target);
  cli::add_replay_options(table, options.replay);
  cli::add_schedule_option(table, options.replay.schedule);
  table.add("request-id-prefix", options.replay.request_id_prefix, "TEXT",
            "X-Request-Id becomes TEXT.<req_id>.");
  return table;
}

}  // namespace memprof
