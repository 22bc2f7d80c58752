"""run_memory_profile --simulate when the simulator does not come up: nothing is kept."""

import json
import os
import shutil
import signal
import subprocess
import time
import unittest

from integration.profile_case import ProfileCase, closed_port, descendants
from support.run_tool import finish, run_tool, tool_path

TOOLS = ("workload_gen", "gpu_mem_sampler", "server_metrics_sampler", "request_runner")


class Start(ProfileCase):
    def setUp(self):
        super().setUp()
        self.tools = self.out / "tools"
        self.runs = self.out / "runs"
        self.tools.mkdir()
        shutil.copy2(tool_path("run_memory_profile"), self.tools)
        for tool in TOOLS:
            (self.tools / tool).symlink_to(tool_path(tool))

    def simulate(self, script, *arguments):
        """Starts a run whose vllm_simulator is this shell script; its process."""
        simulator = self.tools / "vllm_simulator"
        simulator.write_text(f"#!/bin/sh\n{script}\n")
        simulator.chmod(0o755)
        process = subprocess.Popen(
            [self.tools / "run_memory_profile", "--simulate", "--output-dir", self.runs,
             *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True)
        self.addCleanup(self.end, process)
        return process

    @staticmethod
    def end(process):
        process.kill()
        process.wait(10)
        for pipe in (process.stdout, process.stderr):
            pipe.close()

    def assert_nothing_kept(self):
        self.assertEqual(list(self.runs.glob("*")), [])

    def test_what_it_refuses_is_said_in_its_own_words(self):
        for code, ours in ((2, 2), (3, 3), (1, 3)):
            with self.subTest(code):
                ended = finish(self.simulate(
                    f'echo "vllm_simulator: error: --speed: odd: $1" >&2; exit {code}',
                    "--", "--speed=odd"))
                self.assert_one_error(ended, ours, "vllm_simulator",
                                      f"exit code {code}: --speed: odd: --speed=odd")
                self.assertEqual(ended.stdout, "")
                self.assert_nothing_kept()

    def test_one_that_is_killed(self):
        ended = finish(self.simulate("kill -9 $$"))
        self.assert_one_error(ended, 3, "vllm_simulator", "signal 9")
        self.assert_nothing_kept()

    def test_one_that_ends_in_good_order(self):
        ended = finish(self.simulate("echo usage >&2"))
        self.assert_one_error(ended, 2, "vllm_simulator ended at once", "after --")
        self.assert_nothing_kept()

    def test_one_that_serves_nothing(self):
        holder, port = closed_port()
        with holder:
            process = self.simulate(f"echo $$ >{self.out}/pid; echo http://127.0.0.1:{port}/v1;"
                                    "exec sleep 60")
            ended = finish(process)
        self.assert_one_error(ended, 3, f"127.0.0.1:{port}", "refused")
        self.assert_gone([int((self.out / "pid").read_text())], 1)
        self.assert_nothing_kept()

    def test_a_start_that_is_killed_says_so(self):
        process = self.simulate("exec sleep 60")
        children = self.wait_until(lambda: descendants(process.pid), "the simulator")
        process.kill()
        process.wait(10)
        manifest = json.loads(next(self.runs.glob("*/manifest.json")).read_text())
        self.assertIs(manifest["interrupted"], True)
        self.assertIs(manifest["simulated"], True)
        self.assert_gone(children, 5)

    def test_a_signal_while_it_comes_up(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            with self.subTest(number):
                process = self.simulate("exec sleep 60")
                children = self.wait_until(lambda: descendants(process.pid), "the simulator")
                self.wait_until(lambda: list(self.runs.glob("*")), "the folder")
                begin = time.monotonic()
                os.kill(process.pid, number)
                ended = finish(process, 10)
                self.assertEqual((ended.returncode, ended.stdout), (128 + number, ""))
                self.assertLess(time.monotonic() - begin, 3)
                self.assert_gone(children, 1)
                self.assert_nothing_kept()

    def test_killed_while_it_comes_up(self):
        process = self.simulate("exec sleep 60")
        children = self.wait_until(lambda: descendants(process.pid), "the simulator")
        os.kill(process.pid, signal.SIGKILL)
        process.wait(10)
        self.assert_gone(children)

    def test_one_that_is_not_there(self):
        process = self.simulate("")
        finish(process)
        (self.tools / "vllm_simulator").unlink()
        ended = run_tool(self.tools / "run_memory_profile", "--simulate", "--output-dir", self.runs)
        self.assert_one_error(ended, 3, "vllm_simulator is not there")
        self.assert_nothing_kept()


class Flags(unittest.TestCase):
    def refused(self, *arguments):
        ended = run_tool("run_memory_profile", *arguments)
        self.assertEqual((ended.returncode, ended.stdout), (2, ""), ended.stderr)
        self.assertEqual(len(ended.stderr.splitlines()), 1, ended.stderr)
        return ended.stderr

    def test_what_does_not_go_with_simulate_is_named(self):
        for clash in (["--base-url", "http://127.0.0.1:8000/v1"], ["--server-log", "x"],
                      ["--metrics-url", "http://127.0.0.1:1/metrics"], ["--gpu-backend", "nvml"],
                      ["--api-key-file", "x"], ["--ca-file", "x"], ["--insecure"],
                      ["--ready-timeout", "1"]):
            with self.subTest(clash[0]):
                self.assertIn(f"--simulate does not go with {clash[0]} ",
                              self.refused("--simulate", *clash))
        self.assertIn("--base-url, --server-log ",
                      self.refused("--server-log=x", "--simulate", "--base-url=http://x/v1"))

    def test_options_of_the_simulator_without_a_simulator(self):
        self.assertIn("--simulate is missing", self.refused("--", "--speed", "10"))


if __name__ == "__main__":
    unittest.main()
