"""How fast workload_gen writes, and in how much memory.

    tests/bench/bench_workload_gen.py [--bin-dir build/release/bin] [--rounds 3]
"""

import json
import statistics
import tempfile
from pathlib import Path

from measure import bench_parser, machine, print_table, run_measured


def main():
    options = bench_parser(__doc__).parse_args()
    print(machine() + "\n")
    rows = []
    for prompt_format in ("text", "token-ids"):
        for per_condition in (1, 100):
            rows.append(measure(options, prompt_format, per_condition))
    print_table(["prompts", "requests", "MB", "GB / s", "RSS MiB", "CPU s"], rows)


def measure(options, prompt_format, per_condition):
    with tempfile.TemporaryDirectory() as folder:
        account = Path(folder, "stats.json")
        command = [f"{options.bin_dir}/workload_gen", "-o", "/dev/null", "-q", "--prompt-format",
                   prompt_format, "--n-per-condition", str(per_condition), "--stats-out",
                   str(account)]
        costs = [run_measured(command) for _ in range(options.rounds)]
        written = json.loads(account.read_text())
    wall = statistics.median(cost.wall_s for cost in costs)
    rss = max((cost.rss_mib or 0) for cost in costs)
    return [prompt_format, written["process"]["rows"], written["bytes"] / 1e6,
            written["bytes"] / 1e9 / wall, rss or None,
            statistics.median(cost.cpu_s for cost in costs)]


if __name__ == "__main__":
    main()
