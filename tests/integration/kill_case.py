"""Runs of the whole toolkit that are killed: one run, one SIGKILL, what is left."""

import collections
import contextlib
import json
import os
import pty
import re
import signal
import threading
import time
from pathlib import Path
from typing import NamedTuple

from integration.profile_case import is_gone, limited, name_of
from support.run_tool import start_tool

CHILDREN = ("vllm_simulator", "workload_gen", "gpu_mem_sampler", "server_metrics_sampler",
            "request_runner")
ORCHESTRATOR = "run_memory_profile"
EVERYTHING = "run_memory_profile and all its children"
# Less than a second, with rows of all four tools all the time.
RUN = ["--simulate", "--input-lens", "512,8192", "--output-lens", "16", "--concurrencies", "4,8",
       "--n-per-condition", "6", "--group-pause-s", "0.02", "--baseline-s", "0.08", "--tail-s",
       "0.08", "--gpu-interval-ms", "5", "--metrics-interval-ms", "10", "--calibrate", "yes",
       "--stream", "--", "--speed", "4"]
GROWING = ("workload.jsonl", "request_trace.csv", "gpu_mem_trace.csv", "server_metrics_trace.csv")
PATIENCE = 60  # seconds; a sanitizer's run on a busy machine is long in itself


class Killed(NamedTuple):
    """What a run left, and how far it was."""
    target: str
    phase: str
    returncode: int
    said: str  # all that was on its terminal
    stdout: str
    folder: Path | None
    before: dict  # bytes of the growing files just before the kill


class Terminal:
    """Where a run shows its progress: a terminal gets every change of it."""

    def __init__(self):
        self._master, self.slave = pty.openpty()
        self._text = bytearray()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        with contextlib.suppress(OSError):  # EIO: nobody has the other side open any more
            while piece := os.read(self._master, 65536):
                self._text += piece

    def close(self):
        """All that was written, when its writers have ended."""
        os.close(self.slave)
        self._reader.join(10)
        os.close(self._master)
        return self._text.decode().replace("\r\n", "\n")


def members(session):
    """The living processes of a session: all descendants, also those whose parent is gone."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
            if fields[0] != "Z" and int(fields[3]) == session:
                found.append(int(folder.name))
    return found


def phase_of(names, folder):
    """How far a run is, by the children that it has."""
    if "request_runner" in names:
        return "load"
    if "workload_gen" in names:
        return "workload"
    if "gpu_mem_sampler" in names or "server_metrics_sampler" in names:
        return "tail" if (folder / "request_trace.csv").exists() else "baseline"
    if folder is None or not (folder / "workload.jsonl").exists():
        return "start"
    return "end"


def growing_files(folder):
    found = {}
    for name in GROWING:
        with contextlib.suppress(OSError, TypeError):
            found[name] = (folder / name).read_bytes()
    return found


class Run:
    """One run under way in a folder of its own."""

    def __init__(self, out):
        self._out = out
        self._terminal = Terminal()
        arguments = [*RUN[:1], "--output-dir", str(out), *RUN[1:]]
        self._context = start_tool(ORCHESTRATOR, *arguments, prefix=limited(PATIENCE),
                                   stderr=self._terminal.slave)

    def __enter__(self):
        self._process = self._context.__enter__()
        return self

    def __exit__(self, *error):
        for pid in members(self._process.pid):  # a bug here must not outlive the test
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        return self._context.__exit__(*error)

    def folder(self):
        return next(iter(self._out.glob("20*")), None)

    def tools(self):
        """name -> pid of the tools that run."""
        pids = sorted(members(self._process.pid), reverse=True)  # a fork before its exec comes last
        return {name_of(pid): pid for pid in pids}

    def await_tool(self, name):
        """Its pid, as soon as it runs; None when the run ends without it."""
        while self._process.poll() is None:
            if pid := self.tools().get(name):
                return pid
            time.sleep(0.0005)
        return None

    def kill(self, target, delay):
        """Sends SIGKILL so many seconds after the target began. What is left afterwards."""
        pid = self.await_tool(ORCHESTRATOR if target == EVERYTHING else target)
        time.sleep(delay)
        tools = self.tools()
        phase = phase_of(tools, self.folder())
        before = growing_files(self.folder())
        for victim in [pid] + (list(tools.values()) if target == EVERYTHING else []):
            if victim and name_of(victim) in (*CHILDREN, ORCHESTRATOR):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(victim, signal.SIGKILL)
        returncode = self._process.wait(PATIENCE)
        self._await_end()
        return Killed(target, phase, returncode, self._terminal.close(),
                      self._process.stdout.read(), self.folder(), before)

    def _await_end(self):
        deadline = time.monotonic() + 15
        while left := members(self._process.pid):
            if time.monotonic() > deadline:
                raise AssertionError(f"left behind: {[name_of(pid) for pid in left]}")
            time.sleep(0.01)


def life_spans(out):
    """Seconds that each tool lives in a run that nobody kills."""
    with Run(out) as run:
        begin = time.monotonic()
        ended = run.kill("nobody", 0)
        whole = time.monotonic() - begin
    if ended.returncode != 0:
        raise AssertionError(ended.said)
    manifest = json.loads((ended.folder / "manifest.json").read_text())
    spans = {child["name"]: seconds(child["ended_ts"]) - seconds(child["started_ts"])
             for child in manifest["children"]}
    return spans | {ORCHESTRATOR: whole, EVERYTHING: whole}


def seconds(timestamp):
    hours, minutes, rest = timestamp.split("T")[1].split("+")[0].split(":")
    return int(hours) * 3600 + int(minutes) * 60 + float(rest)


def requests_said_done(terminal):
    """As the last progress that was shown has it."""
    counts = re.findall(r"(\d+)/\d+ requests, ", terminal)
    return int(counts[-1]) if counts else 0


def table(killed):
    """Kills by target and phase, as in docs/reliability.md."""
    phases = ("start", "workload", "baseline", "load", "tail", "end")
    counts = collections.Counter((one.target, one.phase) for one in killed)
    lines = ["| killed | " + " | ".join(phases) + " | all |", "|---" * (len(phases) + 2) + "|"]
    for target in (*CHILDREN, ORCHESTRATOR, EVERYTHING):
        row = [counts[target, phase] for phase in phases]
        lines.append(f"| {target} | {' | '.join(map(str, row))} | {sum(row)} |")
    return "\n".join(lines)
