#include "options.hpp"

memprof::cli::OptionTable option_table(Options& options) {
  memprof::cli::OptionTable table("gpu_mem_sampler",
                                  "device memory of this machine's GPUs over time, as CSV.",
                                  options);
  table.example("gpu_mem_sampler -o gpu_mem_trace.csv", "All GPUs, every 200 ms, until Ctrl-C.");
  table.example("gpu_mem_sampler -o - --gpus 0,1 --interval-ms 50 --duration 10 | tail",
                "Two GPUs for ten seconds, into a pipe.");
  table.example("gpu_mem_sampler --list-gpus", "Which GPU has which index.");
  table.section("Sampling");
  table.add("output", options.output, "FILE",
            "CSV file, replaced if it is there; - is stdout. Required, but for --list-gpus.", {},
            'o');
  table.add("interval-ms", options.interval_ms, "N", "Milliseconds from tick to tick.",
            {1, 3'600'000});
  table.add_or_word("gpus", options.gpus, "all", "LIST",
                    "The driver's indices of the GPUs to read.", {0, 100'000});
  table.add("duration", options.duration, "S",
            "Seconds to run; without it until SIGINT or SIGTERM, which is a normal end (exit 0).",
            {0.001, 1e7});
  table.section("Source");
  table.add_or_word("backend", options.backend, "auto", "KIND",
                    "nvml (the driver's library), nvidia-smi (one that runs on), nvidia-smi-poll "
                    "(a new one each tick), amdgpu (files of the AMD driver), simulated (the GPUs "
                    "of a vllm_simulator), none (header only). auto: the first of nvml, "
                    "nvidia-smi, amdgpu that gives a memory figure, else none with a warning. One "
                    "that was named and does not work: exit 3.");
  table.add("simulator-url", options.simulator_url, "URL",
            "Where the vllm_simulator is; with --backend simulated.");
  table.add("list-gpus", options.list_gpus, "", "Print the GPUs as CSV on stdout and end.");
  table.add("sysfs-root", options.sysfs_root, "DIR", "Where amdgpu looks; for tests.");
  return table;
}
