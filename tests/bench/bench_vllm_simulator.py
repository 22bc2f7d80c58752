"""Streamed tokens per second of vllm_simulator, and how late its steps are: 500 streams, a token of
each every 10 or 8 ms, read by request_runner on the same machine.

    tests/bench/bench_vllm_simulator.py [--bin-dir build/release/bin] [--rounds 3]
"""

import json
import signal
import subprocess
import tempfile
from pathlib import Path

from measure import bench_parser, machine, print_table, run_measured

STREAMS = 500
TOKENS = 800  # all of them fit into the KV cache


def streamed(bin_dir, step_ms):
    with tempfile.TemporaryDirectory() as folder:
        workload, account = f"{folder}/workload.jsonl", f"{folder}/simulator.json"
        subprocess.run([f"{bin_dir}/workload_gen", "-o", workload, "--input-lens", "16",
                        "--output-lens", str(TOKENS), "--concurrencies", str(STREAMS),
                        "--prefix-modes", "low", "--n-per-condition", "auto", "--prompt-format",
                        "token-ids", "-q"], check=True)
        with subprocess.Popen([f"{bin_dir}/vllm_simulator", "--step-ms", str(step_ms),
                               "--prefill-token-us", "0", "--sequence-us", "0", "--kv-token-ns",
                               "0", "--stats-out", account], stdout=subprocess.PIPE, text=True,
                              stderr=subprocess.DEVNULL) as simulator:
            url = simulator.stdout.readline().strip()
            run_measured([f"{bin_dir}/request_runner", workload, "-o", "/dev/null", "--base-url",
                          url, "--stream", "--exact-output", "-q", "--stats-out",
                          f"{folder}/runner.json"])
            simulator.send_signal(signal.SIGINT)
        return (json.loads(Path(account).read_text()),
                json.loads(Path(f"{folder}/runner.json").read_text()))


def main():
    options = bench_parser(__doc__).parse_args()
    rows = []
    for step_ms in (10, 8):
        for _ in range(options.rounds):
            simulator, runner = streamed(options.bin_dir, step_ms)
            tokens = simulator["generation_tokens"]
            rows.append([str(step_ms), f"{tokens / runner['load_s']:,.0f}",
                         *(f"{simulator[f'step_lateness_{key}_ms']:.2f}"
                           for key in ("p50", "p99", "max")),
                         f"{simulator['process']['cpu_s'] / tokens * 1e6:.1f}",
                         f"{runner['busy_cpu_s'] / tokens * 1e6:.1f}"])
    print(machine())
    print_table(["step ms", "tokens / s", "late p50 ms", "p99", "max", "simulator CPU µs / token",
                 "client CPU µs / token"], rows)


if __name__ == "__main__":
    main()
