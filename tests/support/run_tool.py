"""Runs the tools under test. Whatever a tool started is gone when the call returns."""

import contextlib
import csv
import functools
import json
import os
import re
import signal
import subprocess
import time
from pathlib import Path
from typing import NamedTuple

# Settings of the person who runs the tests must not reach a tool.
_NOT_INHERITED = ("OPENAI_API_KEY", "VLLM_API_KEY", "MEMPROF_CLOCK_ANCHOR", "http_proxy",
                  "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")


class Finished(NamedTuple):
    returncode: int  # negative: ended by that signal
    stdout: str
    stderr: str
    seconds: float


def bin_dir():
    return Path(os.environ["MEMPROF_BIN_DIR"]).resolve()


def tool_path(name):
    return str(bin_dir() / name)


@functools.cache
def build_setting(name):
    """As CMake keeps it for these binaries; none: not known."""
    cache_file = bin_dir().parent / "CMakeCache.txt"
    cache = cache_file.read_text(encoding="utf-8") if cache_file.exists() else ""
    found = re.search(rf"^{name}:\w+=(.*)$", cache, re.MULTILINE)
    return found.group(1) if found else None


def is_sanitized():
    return bool(build_setting("MEMPROF_SANITIZE"))


@contextlib.contextmanager
def start_tool(name, *args, env=None, prefix=(), **popen):
    """A running tool in a process group of its own, which is killed at the end."""
    environment = {key: value for key, value in os.environ.items() if key not in _NOT_INHERITED}
    options = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE,
               "text": True, "errors": "surrogateescape"} | popen
    process = subprocess.Popen([*prefix, tool_path(name), *map(str, args)],
                               env=environment | (env or {}), start_new_session=True, **options)
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(10)
        for pipe in (process.stdin, process.stdout, process.stderr):
            if pipe:
                pipe.close()


def finish(process, timeout=30.0, stdin=None):
    """Waits for the end of the tool and of everything that holds its output open."""
    begin = time.monotonic()
    try:
        stdout, stderr = process.communicate(stdin, timeout)
    except subprocess.TimeoutExpired as late:
        raise AssertionError(f"{process.args} did not end within {timeout} s; "
                             f"stdout: {late.stdout!r} stderr: {late.stderr!r}") from None
    return Finished(process.returncode, stdout, stderr, time.monotonic() - begin)


def run_tool(name, *args, timeout=30.0, stdin=None, env=None, prefix=(), **popen):
    if stdin is not None:
        popen["stdin"] = subprocess.PIPE
    with start_tool(name, *args, env=env, prefix=prefix, **popen) as process:
        return finish(process, timeout, stdin)


def read_csv(path):
    """(header, rows as dicts); an empty cell is None."""
    with open(path, newline="", encoding="utf-8") as file:
        header, *rows = csv.reader(file, strict=True)
    for row in rows:
        assert len(row) == len(header), f"{path}: {len(row)} cells under {len(header)} columns"
    return header, [{key: cell or None for key, cell in zip(header, row)} for row in rows]


def read_jsonl(path):
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file if line.strip()]


@functools.cache
def contained(seconds=60):
    """Command prefix (run_tool's `prefix`) for tools that start processes: a bug of theirs cannot
    outlive the test or fork without end. As root the tool runs as `nobody`, so its folders must be
    open to all (open_folder below). Where the machine grants no namespaces: limits alone."""
    limits = ["prlimit", "--nproc={}", "--", "timeout", "--kill-after=2", str(seconds)]
    namespace = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child=KILL", "--"]
    own_user = ["unshare", "--user", "--map-current-user", "--pid", "--fork", "--mount-proc",
                "--kill-child=KILL", "--"]
    nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--"]
    is_root = os.geteuid() == 0
    limits[1] = f"--nproc={200 + (0 if is_root else _own_tasks())}"
    choices = ([namespace + nobody + limits, nobody + limits, namespace + limits] if is_root
               else [own_user + limits]) + [limits, ["timeout", "--kill-after=2", str(seconds)]]
    for choice in choices:
        probe = subprocess.run([*choice, "test", "-x", str(bin_dir())], capture_output=True,
                               timeout=20)
        if probe.returncode == 0:
            return tuple(choice)
    raise RuntimeError("no way to contain a process tree, not even timeout(1)")


def open_folder(path):
    """Lets a contained tool write below `path`."""
    os.chmod(path, 0o777)
    return path


def pid_of(process, name, timeout=5.0):
    """The pid, as seen from here, of tool `name` below a started prefix; to send it a signal."""
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        pending = [process.pid]
        while pending:
            pid = pending.pop()
            with contextlib.suppress(OSError):
                if os.path.basename(os.readlink(f"/proc/{pid}/exe")) == name:
                    return pid
                children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
                pending += map(int, children)
        time.sleep(0.01)
    raise AssertionError(f"no {name} below {process.args}")


def _own_tasks():
    """RLIMIT_NPROC counts all threads of the user: its limit stands above what runs already."""
    count = 0
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if folder.stat().st_uid == os.geteuid():
                count += len(os.listdir(folder / "task"))
    return count
