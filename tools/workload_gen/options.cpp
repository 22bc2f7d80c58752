#include "options.hpp"

#include "cli/option_groups.hpp"

using namespace memprof;

cli::OptionTable option_table(Options& options) {
  cli::OptionTable table("workload_gen",
                         "writes a grid of requests as workload.jsonl, a line a request.", options);
  table.example("workload_gen -o workload.jsonl",
                "The default grid: 48 requests, 8K to 32K tokens.");
  table.example("workload_gen -o - --input-lens 1024 --concurrencies 8 --n-per-condition auto",
                "To stdout, as many requests as 8 in flight need.");
  table.example("workload_gen -o w.jsonl --calibrate http://127.0.0.1:8000/v1",
                "Prompts of exact length for the model served there.");
  table.section("Output");
  table.add("output", options.output, "FILE", "workload.jsonl to write; - for stdout.", {}, 'o');
  table.require("output");
  cli::add_grid_options(table, options.spec);
  cli::add_schedule_option(table, options.spec.schedule);
  table.section("Calibration");
  table.add("calibrate", options.calibrate, "URL",
            "Base URL of a vLLM server, whose /tokenize is asked how many tokens the words and the "
            "chat template take; each prompt is then fitted to its length.");
  cli::add_question_options(table, options.target);
  cli::add_connection_options(table, options.target);
  return table;
}
