"""gpu_mem_sampler on the nvidia-smi program: a fake one that does what it is told."""

import contextlib
import json
import os
import signal
import tempfile
import time
import unittest
from pathlib import Path

from support import fake_nvidia_smi
from support.run_tool import contained, finish, open_folder, pid_of, read_csv, start_tool

MARK = "FAKE_SMI_MARK"


def processes_marked(mark):
    """Pids of all processes with that mark in their environment, zombies apart."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if f"{MARK}={mark}".encode() in (folder / "environ").read_bytes():
                found.append((int(folder.name), (folder / "comm").read_text().strip()))
    return found


class Case(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(open_folder(folder.name))
        (self.folder / "bin").mkdir()
        self.trace = self.folder / "trace.csv"
        self.stats = self.folder / "stats.json"
        self.log = self.folder / "log"
        self.mark = os.path.basename(folder.name)
        self.environment = fake_nvidia_smi.install(self.folder / "bin") | {
            MARK: self.mark, "FAKE_SMI_LOG": str(self.log)}

    def start(self, *args, backend="nvidia-smi", interval_ms=100, prefix=None, **settings):
        names = {f"FAKE_SMI_{key.upper()}": str(value) for key, value in settings.items()}
        return start_tool("gpu_mem_sampler", "-q", "-o", self.trace, "--stats-out", self.stats,
                          "--interval-ms", interval_ms, *args, "--backend", backend,
                          env=self.environment | names, prefix=prefix or contained(60))

    def sample(self, *args, duration=1.5, **settings):
        with self.start("--duration", duration, *args, **settings) as process:
            result = finish(process, 30)
        self.assert_nothing_left()
        self.assertEqual(result.returncode, 0, result.stderr)
        self.account = json.loads(self.stats.read_text())
        ticks = self.account["ticks"]
        self.assertEqual(ticks["due"], ticks["taken"] + ticks["missed"])
        header, rows = read_csv(self.trace)
        gpus = len(self.account["gpus"])
        self.assertEqual(len(rows), ticks["taken"] * gpus)
        for first in range(0, len(rows), gpus):
            self.assertEqual(len({row["timestamp"] for row in rows[first:first + gpus]}), 1)
        return rows

    def refused(self, *args, **settings):
        with self.start(*args, **settings) as process:
            result = finish(process, 30)
        self.assert_nothing_left()
        self.assertEqual(result.returncode, 3, result.stderr)
        self.assertRegex(result.stderr, r"^gpu_mem_sampler: error: .*\n$")
        return result.stderr

    def runs(self):
        return [json.loads(line) for line in self.log.read_text().splitlines()]

    def assert_nothing_left(self, seconds=2):
        deadline = time.monotonic() + seconds
        while left := processes_marked(self.mark):
            self.assertLess(time.monotonic(), deadline, left)
            time.sleep(0.02)

    def assert_warnings(self, *patterns):
        warnings = self.account["process"]["warnings"]
        self.assertEqual(len(warnings), len(patterns), warnings)
        for warning, pattern in zip(warnings, patterns):
            self.assertRegex(warning, pattern)

    def wait_for_rows(self, count=3):
        deadline = time.monotonic() + 20
        while not self.trace.exists() or self.trace.read_text().count("\n") <= count:
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.02)


class Stream(Case):
    def test_rows_and_what_it_was_asked(self):
        rows = self.sample()
        self.assertGreaterEqual(len(rows), 16)
        for query in range(len(rows) // 2):
            first, second = rows[2 * query:2 * query + 2]
            self.assertEqual((first["gpu_idx"], first["used_mib"], first["total_mib"],
                              first["util_pct"]), ("0", str(1000 + query), "81559", "20"))
            self.assertEqual((second["gpu_idx"], second["used_mib"]), ("1", str(2000 + query)))
        self.assert_warnings()
        self.assertEqual(self.account["backend"], "nvidia-smi")
        self.assertEqual(self.account["lost_gpus"], [])
        self.assertEqual(self.account["gpus"][1], {
            "gpu_idx": 1, "name": "NVIDIA H100 80GB HBM3", "uuid": "GPU-fake-1",
            "pci_bus_id": "00000000:02:00.0", "driver_version": "570.86.15", "total_mib": 81559,
            "reserved_mib": 530})
        listing, stream = self.runs()
        self.assertEqual(stream["arguments"], [
            "--query-gpu=index,memory.used,memory.total,utilization.gpu",
            "--format=csv,noheader,nounits", "-lms", "100"])
        for run in (listing, stream):
            self.assertEqual(run["ignored"], 0)  # SIGPIPE must end it
            self.assertEqual(run["open"], [0, 1, 2, 3])  # 3: the folder that is listed

    def test_chosen_gpus(self):
        rows = self.sample("--gpus", "1,0")
        self.assertEqual([row["gpu_idx"] for row in rows[:4]], ["1", "0", "1", "0"])
        self.assertEqual(self.runs()[1]["arguments"][2:4], ["-i", "1,0"])

    def test_unknown_index(self):
        self.assertIn("--gpus: no GPU 2; there are: 0 (NVIDIA H100 80GB HBM3), 1 (",
                      self.refused("--gpus", "2"))

    def test_auto_takes_it_when_there_is_no_library(self):
        self.sample(backend="auto")
        self.assertEqual(self.account["backend"], "nvidia-smi")

    def test_a_driver_that_does_not_tell_its_reserve(self):
        self.sample(lacks="memory.reserved")
        self.assertEqual(self.account["gpus"][0]["total_mib"], 81559)
        self.assertIsNone(self.account["gpus"][0]["reserved_mib"])

    def test_cells_that_are_no_numbers(self):
        rows = self.sample(rows="0, [N/A], [Not Supported], ERR!|1, 5 MiB, 10, ")
        self.assertEqual({(row["used_mib"], row["total_mib"], row["util_pct"]) for row in rows},
                         {(None, None, None), ("5", "10", None)})
        self.assert_warnings(r"GPU 0: nvidia-smi shows \[N/A\]: such cells stay empty",
                             "GPU 1: nvidia-smi shows an empty cell")

    def test_a_broken_gpu_is_all_blank(self):
        rows = self.sample(rows="0, 0 MiB, [GPU requires reset], [GPU requires reset]|1, 5, 10, 0")
        self.assertEqual({(row["used_mib"], row["util_pct"]) for row in rows},
                         {(None, None), ("5", "0")})
        self.assert_warnings(r"GPU 0: nvidia-smi shows \[GPU requires reset\]")
        self.assertEqual(self.account["lost_gpus"], [0])

    def test_other_lines_among_the_rows(self):
        rows = self.sample(rows="GPU 00000000:01:00.0: Detected Critical Xid Error|0, 1, 2, 3|"
                                "0, 1, 2|1, 4, 5, 6, 7|1, 7, 8, 9")
        self.assertEqual({(row["gpu_idx"], row["used_mib"]) for row in rows},
                         {("0", "1"), ("1", "7")})
        self.assert_warnings()

    def test_a_gpu_without_a_line(self):
        rows = self.sample(rows="Unable to determine the device handle for GPU0: GPU is lost|"
                                "1, 4, 5, 6")
        self.assertEqual({(row["gpu_idx"], row["used_mib"]) for row in rows},
                         {("0", None), ("1", "4")})
        self.assert_warnings("GPU 0: no row from nvidia-smi, which says: Unable to determine")

    def test_it_paces_itself(self):
        self.sample(slow_s=0.06, duration=2.2)  # 160 ms a batch
        ticks = self.account["ticks"]
        self.assertGreater(ticks["missed"], 4)
        self.assertGreater(ticks["taken"], 8)

    def test_it_ends_and_is_started_anew(self):
        rows = self.sample(end_after=3, end_code=15, words="GPU has fallen off the bus",
                           once=self.folder / "once", duration=3)
        blank = [row["used_mib"] is None for row in rows[::2]]
        self.assertEqual(blank[:3], [False] * 3)
        self.assertGreaterEqual(blank.count(True), 8)  # a second, and the start
        self.assertEqual(blank[-4:], [False] * 4)
        self.assert_warnings(r"nvidia-smi: ended with exit code 15 \(a GPU has fallen off the bus\)"
                             ": GPU has fallen off the bus: cells stay empty while it is started")
        self.assertEqual(len(self.runs()), 3)

    def test_it_never_works(self):
        rows = self.sample(loop_code=9, words="NVIDIA-SMI has failed", duration=4)
        self.assertEqual({row["used_mib"] for row in rows}, {None})
        self.assert_warnings(r"exit code 9 \(driver not loaded\): NVIDIA-SMI has failed")
        self.assertEqual(len(self.runs()), 4)  # the list, at once, after 1 s, after 2 s more
        self.assertEqual(self.account["lost_gpus"], [0, 1])

    def test_it_falls_silent(self):
        rows = self.sample(gpus=1, hang_after=2, once=self.folder / "once", duration=12)
        self.assert_warnings("nvidia-smi: silent for 8.1 s: cells stay empty while it is started")
        used = [row["used_mib"] for row in rows]
        self.assertEqual(used[:3], ["1000", "1001", None])
        self.assertIsNotNone(used[-1])
        self.assertGreater(self.account["ticks"]["missed"], 70)

    def test_it_does_not_work_from_the_start(self):
        for settings, words in (
                ({"code": 9, "words": "NVIDIA-SMI has failed because"},
                 "exit code 9 (driver not loaded): NVIDIA-SMI has failed because"),
                ({"code": 12}, "exit code 12 (no NVML library)"),
                ({"code": 18}, "exit code 18 (driver and library versions do not match)"),
                ({"code": 77}, "exit code 77"),
                ({"gpus": 0}, "exit code 6 (no such GPU): No devices were found"),
                ({"hang": "list"}, "no answer within")):
            with self.subTest(**settings):
                self.assertIn(words, self.refused(**settings))


class Poll(Case):
    def test_rows(self):
        rows = self.sample("--gpus", "1", interval_ms=300, backend="nvidia-smi-poll")
        self.assertEqual({(row["gpu_idx"], row["used_mib"], row["util_pct"]) for row in rows},
                         {("1", "2000", "21")})
        self.assertEqual(len(self.runs()), 1 + len(rows))
        self.assertNotIn("-lms", self.runs()[1]["arguments"])

    def test_an_exit_code_is_told_once(self):
        rows = self.sample(backend="nvidia-smi-poll", loop_code=18, words="Failed to initialize")
        self.assertEqual({row["used_mib"] for row in rows}, {None})
        self.assert_warnings(r"nvidia-smi: exit code 18 \(driver and library versions do not match\)"
                             ": Failed to initialize: cells stay empty")

    def test_a_slow_one_costs_ticks(self):
        self.sample(backend="nvidia-smi-poll", slow_s=0.3, duration=2)
        self.assertGreater(self.account["ticks"]["missed"], self.account["ticks"]["taken"])

    def test_a_silent_one_does_not_hold_up_the_end(self):
        rows = self.sample(backend="nvidia-smi-poll", hang="read", duration=1)
        self.assertEqual(rows, [])
        self.assertGreaterEqual(self.account["ticks"]["missed"], 9)


class NothingIsLeft(Case):
    BACKENDS = ("nvidia-smi", "nvidia-smi-poll")
    KINDS = ({}, {"fork": "work"}, {"fork": "sleep"}, {"hang": "read"})

    def kinds(self):
        return [(backend, kind) for backend in self.BACKENDS for kind in self.KINDS]

    def wait_for_child(self):
        """Until the fake reads (it was run twice), and has forked."""
        deadline = time.monotonic() + 20
        while not self.log.exists() or len(self.runs()) < 2:
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.02)
        time.sleep(0.2)

    def test_after_a_signal(self):
        for backend, kind in self.kinds():
            with self.subTest(backend=backend, **kind), self.start(
                    backend=backend, **kind) as process:
                self.wait_for_child()
                os.kill(pid_of(process, "gpu_mem_sampler"), signal.SIGTERM)
                self.assertEqual(finish(process, 3).returncode, 0)
                self.assert_nothing_left()
                self.log.unlink()

    def test_after_sigkill(self):
        # The shell keeps the namespace alive: the kernel does not clear it before we have looked.
        stay = (*contained(60), "sh", "-c", '"$@"; exec sleep 30', "sh")
        for backend, kind in self.kinds():
            with self.subTest(backend=backend, **kind), self.start(
                    backend=backend, prefix=stay, **kind) as process:
                self.wait_for_child()
                own = {pid for pid, name in processes_marked(self.mark)
                       if name in ("timeout", "sh", "sleep", "unshare")}
                tool = pid_of(process, "gpu_mem_sampler")
                self.assertGreater(len(processes_marked(self.mark)), len(own) + 1)
                os.kill(tool, signal.SIGKILL)
                deadline = time.monotonic() + 2
                while left := [entry for entry in processes_marked(self.mark)
                               if entry[0] not in own and entry[1] not in ("sleep",)]:
                    self.assertLess(time.monotonic(), deadline, left)
                    time.sleep(0.02)
                self.assertIsNone(process.poll())  # the namespace is still there
                read_csv(self.trace)
                self.log.unlink()


if __name__ == "__main__":
    unittest.main()
