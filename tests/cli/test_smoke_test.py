"""smoke_test: a line per check, and it fails when a tool does."""

import os
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

from support.run_tool import run_tool, tool_path

TOOLS = ("workload_gen", "gpu_mem_sampler", "request_runner", "run_memory_profile",
         "vllm_simulator")


def run_in(folder, temporary):
    return subprocess.run([Path(folder, "smoke_test")], capture_output=True, text=True, timeout=60,
                          env=os.environ | {"TMPDIR": temporary})


class SmokeTest(unittest.TestCase):
    def setUp(self):
        made = tempfile.TemporaryDirectory()
        self.addCleanup(made.cleanup)
        self.tools, self.temporary = Path(made.name, "tools"), Path(made.name, "tmp")
        self.tools.mkdir()
        self.temporary.mkdir()
        shutil.copy2(tool_path("smoke_test"), self.tools)
        for tool in TOOLS:
            (self.tools / tool).symlink_to(tool_path(tool))

    def test_all_is_well_and_nothing_is_left(self):
        ended = run_in(self.tools, str(self.temporary))
        self.assertEqual((ended.returncode, ended.stderr), (0, ""), ended.stdout)
        lines = ended.stdout.splitlines()
        self.assertEqual([line.split(":")[0] for line in lines], [f"ok   {tool}" for tool in TOOLS])
        self.assertEqual(list(self.temporary.iterdir()), [])

    def test_a_broken_tool_fails_its_check_alone(self):
        for tool, broken, words in (
                ("workload_gen", "exit 3", "exit code 3 instead of 0"),
                ("gpu_mem_sampler", "exit 0", "gpu_mem_trace.csv"),
                ("request_runner", "exit 0", "exit code 0 instead of 1"),
                ("run_memory_profile", "exit 3", "the URL is not named")):
            with self.subTest(tool):
                (self.tools / tool).unlink()
                (self.tools / tool).write_text(f"#!/bin/sh\n{broken}\n")
                (self.tools / tool).chmod(0o755)
                ended = run_in(self.tools, str(self.temporary))
                self.assertEqual(ended.returncode, 1, ended.stdout)
                failed = [line for line in ended.stdout.splitlines() if line.startswith("FAIL ")]
                self.assertTrue(failed and failed[0].startswith(f"FAIL {tool}: "), ended.stdout)
                self.assertIn(words, failed[0])
                self.assertEqual(list(self.temporary.iterdir()), [])
                (self.tools / tool).unlink()
                (self.tools / tool).symlink_to(tool_path(tool))

    def test_a_simulated_run_that_is_not_what_it_should_be(self):
        # A copy of the orchestrator, not a link to it, finds its tools here.
        for tool in ("run_memory_profile", "vllm_simulator"):
            (self.tools / tool).unlink()
        shutil.copy2(tool_path("run_memory_profile"), self.tools)
        (self.tools / "server_metrics_sampler").symlink_to(tool_path("server_metrics_sampler"))
        real = tool_path("vllm_simulator")
        for script, words in (
                ('echo "vllm_simulator: error: no" >&2; exit 2', "exit code 2 instead of 0: "),
                (f'eval exec {real} $(echo "$*" | sed s/override=128/override=4000/)',
                 "no preemption at 16")):
            with self.subTest(words):
                simulator = self.tools / "vllm_simulator"
                simulator.write_text(f"#!/bin/sh\n{script}\n")
                simulator.chmod(0o755)
                ended = run_in(self.tools, str(self.temporary))
                self.assertEqual(ended.returncode, 1, ended.stdout)
                self.assertRegex(ended.stdout, f"(?m)^FAIL vllm_simulator: .*{words}")
                self.assertEqual(ended.stdout.count("FAIL"), 1, ended.stdout)
                self.assertEqual(list(self.temporary.iterdir()), [])

    def test_a_tool_that_is_missing(self):
        (self.tools / "request_runner").unlink()
        ended = run_in(self.tools, str(self.temporary))
        self.assertEqual(ended.returncode, 1)
        self.assertRegex(ended.stdout, "(?m)^FAIL request_runner: .*request_runner is not there")

    def test_flags(self):
        self.assertEqual(run_tool("smoke_test", "--help").returncode, 0)
        ended = run_tool("smoke_test", "--fast")
        self.assertEqual((ended.returncode, ended.stdout), (2, ""))
        self.assertIn("--fast", ended.stderr)


if __name__ == "__main__":
    unittest.main()
