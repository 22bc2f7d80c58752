"""How punctual gpu_mem_sampler is and what it costs, on a fake driver with 8 GPUs.

    tests/bench/bench_gpu_mem_sampler.py [--bin-dir build/release/bin] [--rounds 3] [--seconds 20]

Lateness: reading begun − deadline, as the sampler's own account says. Drift: how far the last
tick's timestamp is from where the first tick's and the interval put it.
"""

import csv
import json
import statistics
import tempfile
from datetime import datetime
from pathlib import Path

from measure import bench_parser, in_quiet, machine, print_table, run_measured

GPUS = 8


def main():
    parser = bench_parser(__doc__)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--others-pct", type=float, default=10,
                        help="repeat a run in which others used more of the machine's CPU")
    options = parser.parse_args()
    print(machine() + "\n")
    rounds = {interval: [] for interval in (200, 10)}
    for _ in range(options.rounds):
        for interval, results in rounds.items():
            results.append(in_quiet(lambda: measure(options, interval), options.others_pct))
    columns = list(rounds[200][0])
    print_table(["interval ms"] + columns,
                [[interval] + [statistics.median(one[column] for one in results)
                               for column in columns] for interval, results in rounds.items()])


def measure(options, interval):
    driver = Path(options.bin_dir).resolve().parent / "fake_nvml"
    with tempfile.TemporaryDirectory() as folder:
        trace, account = Path(folder, "trace.csv"), Path(folder, "stats.json")
        cost = run_measured(
            [f"{options.bin_dir}/gpu_mem_sampler", "-o", str(trace), "-q", "--backend", "nvml",
             "--interval-ms", str(interval), "--duration", str(options.seconds),
             "--stats-out", str(account)],
            env={"LD_LIBRARY_PATH": str(driver), "FAKE_NVML_GPUS": str(GPUS)})
        ticks = json.loads(account.read_text())["ticks"]
        with open(trace, newline="") as file:
            stamps = [datetime.fromisoformat(row["timestamp"]) for row in csv.DictReader(file)]
    moments = sorted(set(stamps))
    if len(stamps) != GPUS * ticks["taken"]:
        raise SystemExit(f"{len(stamps)} rows for {ticks['taken']} ticks of {GPUS} GPUs")
    passed = (moments[-1] - moments[0]).total_seconds() * 1000
    return {"ticks": ticks["due"], "missed": ticks["missed"],
            "lateness p50 ms": ticks["lateness_p50_ms"],
            "p99 ms": ticks["lateness_p99_ms"], "max ms": ticks["lateness_max_ms"],
            "drift ms": passed - (ticks["due"] - 1) * interval,
            "CPU % of a core": 100 * cost.cpu_s / cost.wall_s, "RSS MiB": cost.rss_mib,
            "others %": cost.others_pct}


if __name__ == "__main__":
    main()
