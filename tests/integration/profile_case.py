"""What the tests of run_memory_profile share."""

import contextlib
import itertools
import json
import os
import signal
import socket
import tempfile
import time
import unittest
from pathlib import Path

from support.answers import hang
from support.run_tool import bin_dir, open_folder, pid_of, read_csv, run_tool, start_tool
from support.scripted_server import completion_as_asked, models

SMALL = ["--input-lens", "64", "--output-lens", "4", "--concurrencies", "2",
         "--prefix-modes", "low", "--n-per-condition", "4", "--group-pause-s", "0",
         "--baseline-s", "0.3", "--tail-s", "0.3",
         "--gpu-interval-ms", "20"]
FAKE_GPUS = {"LD_LIBRARY_PATH": str(bin_dir().parent / "fake_nvml"), "FAKE_NVML_GPUS": "2"}
REQUEST_COLUMNS = ("req_id,input_len,output_len,concurrency_group,start_ts,end_ts,status,"
                   "prompt_tokens,completion_tokens,prefix_mode,rep,scheduled_ts,first_token_ts,"
                   "cached_tokens,http_status,in_flight_at_start,error_detail").split(",")
GPU_COLUMNS = "timestamp,gpu_idx,used_mib,total_mib,util_pct".split(",")


def answers(chat=completion_as_asked, **more):
    """A vLLM that serves `tiny`, has a version, and answers chats as `chat` says."""
    table = {"/v1/models": models(["tiny"]),
             "/version": b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n{\"version\":\"0.32.0\"}",
             "/v1/chat/completions": chat}
    return table | {"/" + key.replace("__", "/"): value for key, value in more.items()}


def held(request):
    """Answered as asked for, but not before server.release()."""
    answer = completion_as_asked(request)
    return [hang(), *(answer if isinstance(answer, list) else [answer])]


def first(count, then):
    """The first `count` chats are answered as asked for, all others by `then`."""
    calls = itertools.count()
    return lambda request: completion_as_asked(request) if next(calls) < count else then


def posts(server):
    return [request for request in server.requests if request.method == "POST"]


def loaded(server):
    """Whether two chats are in flight; the questions before the load may overlap, too."""
    return sum(request.ended is None for request in posts(server)) == 2


def limited(seconds=60):
    """As contained(), but in this PID namespace: what a tool leaves behind stays to be found."""
    prefix = ["prlimit", "--nproc=400", "--", "timeout", "--kill-after=2", str(seconds)]
    if os.geteuid() != 0:
        return tuple(prefix[3:])
    return ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--", *prefix)


def closed_port():
    """(socket that holds it, number): connections are refused while the socket lives."""
    holder = socket.socket()
    holder.bind(("127.0.0.1", 0))
    return holder, holder.getsockname()[1]


def descendants(pid):
    pending, found = [pid], []
    while pending:
        with contextlib.suppress(OSError):
            children = Path(f"/proc/{pending[-1]}/task/{pending[-1]}/children").read_text().split()
            pending.pop()
            pending += map(int, children)
            found += map(int, children)
            continue
        pending.pop()
    return found


def name_of(pid):
    with contextlib.suppress(OSError):
        return os.path.basename(os.readlink(f"/proc/{pid}/exe"))


def is_gone(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


class ProfileCase(unittest.TestCase):
    def setUp(self):
        self._folder = tempfile.TemporaryDirectory()
        self.addCleanup(self._folder.cleanup)
        self.out = Path(open_folder(self._folder.name))

    def arguments(self, server, *more, output_dir=None):
        """SMALL, but for the flags that `more` has."""
        url = server if isinstance(server, str) else server.url + "/v1"
        small = [part for flag, value in zip(SMALL[::2], SMALL[1::2]) if flag not in more
                 for part in (flag, value)]
        return ["--base-url", url, "--output-dir", str(output_dir or self.out), *small, *more]

    def profile(self, server, *more, env=None, timeout=40, output_dir=None, **popen):
        """A whole run: how it ended, and its folder (None when it made none)."""
        arguments = self.arguments(server, *more, output_dir=output_dir)
        ended = run_tool("run_memory_profile", *arguments, env=env, timeout=timeout,
                         prefix=limited(), **popen)
        return ended, Path(ended.stdout.strip()) if ended.stdout.strip() else None

    @contextlib.contextmanager
    def running(self, server, *more, env=None):
        """A run under way: its process, its pid (not the prefix's)."""
        with start_tool("run_memory_profile", *self.arguments(server, *more), env=env,
                        prefix=limited()) as process:
            yield process, pid_of(process, "run_memory_profile")

    def wait_until(self, condition, what, timeout=15):
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            value = condition()
            if value:
                return value
            time.sleep(0.01)
        self.fail(f"not within {timeout} s: {what}")

    def run_folder(self):
        return self.wait_until(lambda: next(iter(self.out.glob("20*")), None), "a run folder")

    def assert_gone(self, pids, seconds=3):
        try:
            self.wait_until(lambda: all(map(is_gone, pids)), f"the end of {pids}", seconds)
        finally:
            for pid in pids:  # a bug here must not outlive the test
                if not is_gone(pid):
                    with contextlib.suppress(OSError):
                        os.kill(pid, signal.SIGKILL)

    def assert_files_parse(self, folder):
        """All that is there is whole; the manifest is always there."""
        if (folder / "request_trace.csv").exists():
            self.assertEqual(read_csv(folder / "request_trace.csv")[0], REQUEST_COLUMNS)
        if (folder / "gpu_mem_trace.csv").exists():
            self.assertEqual(read_csv(folder / "gpu_mem_trace.csv")[0], GPU_COLUMNS)
        if (folder / "summary.json").exists():
            json.loads((folder / "summary.json").read_text())
        return json.loads((folder / "manifest.json").read_text())

    def assert_one_error(self, ended, code, *words):
        self.assertEqual(ended.returncode, code, ended.stderr)
        lines = ended.stderr.splitlines()
        self.assertTrue(lines and lines[-1].startswith("run_memory_profile: error: "), ended.stderr)
        self.assertEqual(ended.stderr.count(": error: "), 1, ended.stderr)
        for word in words:
            self.assertIn(word, lines[-1])
