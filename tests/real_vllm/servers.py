"""Real vLLM servers on the CPU, started and ended through scripts/vllm_cpu.sh."""

import atexit
import functools
import os
import re
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"
BLOCK_TOKENS = 32
CONTEXT = 40960


def read_metrics(base_url):
    """The current value of each metric, summed over its label sets."""
    values = {}
    with urllib.request.urlopen(base_url.removesuffix("/v1") + "/metrics", timeout=30) as page:
        for line in page.read().decode().splitlines():
            if line and not line.startswith("#"):
                name, value = re.fullmatch(r"([\w:]+)(?:\{.*\})? (\S+)", line).groups()
                values[name] = values.get(name, 0) + float(value)
    return values


class VllmServer:
    """One server; its name holds this process's id, so that test runs never share one."""

    ENVIRONMENT = {}  # in addition to this process's own

    def __init__(self, name, *options):
        self.name = f"test-{os.getpid()}-{name}"
        self._command("up", *options)
        self.pids = self.living_pids()  # API server, engine, worker; the API server first

    def _command(self, command, *options):
        done = subprocess.run([SCRIPTS / "vllm_cpu.sh", command, "--name", self.name, *options],
                              stdout=subprocess.PIPE, text=True, timeout=400,
                              env=os.environ | self.ENVIRONMENT)
        if done.returncode != 0:
            raise RuntimeError(f"vllm_cpu.sh {command} ended with {done.returncode}")
        if command == "up":
            atexit.register(self._command, "down", "--forget")
            self.url = done.stdout.strip()

    def down(self):
        self._command("down")

    def living_pids(self):
        status = subprocess.run([SCRIPTS / "vllm_cpu.sh", "status"], stdout=subprocess.PIPE,
                                text=True, timeout=60).stdout
        found = re.search(rf"^{self.name}  .*processes ([\d ]+)$", status, re.MULTILINE)
        return [int(pid) for pid in found[1].split()] if found else []

    def kill_api_server(self):
        os.kill(self.pids[0], signal.SIGKILL)

    def metrics(self):
        return read_metrics(self.url)

    def tokens(self):
        """(prompt, generated) tokens since the server's start, as the server itself counts."""
        now = self.metrics()
        return now["vllm:prompt_tokens_total"], now["vllm:generation_tokens_total"]


@functools.cache
def shared_server():
    """The one server that most tests use: free for all, room for the default grid."""
    return VllmServer("shared")


# Servers are ended when the tests are told to end, too.
signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
