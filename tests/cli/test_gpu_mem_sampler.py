"""gpu_mem_sampler: flags, exit codes, messages, and what needs no NVIDIA GPU."""

import json
import os
import signal
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

from support.run_tool import finish, read_csv, run_tool, start_tool, tool_path

COLUMNS = ["timestamp", "gpu_idx", "used_mib", "total_mib", "util_pct"]
NO_GPU = {"PATH": "/usr/bin/nowhere"}  # no nvidia-smi there


def make_card(root, number, used=2 * 2**30 + 1, total=16 * 2**30, busy="37", status="active"):
    device = Path(root) / "class" / "drm" / f"card{number}" / "device"
    (device / "power").mkdir(parents=True)
    (device / "mem_info_vram_used").write_text(f"{used}\n")
    (device / "mem_info_vram_total").write_text(f"{total}\n")
    (device / "uevent").write_text(f"DRIVER=amdgpu\nPCI_SLOT_NAME=0000:0{number}:00.0\n")
    (device / "product_name").write_text("Instinct MI300X\n")
    (device / "power" / "runtime_status").write_text(status + "\n")
    if busy is not None:
        (device / "gpu_busy_percent").write_text(busy + "\n")
    return device


class Case(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.trace = self.folder / "trace.csv"
        self.stats = self.folder / "stats.json"
        self.sysfs = self.folder / "sys"

    def sample(self, *args, env=None, **more):
        return run_tool("gpu_mem_sampler", "-o", self.trace, "--stats-out", self.stats,
                        "--sysfs-root", self.sysfs, *args, env=NO_GPU | (env or {}), **more)

    def account(self):
        return json.loads(self.stats.read_text())

    def assert_error(self, result, code, *words):
        self.assertEqual(result.returncode, code, result.stderr)
        lines = result.stderr.splitlines()
        self.assertEqual(len(lines), 1, result.stderr)
        self.assertTrue(lines[0].startswith("gpu_mem_sampler: error: "), result.stderr)
        for word in words:
            self.assertIn(word, lines[0])


class Usage(Case):
    def test_help_and_version(self):
        result = run_tool("gpu_mem_sampler", "--help")
        self.assertEqual(result.returncode, 0)
        self.assertEqual(result.stderr, "")
        for flag in ("--output", "--interval-ms", "--gpus", "--duration", "--backend",
                     "--list-gpus", "--sysfs-root", "--stats-out", "--quiet", "--print-config"):
            self.assertIn(flag, result.stdout)
        self.assertIn("[200]", result.stdout)
        self.assertIn("Exit codes", result.stdout)
        self.assertLess(result.stdout.index("Examples"), result.stdout.index("Usage"))
        version = run_tool("gpu_mem_sampler", "--version")
        self.assertRegex(version.stdout, r"^gpu_mem_sampler \d+\.\d+\.\d+\n$")

    def test_print_config(self):
        result = run_tool("gpu_mem_sampler", "--print-config", "--gpus", "1,0", "--duration=2.5")
        self.assertEqual(result.returncode, 0)
        self.assertEqual(json.loads(result.stdout),
                         {"output": None, "interval_ms": 200, "gpus": [1, 0], "duration": 2.5,
                          "backend": "auto", "simulator_url": None, "list_gpus": False,
                          "sysfs_root": "/sys"})

    def test_bad_flags(self):
        for args, words in (
                (["--interval-ms", "0"], ["--interval-ms", "'0'", "from 1 to"]),
                (["--interval-ms", "-5"], ["--interval-ms", "'-5'"]),
                (["--interval-ms", "fast"], ["--interval-ms", "'fast'"]),
                (["--interval-ms", "1e99"], ["--interval-ms"]),
                (["--interval-ms", "2.5"], ["--interval-ms", "whole number"]),
                (["--gpus", "0,0"], ["--gpus", "'0,0'", "without duplicates"]),
                (["--gpus", "0,-1"], ["--gpus"]),
                (["--gpus", ""], ["--gpus"]),
                (["--gpus", "GPU-1"], ["--gpus", "or all"]),
                (["--duration", "0"], ["--duration", "'0'"]),
                (["--duration", "nan"], ["--duration"]),
                (["--backend", "cuda"], ["--backend", "'cuda'", "nvidia-smi-poll", "or auto"]),
                (["--url", "http://x"], ["unknown flag", "--url"]),
                (["--interval", "5"], ["unknown flag"]),
                (["extra"], ["no arguments"])):
            with self.subTest(args=args):
                result = run_tool("gpu_mem_sampler", "-o", "/nonexistent/x", *args)
                self.assert_error(result, 2, *words)
                self.assertEqual(result.stdout, "")

    def test_output_is_required(self):
        self.assert_error(run_tool("gpu_mem_sampler"), 2, "--output FILE is missing")

    def test_output_that_cannot_be_written(self):
        result = run_tool("gpu_mem_sampler", "-o", "/nonexistent/x.csv", env=NO_GPU)
        self.assert_error(result, 3, "/nonexistent/x.csv", "No such file")
        result = run_tool("gpu_mem_sampler", "-o", "/dev/full", env=NO_GPU)
        self.assert_error(result, 3, "/dev/full", "No space left")


class NoGpu(Case):
    def test_auto_without_any_gpu(self):
        result = self.sample("--duration", "30")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertLess(result.seconds, 5)
        self.assertEqual(read_csv(self.trace), (COLUMNS, []))
        warnings = [line for line in result.stderr.splitlines() if "warning" in line]
        self.assertEqual(len(warnings), 1, result.stderr)
        for reason in ("nvml: no NVIDIA driver library", "nvidia-smi: nvidia-smi is not in PATH",
                       "amdgpu: ", "mem_info_vram_used"):
            self.assertIn(reason, warnings[0])
        account = self.account()
        self.assertEqual(account["backend"], "none")
        self.assertEqual(account["gpus"], [])
        self.assertEqual(account["ticks"]["due"], 0)
        self.assertIsNone(account["ticks"]["lateness_p99_ms"])
        self.assertEqual(len(account["process"]["warnings"]), 1)

    def test_none(self):
        result = self.sample("--backend", "none", "-q")
        self.assertEqual((result.returncode, result.stdout, result.stderr), (0, "", ""))
        self.assertEqual(read_csv(self.trace), (COLUMNS, []))
        self.assertEqual(self.account()["process"]["rows"], 0)

    def test_a_named_backend_that_does_not_work(self):
        for backend, reason in (("nvml", "libnvidia-ml.so.1"),
                                ("nvidia-smi", "nvidia-smi is not in PATH"),
                                ("nvidia-smi-poll", "nvidia-smi is not in PATH"),
                                ("amdgpu", "no card with readable mem_info_vram_used")):
            with self.subTest(backend=backend):
                result = self.sample("--backend", backend)
                self.assert_error(result, 3, f"--backend {backend}: ", reason)
                self.assertEqual(read_csv(self.trace), (COLUMNS, []))

    def test_gpus_asked_for_where_there_are_none(self):
        self.assert_error(self.sample("--gpus", "0"), 3, "--gpus: there is no GPU here", "nvml: ")

    def test_list_gpus(self):
        result = run_tool("gpu_mem_sampler", "--list-gpus", "--sysfs-root", self.sysfs, env=NO_GPU)
        self.assertEqual(result.returncode, 0)
        self.assertEqual(result.stdout, "gpu_idx,name,uuid,pci_bus_id,driver_version,total_mib,"
                                        "reserved_mib\n")
        self.assertEqual(result.stderr.count("\n"), 1)


class Amdgpu(Case):
    def test_rows(self):
        make_card(self.sysfs, 1)
        make_card(self.sysfs, 2, used=0, total=2**34 - 1, busy="100")
        (self.sysfs / "class" / "drm" / "card1-DP-1").mkdir()
        (self.sysfs / "class" / "drm" / "card0" / "device").mkdir(parents=True)  # another vendor's
        result = self.sample("--interval-ms", "50", "--duration", "0.3")
        self.assertEqual(result.returncode, 0, result.stderr)
        header, rows = read_csv(self.trace)
        self.assertEqual(header, COLUMNS)
        self.assertEqual(len(rows), 2 * self.account()["ticks"]["taken"])
        self.assertGreater(len(rows), 6)
        for first, second in zip(rows[::2], rows[1::2]):
            self.assertEqual(first["timestamp"], second["timestamp"])
            del first["timestamp"], second["timestamp"]
            self.assertEqual(first, {"gpu_idx": "0", "used_mib": "2049", "total_mib": "16384",
                                     "util_pct": "37"})
            self.assertEqual(second, {"gpu_idx": "1", "used_mib": "0", "total_mib": "16384",
                                      "util_pct": "100"})
        account = self.account()
        self.assertEqual(account["backend"], "amdgpu")
        self.assertEqual(account["gpus"][0]["pci_bus_id"], "0000:01:00.0")
        self.assertEqual(account["gpus"][0]["name"], "Instinct MI300X")
        self.assertIsNone(account["gpus"][0]["uuid"])

    def test_what_cannot_be_read_is_blank_with_one_warning(self):
        make_card(self.sysfs, 0)
        broken = make_card(self.sysfs, 1, busy="")
        result = self.sample("--interval-ms", "20", "--duration", "0.2", "--gpus", "1")
        self.assertEqual(result.returncode, 0, result.stderr)
        rows = read_csv(self.trace)[1]
        self.assertEqual({row["gpu_idx"] for row in rows}, {"1"})
        self.assertEqual({row["util_pct"] for row in rows}, {None})
        self.assertEqual({row["used_mib"] for row in rows}, {"2049"})
        self.assertEqual(self.account()["process"]["warnings"],
                         [f"GPU 1: {broken}/gpu_busy_percent: not a number: such cells stay empty"])

    def test_a_sleeping_gpu_is_not_woken(self):
        make_card(self.sysfs, 0, status="suspended")
        self.sample("--interval-ms", "20", "--duration", "0.1")
        self.assertEqual({row["util_pct"] for row in read_csv(self.trace)[1]}, {None})

    def test_unknown_index(self):
        make_card(self.sysfs, 0)
        result = self.sample("--gpus", "0,3", "--backend", "amdgpu")
        self.assert_error(result, 3, "--gpus: no GPU 3; there are: 0 (Instinct MI300X)")


class Ends(Case):
    def setUp(self):
        super().setUp()
        make_card(self.sysfs, 0)

    def start(self, *args, **more):
        return start_tool("gpu_mem_sampler", "-q", "--sysfs-root", self.sysfs, *args,
                          env=NO_GPU, **more)

    def wait_for_rows(self, count=3):
        deadline = time.monotonic() + 10
        while not self.trace.exists() or self.trace.read_text().count("\n") <= count:
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.01)

    def test_signals_are_a_normal_end(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            with self.subTest(signal=number), self.start(
                    "-o", self.trace, "--stats-out", self.stats, "--interval-ms", "10") as process:
                self.wait_for_rows()
                process.send_signal(number)
                result = finish(process, 3)
                self.assertEqual((result.returncode, result.stderr), (0, ""))
                account = self.account()
                rows = read_csv(self.trace)[1]
                self.assertEqual(account["process"]["rows"], len(rows))
                ticks = account["ticks"]
                self.assertEqual(ticks["due"], ticks["taken"] + ticks["missed"])
                self.assertEqual(ticks["taken"], len(rows))
                self.trace.unlink()

    def test_sigkill_leaves_whole_rows(self):
        with self.start("-o", self.trace, "--interval-ms", "1") as process:
            self.wait_for_rows(50)
            process.kill()
            process.wait(5)
        self.assertTrue(self.trace.read_text().endswith("\n"))
        self.assertGreaterEqual(len(read_csv(self.trace)[1]), 50)

    def test_closed_pipe(self):
        with self.start("-o", "-", "--interval-ms", "5") as process:
            self.assertTrue(process.stdout.readline().startswith("timestamp,"))
            process.stdout.readline()
            process.stdout.close()
            self.assertEqual(process.wait(5), 3)
            self.assertEqual(process.stderr.read(), "gpu_mem_sampler: error: stdout: cannot write: "
                                                    "Broken pipe\n")

    def test_disk_full_keeps_whole_rows(self):
        disk = self.folder / "disk"
        disk.mkdir()
        script = ('mount -t tmpfs -o size=8k none "$0" || exit 99; "$@"; code=$?; '
                  'cp "$0/trace.csv" "$0.csv"; exit $code')
        result = subprocess.run(
            ["unshare", "--map-root-user", "--mount", "--", "sh", "-c", script, disk,
             tool_path("gpu_mem_sampler"), "-q", "-o", disk / "trace.csv", "--interval-ms", "1",
             "--sysfs-root", self.sysfs, "--backend", "amdgpu"],
            capture_output=True, text=True, timeout=30)
        self.assert_error(result, 3, "trace.csv: cannot write: No space left on device")
        header, rows = read_csv(f"{disk}.csv")
        self.assertEqual(header, COLUMNS)
        self.assertGreater(len(rows), 50)
        self.assertTrue(Path(f"{disk}.csv").read_text().endswith("\n"))

    def test_ticks_are_absolute(self):
        self.sample("--interval-ms", "20", "--duration", "2")
        account = self.account()
        ticks = account["ticks"]
        self.assertIn(ticks["due"], range(100, 103))
        self.assertEqual(ticks["due"], ticks["taken"] + ticks["missed"])
        self.assertEqual(ticks["interval_ms"], 20)

    def test_a_stopped_process_misses_ticks_and_does_not_burst(self):
        with self.start("-o", self.trace, "--stats-out", self.stats, "--interval-ms", "20",
                        "--duration", "1.5") as process:
            self.wait_for_rows()
            os.kill(process.pid, signal.SIGSTOP)
            time.sleep(0.5)
            os.kill(process.pid, signal.SIGCONT)
            self.assertEqual(finish(process, 10).returncode, 0)
        ticks = self.account()["ticks"]
        self.assertIn(ticks["due"], range(75, 78))
        self.assertEqual(ticks["due"], ticks["taken"] + ticks["missed"])
        self.assertGreaterEqual(ticks["missed"], 23)


if __name__ == "__main__":
    unittest.main()
