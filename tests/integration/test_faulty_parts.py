"""run_memory_profile when something it depends on breaks in mid-run."""

import json
import os
import signal
import subprocess
import tempfile
import unittest
from pathlib import Path

from integration.profile_case import (FAKE_GPUS, ProfileCase, answers, descendants, first, held,
                                      loaded, name_of, posts)
from support.answers import close, error, hang
from support.run_tool import finish, pid_of, read_csv, run_tool, start_tool
from support.scripted_server import ScriptedServer


def codes(folder):
    summary = json.loads((folder / "summary.json").read_text())
    return {reason["code"]: reason["severity"] for reason in summary["verdict"]["reasons"]}


class DeadChildren(ProfileCase):
    def test_sampler_dies(self):
        with ScriptedServer(answers(held)) as server:
            with self.running(server, env=FAKE_GPUS) as (process, pid):
                server.wait_for(loaded)
                os.kill(pid_of(process, "gpu_mem_sampler"), signal.SIGKILL)
                self.wait_until(lambda: "gpu_mem_sampler" not in map(name_of, descendants(pid)),
                                "the sampler's end")
                server.release()
                ended = finish(process)
        self.assertEqual(ended.returncode, 1, ended.stderr)
        self.assertIn("warning: gpu_mem_sampler: signal 9 (Killed); the run goes on", ended.stderr)
        folder = Path(ended.stdout.strip())
        manifest = self.assert_files_parse(folder)
        self.assertEqual(codes(folder)["sampler_died"], "invalid")
        child = next(c for c in manifest["children"] if c["name"] == "gpu_mem_sampler")
        self.assertEqual((child["signal"], child["exit_code"], child["ended_as_told"]),
                         (9, None, False))
        self.assertIsNone(manifest["samplers"]["gpu_mem_sampler"])
        self.assertEqual(len(read_csv(folder / "request_trace.csv")[1]), 4)

    def test_runner_dies(self):
        with ScriptedServer(answers(first(2, [hang()]))) as server:
            with self.running(server, env=FAKE_GPUS) as (process, pid):
                server.wait_for(loaded)
                children = descendants(pid)
                os.kill(pid_of(process, "request_runner"), signal.SIGKILL)
                ended = finish(process)
                self.assert_gone(children)
        self.assertEqual(ended.returncode, 1, ended.stderr)
        self.assertIn("request_runner: signal 9 (Killed)", ended.stderr)
        folder = Path(ended.stdout.strip())
        self.assert_files_parse(folder)
        self.assertEqual(codes(folder)["runner_died"], "invalid")
        summary = json.loads((folder / "summary.json").read_text())
        self.assertEqual(summary["total_requests"] + summary["requests_without_row"], 4)
        self.assertGreater(summary["requests_without_row"], 0)

    def test_runner_does_not_move_any_more(self):
        with ScriptedServer(answers([hang()])) as server:
            with self.running(server, "--timeout", "1", "--connect-timeout", "1",
                              env=FAKE_GPUS) as (process, pid):
                server.wait_for(loaded)
                os.kill(pid_of(process, "request_runner"), signal.SIGSTOP)
                children = descendants(pid)
                ended = finish(process, 50)
                self.assert_gone(children)
        self.assertEqual(ended.returncode, 1, ended.stderr)
        self.assertIn("request_runner has not moved for", ended.stderr)
        self.assertEqual(codes(Path(ended.stdout.strip()))["runner_died"], "invalid")

    def test_server_dies(self):
        with ScriptedServer(answers(first(1, [close()]))) as server:
            ended, folder = self.profile(server)
        self.assertEqual(ended.returncode, 1, ended.stderr)
        self.assertEqual(codes(folder)["requests_failed"], "invalid")
        statuses = {row["status"] for row in read_csv(folder / "request_trace.csv")[1]}
        self.assertLessEqual(statuses, {"ok", "error:disconnected", "error:connect"})


ON_SMALL_DISK = """
folder=$1 size=$2 copy=$3; shift 3
mount -t tmpfs -o size=$size,mode=0777 small "$folder" || exit 99
[ -z "$FILL" ] || head -c "$FILL" /dev/zero > "$folder/fill"
"$@"; code=$?
cp -r "$folder/." "$copy"
exit $code
"""


def can_mount():
    """Whether this machine grants a mount namespace; many containers do not."""
    return subprocess.run([*UNSHARE, "mount", "-t", "tmpfs", "none", "/mnt"], capture_output=True,
                          timeout=20).returncode == 0


UNSHARE = ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "-rm"]


