"""Runs run_memory_profile for long and observes every process of it; see scripts/soak.sh --help."""

import argparse
import json
import os
import signal
import statistics
import subprocess
import sys
import time
from pathlib import Path

import findings
from observer import Observer, machine_busy_s

ROOT = Path(__file__).resolve().parents[2]
LOOK_EVERY_S = 10
PAUSE_S = 5
# Per server: one concurrency, so that the load is the same from first to last, and about how long a
# condition takes on two cores, its pause included.
SHAPES = {
    "vllm": {"flags": ["--concurrencies", "2", "--n-per-condition", "8", "--vocab-size", "8192"],
             "condition_s": 6.8},
    "simulator": {"flags": ["--concurrencies", "8", "--n-per-condition", "64"],
                  "condition_s": 8},
}
CONDITIONS_PER_LENGTH = 2  # the prefix modes


def say(words):
    print(f"soak.sh: {words}", file=sys.stderr, flush=True)


def parse_args():
    parser = argparse.ArgumentParser(prog="scripts/soak.sh", add_help=False)
    parser.add_argument("seconds", nargs="?", type=int, default=3600)
    parser.add_argument("--in-turn", action="store_true")
    parser.add_argument("--only", choices=SHAPES)
    parser.add_argument("--output-dir", type=Path, default=ROOT / "results" / "soak")
    options = parser.parse_args()
    if options.seconds < 30:
        parser.error("SECONDS must be at least 30: a baseline and some requests")
    return options


class Run:
    """One run of run_memory_profile and what is seen of it."""

    def __init__(self, name, options, server):
        self.name = name
        self._folder = options.output_dir / name
        self._folder.mkdir(parents=True, exist_ok=True)
        self._before = set(self._folder.iterdir())
        shape = SHAPES[name]
        lengths = max(1, round(options.seconds / shape["condition_s"] / CONDITIONS_PER_LENGTH))
        self._command = [
            f"{os.environ['MEMPROF_BIN_DIR']}/run_memory_profile", *server,
            "--output-dir", str(self._folder), "--schedule", "condition",
            "--input-lens", ",".join(str(64 + i) for i in range(lengths)), "--output-lens", "64",
            *shape["flags"], "--prompt-format", "token-ids", "--stream", "--exact-output",
            "--group-pause-s", str(PAUSE_S), "-q"]

    def start(self):
        self._process = subprocess.Popen(self._command, stdin=subprocess.DEVNULL,
                                         stdout=subprocess.DEVNULL)
        self._observer = Observer(self._process, self._folder)

    def look(self):
        self._observer.look(self._server_pids())

    def is_over(self):
        return self._process.poll() is not None

    def end(self):
        """Early: the run is told to, and leaves its files."""
        if not self.is_over():
            self._process.send_signal(signal.SIGINT)
            self._process.wait(60)

    def _run_folder(self):
        return next((path for path in self._folder.iterdir() if path not in self._before), None)

    def _server_pids(self):
        try:
            manifest = json.loads((self._run_folder() / "manifest.json").read_text())
            # A simulator is a child as well.
            return [] if manifest["simulated"] else manifest["server"]["pids"]
        except (TypeError, OSError, ValueError, KeyError):
            return []  # the run has not come that far

    def found(self):
        run = findings.of_run(self._run_folder(), self._observer)
        run["exit_code"] = self._process.returncode
        return run, self._observer


def observe(runs):
    """Until all are over; how busy the machine was meanwhile, in percent, by each look."""
    busy, nice, load = [], [], []
    for run in runs:
        run.start()
    begin, (busy_s, nice_s) = time.monotonic(), machine_busy_s()
    try:
        while not all(run.is_over() for run in runs):
            # An end is seen within a second. The first look comes when all is started.
            next_look = begin + LOOK_EVERY_S
            while time.monotonic() < next_look and not all(run.is_over() for run in runs):
                time.sleep(min(1, max(0, next_look - time.monotonic())))
            for run in runs:
                if not run.is_over():
                    run.look()
            now, (now_busy_s, now_nice_s) = time.monotonic(), machine_busy_s()
            whole_s = max(now - begin, 1e-3) * os.cpu_count()
            busy.append(100 * (now_busy_s - busy_s) / whole_s)
            nice.append(100 * (now_nice_s - nice_s) / whole_s)
            load.append(os.getloadavg()[0])
            begin, busy_s, nice_s = now, now_busy_s, now_nice_s
    finally:
        for run in runs:
            run.end()
    return {"busy_pct_median": statistics.median(busy), "busy_pct_max": max(busy),
            "nice_pct_median": statistics.median(nice),
            "load_median": statistics.median(load), "load_max": max(load)}


def start_vllm():
    up = subprocess.run([ROOT / "scripts" / "vllm_cpu.sh", "up", "--name", "soak"],
                        stdout=subprocess.PIPE, text=True, stdin=subprocess.DEVNULL)
    if up.returncode != 0:
        raise SystemExit(3)
    return up.stdout.strip()


def run_all(options, names):
    url = os.environ.get("VLLM_URL")
    started = "vllm" in names and not url
    servers = {"simulator": ["--simulate"],
               "vllm": ["--base-url", start_vllm() if started else url]}
    try:
        runs = [Run(name, options, servers[name]) for name in names]
        groups = [[run] for run in runs] if options.in_turn else [runs]
        machine = [observe(group) for group in groups]
    finally:
        if started:
            subprocess.run([ROOT / "scripts" / "vllm_cpu.sh", "down", "--name", "soak"],
                           stdout=subprocess.DEVNULL, check=False)
    return {run.name: run.found() for run in runs}, machine


def main():
    options = parse_args()
    names = [options.only] if options.only else list(SHAPES)
    say(f"{' and '.join(names)}, about {options.seconds} s"
        f"{' each, one after the other' if options.in_turn and len(names) > 1 else ''}")
    found, machine = run_all(options, names)
    runs = {name: run for name, (run, _) in found.items()}
    path = options.output_dir / "soak.json"
    path.write_text(json.dumps({
        "seconds": options.seconds, "machine": machine, "runs": runs,
        "observed": {name: {"processes": observer.recorded(), "files": observer.file_sizes}
                     for name, (_, observer) in found.items()}}) + "\n")
    print(findings.as_markdown(runs))
    for part in machine:
        print(f"\nThe machine was {part['busy_pct_median']:.0f} % busy in the median of all looks "
              f"(at most {part['busy_pct_max']:.0f} %), {part['nice_pct_median']:.0f} % with nice "
              f"processes; load average {part['load_median']:.1f} "
              f"(at most {part['load_max']:.1f}) on {os.cpu_count()} cores.")
    say(f"everything is in {path}")
    return 0 if all(findings.is_good(run) for run in runs.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
