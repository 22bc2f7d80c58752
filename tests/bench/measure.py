"""What a command costs: CPU of its process tree, memory, wall time; and the mock server's view."""

import argparse
import csv
import json
import os
import platform
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import NamedTuple


class Cost(NamedTuple):
    cpu_s: float  # user + system, of it and of every child it waited for
    start_up_cpu_s: float  # of that, spent before the server saw a first byte; 0: no server
    rss_mib: float | None  # high-water mark of the process itself
    wall_s: float
    others_pct: float  # of the machine's CPU time, used by neither it nor its server
    stderr: str
    stdout: str


class MockServer:
    """bench_mock_server for one run of one client: afterwards .stats (dict), .log (rows)."""

    def __init__(self, binary, *options):
        self._folder = tempfile.TemporaryDirectory()
        self._log = os.path.join(self._folder.name, "log.csv")
        self._process = subprocess.Popen(
            [binary, "--port", "0", "--log", self._log, *map(str, options)],
            stdout=subprocess.PIPE, text=True)
        self.url = self._process.stdout.readline().strip()
        self.pid = self._process.pid
        self.on_first_request = lambda: None
        self._lines = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        for line in self._process.stdout:
            if line == "first request\n":
                self.on_first_request()
            else:
                self._lines.append(line)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(30)
        self._reader.join(5)
        self.stats = json.loads(self._lines[-1])
        with open(self._log, newline="") as file:
            self.log = list(csv.DictReader(file))
        self._folder.cleanup()


def run_measured(command, server=None, timeout=300, env=None, stdout=None, check=True):
    """Runs it to its end; raises when that is not exit 0. stdout: a path, else kept."""
    out = open(stdout, "wb") if stdout else tempfile.TemporaryFile()
    with out, tempfile.TemporaryFile() as err:
        begin, busy = time.monotonic(), _busy_s() - (_cpu_now(server.pid) if server else 0)
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=err,
                                   env=os.environ | (env or {}), start_new_session=True)
        at_start = []
        if server:
            server.on_first_request = lambda: at_start.append(_cpu_now(process.pid))
        watch = _MemoryWatch(process.pid)
        killer = threading.Timer(timeout, os.killpg, (process.pid, signal.SIGKILL))
        killer.start()
        _, status, usage = os.wait4(process.pid, 0)
        killer.cancel()
        wall = time.monotonic() - begin
        busy = _busy_s() - (_cpu_now(server.pid) if server else 0) - busy
        process.returncode = os.waitstatus_to_exitcode(status)
        watch.stop()
        err.seek(0)
        stderr = err.read().decode(errors="replace")
        text = ""
        if not stdout:
            out.seek(0)
            text = out.read().decode(errors="replace")
    if check and process.returncode != 0:
        raise SystemExit(f"{command}: exit {process.returncode}: {stderr[-2000:]}")
    cpu = usage.ru_utime + usage.ru_stime
    return Cost(cpu, at_start[0] if at_start else 0.0, watch.peak_kib and watch.peak_kib / 1024,
                wall, max(0.0, 100 * (busy - cpu) / wall / os.cpu_count()), stderr, text)


class _MemoryWatch:
    """VmHWM every few ms, up to the last look; None when it ended before the first. ru_maxrss would
    show this interpreter's own memory, which a child has until it execs."""

    def __init__(self, pid):
        self.peak_kib = None
        self._pid, self._end = pid, threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def _look(self):
        looks = 0
        while not self._end.wait(0.001 if looks < 100 else 0.02):
            looks += 1
            try:
                for line in Path(f"/proc/{self._pid}/status").read_text().splitlines():
                    if line.startswith("VmHWM:"):
                        self.peak_kib = max(self.peak_kib or 0, int(line.split()[1]))
            except OSError:
                return

    def stop(self):
        self._end.set()
        self._thread.join()


def _cpu_now(pid):
    return time.clock_gettime(~pid << 3 | 2)  # what clock_getcpuclockid(3) gives for a process


def _busy_s():
    with open("/proc/stat") as file:
        user, nice, system, _idle, _wait, irq, soft_irq = map(int, file.readline().split()[1:8])
    return (user + nice + system + irq + soft_irq) / os.sysconf("SC_CLK_TCK")


def in_quiet(measure_once, tolerated_pct, attempts=10):
    """measure_once() → dict with "others %"; again while that is above what is tolerated."""
    for _ in range(attempts):
        result = measure_once()
        if result["others %"] <= tolerated_pct:
            break
        print(f"  again: others used {result['others %']:.0f} % of the machine", file=sys.stderr)
        time.sleep(10)
    return result


def percentile(values, share):
    ordered = sorted(values)
    return ordered[round(share * (len(ordered) - 1))] if ordered else None


def bench_parser(description):
    """What every bench takes."""
    parser = argparse.ArgumentParser(description=description,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin-dir", default="build/release/bin")
    parser.add_argument("--rounds", type=int, default=3)
    return parser


def machine():
    cpu = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo")
                if line.startswith("model name")), platform.machine())
    system = next((line.split("=")[1].strip().strip('"') for line in open("/etc/os-release")
                   if line.startswith("PRETTY_NAME")), platform.system())
    load = os.getloadavg()[0]
    return (f"{os.cpu_count()} × {cpu}, {system}, Linux {platform.release()}; "
            f"load average at start {load:.2f}")


def print_table(header, rows):
    def shown(value):
        if value is None:
            return "–"
        return f"{value:.3g}" if isinstance(value, float) and abs(value) < 100 else (
            f"{value:.0f}" if isinstance(value, float) else str(value))
    print("| " + " | ".join(header) + " |")
    print("|" + "---|" * len(header))
    for row in rows:
        print("| " + " | ".join(map(shown, row)) + " |", flush=True)
