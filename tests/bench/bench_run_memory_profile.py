"""What the orchestrator adds to the load's own time: the wall time of a whole run, without baseline
and tail, less its request_runner's, on a mock server whose answers take 50 ms.

    tests/bench/bench_run_memory_profile.py [--bin-dir build/release/bin] [--rounds 3]
"""

import json
import statistics
import tempfile
from pathlib import Path

from measure import MockServer, bench_parser, machine, print_table, run_measured

GRIDS = {"4 short prompts": ("--input-lens", "100", "--concurrencies", "4"),
         "the default grid": ()}


def added(options, url, grid):
    """(wall s, load s) of one run."""
    with tempfile.TemporaryDirectory() as folder:
        cost = run_measured([
            f"{options.bin_dir}/run_memory_profile", "--base-url", url, "--output-dir", folder,
            "--gpu-backend", "none", "--baseline-s", "0", "--tail-s", "0", "-q", *grid])
        account = json.loads((Path(cost.stdout.strip()) / "logs" / "request_runner.stats.json")
                             .read_text())
    return cost.wall_s, account["load_s"]


def main():
    options = bench_parser(__doc__).parse_args()
    print(machine() + "\n")
    rows = []
    with MockServer(f"{options.bin_dir}/bench_mock_server", "--delay-ms", 50) as server:
        for what, grid in GRIDS.items():
            runs = [added(options, server.url + "/v1", grid) for _ in range(options.rounds)]
            rows.append([what, statistics.median(load for _, load in runs),
                         statistics.median(wall - load for wall, load in runs)])
    print_table(["grid", "load s", "added s"], rows)


if __name__ == "__main__":
    main()
