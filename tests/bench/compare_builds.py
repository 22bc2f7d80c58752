"""What a change costs: the benchmarks and request_runner of two builds, in turns.

    tests/bench/compare_builds.py BEFORE_BIN_DIR AFTER_BIN_DIR [--rounds 7]
        [--scenarios S1,S3] [--benches formats_bench,server_metrics_bench]

Both folders are build/release/bin of a checkout that is configured with -DMEMPROF_BUILD_BENCH=ON.
A row is the median over the rounds; the ratio is the median of each round's own, after ÷ before,
and of the least of all rounds. Times are CPU time: ns, for request_runner ms a request or µs a
token.
"""

import argparse
import json
import statistics
import subprocess
import tempfile
from pathlib import Path
from types import SimpleNamespace

from bench_request_runner import SCENARIOS, Inputs, measure
from measure import machine, print_table

BENCHES = "formats_bench,server_metrics_bench,http_server_bench,simulator_bench"


def google_benchmarks(bin_dir, name):
    done = subprocess.run([Path(bin_dir, name), "--benchmark_format=json",
                           "--benchmark_min_time=0.1"], capture_output=True, check=True, timeout=300)
    return {f"{name}: {each['name']}": each["cpu_time"]
            for each in json.loads(done.stdout)["benchmarks"]}


def load_of(bin_dir, name, inputs, folder):
    cost = measure("request_runner", SCENARIOS[name], inputs, folder,
                   SimpleNamespace(bin_dir=bin_dir))
    return {f"request_runner: {name}": cost["unit"]}


def in_turns(options, once):
    """One table row per figure that both builds have."""
    rounds = []
    for number in range(options.rounds):
        pair = (options.before, options.after)
        measured = {build: once(build) for build in (pair if number % 2 == 0 else pair[::-1])}
        rounds.append([measured[build] for build in pair])
    for figure in rounds[0][0].keys() & rounds[0][1].keys():
        before, after = ([one[side][figure] for one in rounds] for side in (0, 1))
        yield [figure, float(statistics.median(before)), float(statistics.median(after)),
               statistics.median(a / b for a, b in zip(after, before)), min(after) / min(before)]


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("before")
    parser.add_argument("after")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--scenarios", default="S1,S3")
    parser.add_argument("--benches", default=BENCHES)
    options = parser.parse_args()
    print(machine())
    rows = []
    for name in filter(None, options.benches.split(",")):
        rows += sorted(in_turns(options, lambda build: google_benchmarks(build, name)))
    for name in filter(None, options.scenarios.split(",")):
        with tempfile.TemporaryDirectory() as folder:
            inputs = Inputs(SCENARIOS[name], Path(folder))
            rows += in_turns(options, lambda build: load_of(build, name, inputs, Path(folder)))
    print_table(["what", "before", "after", "after ÷ before", "of the least"], rows)


if __name__ == "__main__":
    main()
