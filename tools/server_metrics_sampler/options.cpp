#include "options.hpp"

#include "cli/option_groups.hpp"

memprof::cli::OptionTable option_table(Options& options) {
  memprof::cli::OptionTable table(
      "server_metrics_sampler",
      "a vLLM server's own memory state over time (KV cache, queue, counters), as CSV.", options);
  table.example("server_metrics_sampler -o server_metrics_trace.csv",
                "The server on port 8000, every 200 ms, until Ctrl-C.");
  table.example("server_metrics_sampler -o - --duration 10 --metrics-url http://gpu:8000/metrics",
                "Another server for ten seconds, into a pipe.");
  table.example("server_metrics_sampler -o again.csv --replay scrapes.jsonl",
                "The rows of what --raw has kept.");
  table.section("Sampling");
  table.add("output", options.output, "FILE", "CSV file, replaced if it is there; - is stdout.", {},
            'o');
  table.require("output");
  table.add("interval-ms", options.interval_ms, "N", "Milliseconds from tick to tick.",
            {1, 3'600'000});
  table.add("duration", options.duration, "S",
            "Seconds to run; without it until SIGINT or SIGTERM, which is a normal end (exit 0).",
            {0.001, 1e7});
  table.add("raw", options.raw, "FILE", "Also keep every answer as it came, a line of JSON each.");
  table.add("replay", options.replay, "FILE",
            "Read what --raw has kept in place of asking a server; - is stdin.");
  table.section("Server");
  table.add("metrics-url", options.metrics_url, "URL", "Where the server has its /metrics.");
  table.add("timeout", options.timeout, "S",
            "Seconds for one scrape; a slow one costs the ticks that it covers.", {0.001, 1e7});
  memprof::cli::add_access_options(table, options.target);
  memprof::cli::add_connection_options(table, options.target);
  return table;
}