class FileSizeLimit(ProfileCase):
    """As a disk that is full for one file; everywhere."""

    def limited_run(self, server, most_bytes, *more):
        return run_tool("run_memory_profile", *self.arguments(server, *more), env=FAKE_GPUS,
                        prefix=("prlimit", f"--fsize={most_bytes}", "--", "timeout",
                                "--kill-after=2", "50"), timeout=60)

    def test_before_anything_is_started(self):
        with ScriptedServer(answers()) as server:
            ended = self.limited_run(server, 100)
        self.assert_one_error(ended, 3, "manifest.json", "File too large")
        self.assertEqual(posts(server), [])

    def test_workload(self):
        with ScriptedServer(answers()) as server:
            ended = self.limited_run(server, 50_000, "--input-lens", "9000")
        self.assert_one_error(ended, 3, "workload_gen", "workload.jsonl", "File too large")
        self.assertEqual(posts(server), [])

    def test_gpu_trace_in_mid_load(self):
        with ScriptedServer(answers(held)) as server:
            with start_tool("run_memory_profile",
                            *self.arguments(server, "--gpu-interval-ms", "1"), env=FAKE_GPUS,
                            prefix=("prlimit", "--fsize=60000", "--", "timeout", "50")) as process:
                server.wait_for(loaded)
                pid = pid_of(process, "run_memory_profile")
                self.wait_until(lambda: "gpu_mem_sampler" not in map(name_of, descendants(pid)),
                                "the sampler's end")
                server.release()
                ended = finish(process)
        self.assertEqual(ended.returncode, 3, ended.stderr)
        self.assertRegex(ended.stderr.splitlines()[-1],
                         "error: gpu_mem_sampler: exit code 3: .*gpu_mem_trace.csv.*too large")
        folder = Path(ended.stdout.strip())
        self.assert_files_parse(folder)
        self.assertEqual(codes(folder)["sampler_died"], "invalid")
        self.assertGreater(len(read_csv(folder / "gpu_mem_trace.csv")[1]), 500)
        self.assertEqual(len(read_csv(folder / "request_trace.csv")[1]), 4)

    def test_request_trace(self):
        with ScriptedServer(answers(lambda request: error(500))) as server:
            ended = self.limited_run(server, 33_000, "--n-per-condition", "200",
                                     "--input-lens", "1", "--gpu-backend", "none")
        self.assertEqual(ended.returncode, 3, ended.stderr)
        self.assertRegex(ended.stderr.splitlines()[-1],
                         "error: request_runner: exit code 3: .*request_trace.csv.*too large")
        folder = Path(ended.stdout.strip())
        self.assert_files_parse(folder)
        self.assertEqual(codes(folder)["runner_died"], "invalid")
        self.assertGreater(len(read_csv(folder / "request_trace.csv")[1]), 100)


class FullDisk(ProfileCase):
    def on_small_disk(self, server, size, *more, fill=""):
        """The run with its output on a file system of that size, `fill` bytes of it taken; (ended,
        copy of what it left)."""
        copy = Path(self.enterContext(tempfile.TemporaryDirectory()))
        ended = run_tool("run_memory_profile", *self.arguments(server, *more),
                         env=FAKE_GPUS | {"FILL": fill},
                         prefix=(*UNSHARE, "timeout", "--kill-after=2", "50", "sh", "-c",
                                 ON_SMALL_DISK, "sh", str(self.out), size, str(copy)), timeout=60)
        self.assertNotEqual(ended.returncode, 99, ended.stderr)
        return ended, next(copy.glob("20*"), None)

    def test_full_before_anything_is_started(self):
        with ScriptedServer(answers()) as server:
            ended, _ = self.on_small_disk(server, "4k", fill="4k")
        self.assert_one_error(ended, 3, "manifest.json", "No space left on device")
        self.assertEqual(posts(server), [])

    def test_full_while_the_workload_is_made(self):
        with ScriptedServer(answers()) as server:
            ended, folder = self.on_small_disk(server, "200k", "--input-lens", "9000")
        self.assert_one_error(ended, 3, "workload_gen", "workload.jsonl", "No space left on device")
        self.assertEqual(posts(server), [])
        self.assertIs(json.loads((folder / "manifest.json").read_text())["interrupted"], True)

    def test_full_in_mid_load(self):
        with ScriptedServer(answers(first(2, [hang()]))) as server:
            ended, folder = self.on_small_disk(server, "120k", "--gpu-interval-ms", "1",
                                               "--timeout", "4")
        self.assertEqual(ended.returncode, 3, ended.stderr)
        self.assertIn("No space left on device", ended.stderr.splitlines()[-1])
        self.assertIs(self.assert_files_parse(folder)["interrupted"], True)
        _, rows = read_csv(folder / "gpu_mem_trace.csv")
        self.assertGreater(len(rows), 100)
        self.assertEqual({row["total_mib"] for row in rows}, {"81920"})


if not can_mount():
    del FullDisk

if __name__ == "__main__":
    unittest.main()
