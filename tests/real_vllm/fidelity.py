"""The same requests to a real vLLM and to vllm_simulator with the same blocks and limits.

    PYTHONPATH=tests MEMPROF_BIN_DIR=build/release/bin python3 tests/real_vllm/fidelity.py --rounds 5

prints the figures of docs/simulator.md."""

import argparse
import re
import statistics
import subprocess
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import NamedTuple

from support.run_tool import finish, read_csv, run_tool, start_tool

from servers import SCRIPTS, VllmServer, read_metrics

BLOCKS, BLOCK_TOKENS = 192, 32
ALL_HAVE_ARRIVED_S = 1.5
LIMITS = {"blocks": BLOCKS, "max-len": 4096, "max-num-seqs": 64}
STEP = re.compile(r"Iteration\(\d+\): (\d+) context requests, (\d+) context tokens, (\d+) "
                  r"generation requests, (\d+) generation tokens, .*KV cache usage: ([\d.]+)%")
COUNTERS = ("num_preemptions", "prefix_cache_queries", "prefix_cache_hits", "prompt_tokens",
            "generation_tokens")
TOKEN_IDS = ("--prompt-format", "token-ids", "--vocab-size", "8192")


class Observed(NamedTuple):
    tokens: dict    # req_id -> (prompt, completion, cached)
    counters: dict  # what they grew by
    steps: list     # (context requests and tokens, generation requests and tokens, usage in %)

    @property
    def peak_pct(self):
        return max(float(step[4]) for step in self.steps)

    @property
    def peak_blocks(self):
        return round(self.peak_pct / 100 * (BLOCKS - 1))


class RealServer(VllmServer):
    ENVIRONMENT = {"VLLM_SERVER_DEV_MODE": "1"}  # for /pause and /resume

    def __init__(self):
        super().__init__("fidelity", "--blocks", str(BLOCKS), "--max-len", str(LIMITS["max-len"]),
                         "--max-num-seqs", str(LIMITS["max-num-seqs"]), "--",
                         "--enable-logging-iteration-details")

    def log(self):
        return subprocess.run([SCRIPTS / "vllm_cpu.sh", "logs", "--name", self.name],
                              stdout=subprocess.PIPE, text=True, timeout=60, check=True).stdout


class SimulatedServer:
    """vllm_simulator, planning synchronously as vLLM does on CPUs."""

    def __init__(self, folder):
        self._log = Path(folder) / "simulator.log"
        self._file = self._log.open("w")
        self._started = start_tool(
            "vllm_simulator", "--num-gpu-blocks-override", BLOCKS, "--block-size", BLOCK_TOKENS,
            "--max-model-len", LIMITS["max-len"], "--max-num-seqs", LIMITS["max-num-seqs"],
            "--max-num-batched-tokens", 2048, "--no-async-scheduling", "--served-model-name",
            "tiny", "--step-ms", 3, "--prefill-token-us", 3, "--sequence-us", 40,
            "--kv-token-ns", 0, "--enable-logging-iteration-details",
            stderr=self._file)
        self._process = self._started.__enter__()
        self.url = self._process.stdout.readline().strip()

    def down(self):
        self._process.terminate()
        self._process.wait(10)
        self._started.__exit__(None, None, None)
        self._file.close()

    def log(self):
        return self._log.read_text()

    def metrics(self):
        return read_metrics(self.url)


def steps_of(server):
    return [match.groups() for match in map(STEP.search, server.log().splitlines()) if match]


def settled_steps(server):
    """All steps of a server that is idle: its log may come a moment later."""
    before, steps = None, steps_of(server)
    while before != len(steps):
        before = len(steps)
        time.sleep(0.3)
        steps = steps_of(server)
    return steps


def counters_of(server):
    now = server.metrics()
    return {name: int(now[f"vllm:{name}_total"]) for name in COUNTERS}


def ask(server, path):
    request = urllib.request.Request(server.url.removesuffix("/v1") + path, method="POST")
    with urllib.request.urlopen(request, timeout=30) as answer:
        assert answer.status == 200


def observe(server, folder, *options, held=False):
    """One workload from start to end; the cache is as earlier ones left it, under another salt.
    `held`: all requests of its one group are there before the first step."""
    workload, trace = Path(folder) / "workload.jsonl", Path(folder) / "trace.csv"
    done = run_tool("workload_gen", "-o", workload, *TOKEN_IDS, *options)
    assert done.returncode == 0, done.stderr
    known, before = len(settled_steps(server)), counters_of(server)
    if held:
        ask(server, "/pause?mode=keep")
    with start_tool("request_runner", workload, "-o", trace, "--base-url", server.url,
                    "--exact-output", "--stream", "--cache-salt", "per-run", "--group-pause-s",
                    "0") as runner:
        if held:
            time.sleep(ALL_HAVE_ARRIVED_S)
            ask(server, "/resume")
        done = finish(runner, 180)
    assert done.returncode == 0, done.stderr
    steps = settled_steps(server)[known:]
    grown = {name: value - before[name] for name, value in counters_of(server).items()}
    tokens = {row["req_id"]: tuple(int(row[key]) for key in
                                   ("prompt_tokens", "completion_tokens", "cached_tokens"))
              for row in read_csv(trace)[1]}
    return Observed(tokens, grown, steps)


def grid(inputs, outputs, concurrency, mode="low", n="auto"):
    return ("--input-lens", inputs, "--output-lens", outputs, "--concurrencies", str(concurrency),
            "--prefix-modes", mode, "--n-per-condition", str(n))


ONE_AT_A_TIME = grid("100,333,800,2000", "1,40", 1, "low,high", 3)
WITH_ROOM = {
    "4 × (256 + 64)": grid("256", "64", 4),
    "8 × (100 + 60)": grid("100", "60", 8),
    "16 × (64 + 128)": grid("64", "128", 16),
    "16 × (300 + 40), 90 % shared": grid("300", "40", 16, "high"),
}
WITHOUT_ROOM = {
    "48 × (64 + 512)": grid("64", "512", 48),
    "32 × (200 + 200)": grid("200", "200", 32),
    "24 × (400 + 300), 90 % shared": grid("400", "300", 24, "high"),
}


def spread(values):
    low, high = min(values), max(values)
    return f"{low}" if low == high else f"{statistics.mean(values):.1f} ({low}–{high})"


def print_table(real, simulated, rounds):
    print("| load | | preemptions | hit tokens | peak KV blocks | steps |\n|---|---|---|---|---|---|")
    loads = [("one at a time", ONE_AT_A_TIME, False)]
    for held in (True, False):
        loads += [(name + (", held" if held else ""), options, held)
                  for name, options in {**WITH_ROOM, **WITHOUT_ROOM}.items()]
    for name, options, held in loads:
        for label, server in (("vLLM", real), ("simulator", simulated)):
            with tempfile.TemporaryDirectory() as folder:
                seen = [observe(server, folder, *options, held=held) for _ in range(rounds)]
            figures = ([run.counters["num_preemptions"] for run in seen],
                       [run.counters["prefix_cache_hits"] for run in seen],
                       [run.peak_blocks for run in seen], [len(run.steps) for run in seen])
            print(f"| {name} | {label} | " + " | ".join(map(spread, figures)) + " |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    with tempfile.TemporaryDirectory() as folder:
        real, simulated = RealServer(), SimulatedServer(folder)
        try:
            print_table(real, simulated, parser.parse_args().rounds)
        finally:
            simulated.down()
            real.down()


if __name__ == "__main__":
    main()
