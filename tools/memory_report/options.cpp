#include "options.hpp"

memprof::cli::OptionTable option_table(Options& options) {
  memprof::cli::OptionTable table("memory_report",
                                  "the findings of a run again from its folder alone, or several "
                                  "runs side by side.",
                                  options);
  table.example("memory_report results/memory_profile/20260225_100000",
                "Writes summary.json anew, and prints the run's verdict and figures.");
  table.example("memory_report old_run --output-dir report --joined joined.csv",
                "Elsewhere; and each request with what memory did while it ran.");
  table.example("memory_report RUN_DIR --html report.html",
                "And a page for a browser that says whether the load fits, with charts.");
  table.example("memory_report RUN_DIR --trace-out trace.json",
                "And a picture over time: open the file in ui.perfetto.dev.");
  table.example("memory_report run_a run_b run_c",
                "Compares runs: options that differ, then findings. Writes nothing.");
  table.example("memory_report run_a run_b --html compared.html",
                "And a page for a browser with up to ten runs side by side.");
  table.positionals("RUN_DIR", options.run_dirs,
                    "A run's folder, also one of the original scripts; several are compared.");
  table.section("Output");
  table.add("output-dir", options.output_dir, "DIR",
            "Write summary.json there instead of into the run's folder; made if it is missing.");
  table.add("html", options.html, "FILE",
            "Also write the run, or two to ten runs side by side, as a page for a browser, in one "
            "file that needs no other; - for stdout.");
  table.add("joined", options.joined, "FILE",
            "Also write each request with KV cache usage, waiting requests, preemptions and GPU "
            "memory while it ran, as CSV; - for stdout.");
  table.add("trace-out", options.trace_out, "FILE",
            "Also write the run as a trace for ui.perfetto.dev, in Chrome's JSON format: requests, "
            "KV cache, queue, preemptions and GPUs on one clock; - for stdout.");
  return table;
}
