"""run_memory_profile when it is stopped for a while, or has too little of something."""

import contextlib
import json
import os
import shutil
import signal
import time
import unittest
from pathlib import Path

from integration.profile_case import (FAKE_GPUS, ProfileCase, answers, descendants, held,
                                      limited, loaded)
from support.metrics import full_only, metrics_text
from support.run_tool import bin_dir, finish, is_sanitized, pid_of, read_csv, run_tool
from support.scripted_server import ScriptedServer

FIFTY = ("--gpu-interval-ms", "50", "--metrics-interval-ms", "50")
STOPPED = 2  # seconds


def reasons(folder):
    summary = json.loads((folder / "summary.json").read_text())
    return {reason["code"]: reason["severity"] for reason in summary["verdict"]["reasons"]}


def measured(chat=held):
    """A server with /metrics, so that all children run."""
    metrics = full_only(lambda request: metrics_text())
    return answers(chat) | {"/metrics": metrics, "/metrics/": metrics}


def stop_for(pids, seconds):
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    time.sleep(seconds)
    for pid in pids:
        os.kill(pid, signal.SIGCONT)


def processes_of(folder):
    """Those that have the folder in their arguments."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if str(folder).encode() in (process / "cmdline").read_bytes():
                found.append(int(process.name))
    return found


class LostFolder(ProfileCase):
    def lose(self, how):
        with ScriptedServer(measured()) as server:
            with self.running(server, env=FAKE_GPUS) as (process, pid):
                server.wait_for(loaded, 30)
                children = descendants(pid)
                self.assertEqual(len(children), 3)
                folder = self.run_folder()
                how(folder)
                ended = finish(process, 40)
                self.assert_gone(children)
        self.assert_one_error(ended, 3, str(folder), "was removed or moved", "leave it in place")
        self.assertEqual(ended.stdout, "")
        return folder

    def test_removed_in_mid_load(self):
        def remove(folder):
            while folder.exists():  # a file may appear meanwhile
                shutil.rmtree(folder, ignore_errors=True)
        self.lose(remove)
        self.assertEqual(list(self.out.iterdir()), [])

    def test_replaced_in_mid_load(self):
        def replace(folder):
            folder.rename(self.out / "moved")
            folder.mkdir(mode=0o777)
        self.assertEqual(list(self.lose(replace).iterdir()), [])

    def test_moved_in_mid_load(self):
        self.lose(lambda folder: folder.rename(self.out / "moved"))
        self.assertEqual([path.name for path in self.out.iterdir()], ["moved"])
        self.assertIs(self.assert_files_parse(self.out / "moved")["interrupted"], True)


class Stopped(ProfileCase):
    def assert_missed(self, folder, sampler):
        ticks = json.loads((folder / "manifest.json").read_text())["samplers"][sampler]["ticks"]
        self.assertEqual(ticks["due"], ticks["taken"] + ticks["missed"])
        self.assertGreaterEqual(ticks["missed"], (STOPPED - 0.2) / 0.05)
        self.assertEqual(reasons(folder)["ticks_missed"], "warning")

    def test_all_of_it_for_a_while(self):
        with ScriptedServer(measured()) as server:
            with self.running(server, *FIFTY, "--timeout", "30", env=FAKE_GPUS) as (process, pid):
                server.wait_for(loaded, 30)
                stop_for([pid, *descendants(pid)], STOPPED)
                server.release()
                ended = finish(process, 40)
        self.assertEqual(ended.returncode, 0, ended.stderr)
        self.assertNotIn("has not moved for", ended.stderr)
        self.assertIn("readings were missed", " ".join(ended.stderr.split()))
        folder = Path(ended.stdout.strip())
        for sampler in ("gpu_mem_sampler", "server_metrics_sampler"):
            self.assert_missed(folder, sampler)
        rows = read_csv(folder / "request_trace.csv")[1]
        self.assertEqual([row["status"] for row in rows], ["ok"] * 4)
        self.assertEqual(ended.stderr.count("ticks_missed"), 2, ended.stderr)

    def test_a_sampler_for_a_while(self):
        with ScriptedServer(answers(held)) as server:
            with self.running(server, *FIFTY, env=FAKE_GPUS) as (process, _):
                server.wait_for(loaded, 30)
                stop_for([pid_of(process, "gpu_mem_sampler")], STOPPED)
                server.release()
                ended = finish(process, 40)
        self.assertEqual(ended.returncode, 0, ended.stderr)
        self.assert_missed(Path(ended.stdout.strip()), "gpu_mem_sampler")

    def test_a_sampler_for_good(self):
        with ScriptedServer(answers(held)) as server:
            with self.running(server, env=FAKE_GPUS) as (process, pid):
                server.wait_for(loaded, 30)
                sampler = pid_of(process, "gpu_mem_sampler")
                os.kill(sampler, signal.SIGSTOP)
                server.release()
                ended = finish(process, 40)  # SIGINT, SIGTERM and SIGKILL are 8 s apart at most
                self.assert_gone([sampler])
        self.assertEqual(ended.returncode, 1, ended.stderr)
        self.assertIn("gpu_mem_sampler was ended by signal 9", " ".join(ended.stderr.split()))
        folder = Path(ended.stdout.strip())
        self.assertEqual(reasons(folder)["sampler_died"], "invalid")
        child = next(c for c in self.assert_files_parse(folder)["children"]
                     if c["name"] == "gpu_mem_sampler")
        self.assertEqual((child["signal"], child["ended_as_told"]), (9, False))
        self.assertEqual(len(read_csv(folder / "request_trace.csv")[1]), 4)


@unittest.skipIf(is_sanitized(), "UBSan looks at memory through a pipe")
class FewDescriptors(ProfileCase):
    def test_says_what_to_do_wherever_they_run_out(self):
        """Up to 22 by the orchestrator itself; the runner names what it needs beyond that."""
        said = set()
        with ScriptedServer(measured(chat=answers()["/v1/chat/completions"])) as server:
            for most in (*range(4, 24), 40):
                with self.subTest(most):
                    ended = run_tool("run_memory_profile", *self.arguments(server, "-q"),
                                     env=FAKE_GPUS, timeout=40,
                                     prefix=(*limited(), "prlimit", f"--nofile={most}:{most}"))
                    self.assert_one_error(ended, 3, "`ulimit -n`")
                    self.assertEqual(processes_of(self.out), [])
                    said.add(ended.stderr.splitlines()[-1])
        self.assertTrue(any("2 connections need 66 open files" in line for line in said), said)
        for folder in self.out.iterdir():
            if not self.assert_files_parse(folder)["interrupted"]:
                self.assertEqual(reasons(folder)["runner_died"], "invalid")


@unittest.skipIf(is_sanitized(), "a sanitizer reserves more than any limit")
class LittleMemory(ProfileCase):
    """From where the system can just load the tool to where it has enough."""

    def enough(self, tool, arguments, step_kib):
        spoke = None  # the least with which the tool itself began, not the system's loader
        for kib in range(4 << 10, 64 << 10, step_kib):
            ended = run_tool(tool, *arguments, env=FAKE_GPUS, timeout=40, prefix=(
                *limited(20), "prlimit", f"--as={kib << 10}", "--core=0"))
            if spoke is None and ended.returncode not in (0, 3):
                continue
            spoke = spoke or kib
            if ended.returncode == 0:
                self.assertGreater(kib, spoke, f"{tool}: nothing was out of memory")
                return
            with self.subTest(tool, kib=kib):
                self.assertEqual(ended.returncode, 3, ended.stderr)
                self.assertEqual(ended.stderr.count(": error: "), 1, ended.stderr)
                self.assertRegex(ended.stderr.splitlines()[-1],
                                 "out of memory|[Cc]annot|failed to map")
        self.fail(f"{tool} needs more than 64 MiB")

    def test_each_tool_says_so(self):
        workload = self.out / "workload.jsonl"
        load = ["--input-lens", "64", "--output-lens", "4", "--concurrencies", "2", "--output"]
        with ScriptedServer(measured(answers()["/v1/chat/completions"])) as server:
            base, out = ("--base-url", server.url + "/v1"), ("--output", self.out / "rows.csv")
            self.enough("workload_gen", [*load, workload], 64)
            self.enough("request_runner", [workload, *base, *out], 64)
            self.enough("gpu_mem_sampler", ["--backend", "nvml", "--duration", "0.01", *out], 64)
            self.enough("server_metrics_sampler", ["--metrics-url", server.url + "/metrics",
                                                   "--duration", "0.01", *out], 64)
            ended, folder = self.profile(server, "-q", env=FAKE_GPUS)
            self.assertEqual(ended.returncode, 0, ended.stderr)
            self.enough("memory_report", [folder, "--html", self.out / "page.html"], 64)

    def test_the_run_says_so(self):
        with ScriptedServer(measured(answers()["/v1/chat/completions"])) as server:
            self.enough("run_memory_profile", self.arguments(server, "-q"), 1024)
        self.assertEqual(processes_of(self.out), [])


class Beside(ProfileCase):
    """The tools as they lie in a folder."""

    def setUp(self):
        super().setUp()
        self.tools = self.out / "tools"
        self.tools.mkdir()
        for tool in ("workload_gen", "gpu_mem_sampler", "server_metrics_sampler",
                     "request_runner"):
            (self.tools / tool).symlink_to(bin_dir() / tool)
        # A link would have its children looked for beside what it leads to.
        self.orchestrator = shutil.copy(bin_dir() / "run_memory_profile", self.tools)

    def start(self, server, executable):
        arguments = self.arguments(server, "-q", output_dir=self.out / "runs")
        return run_tool(executable, *arguments, env=FAKE_GPUS, prefix=limited(), timeout=60)

    def test_a_tool_that_is_not_there(self):
        (self.tools / "request_runner").unlink()
        with ScriptedServer(answers()) as server:
            ended = self.start(server, self.orchestrator)
        self.assert_one_error(ended, 3, f"{self.tools}/request_runner is not there", "build.sh")
        self.assertEqual(server.requests, [])
        self.assertFalse((self.out / "runs").exists())

    def test_a_tool_that_is_not_executable(self):
        runner = self.tools / "request_runner"
        runner.unlink()
        shutil.copy(bin_dir() / "request_runner", runner)
        runner.chmod(0o644)
        with ScriptedServer(answers()) as server:
            ended = self.start(server, self.orchestrator)
        self.assert_one_error(ended, 3, f"{runner} is not executable", "chmod", "build.sh")
        self.assertEqual(server.requests, [])
        self.assertFalse((self.out / "runs").exists())

    def test_started_through_a_link_it_takes_the_tools_beside_the_real_one(self):
        hostile = self.out / "hostile"
        hostile.mkdir()
        for tool in ("workload_gen", "gpu_mem_sampler", "request_runner"):
            (hostile / tool).write_text(f"#!/bin/sh\necho used > {self.out}/mark\nexit 9\n")
            (hostile / tool).chmod(0o755)
        (hostile / "run_memory_profile").symlink_to(self.orchestrator)
        with ScriptedServer(answers()) as server:
            ended = self.start(server, hostile / "run_memory_profile")
        self.assertEqual(ended.returncode, 0, ended.stderr)
        self.assertFalse((self.out / "mark").exists())


if __name__ == "__main__":
    unittest.main()
