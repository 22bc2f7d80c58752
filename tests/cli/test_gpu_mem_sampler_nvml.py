"""gpu_mem_sampler on the driver's library: a fake one that refuses what real ones refuse."""

import json
import re
import signal
import tempfile
import time
import unittest
from pathlib import Path

from support.run_tool import bin_dir, finish, read_csv, run_tool, start_tool

GIB = 2**30


def library(name="fake_nvml", **settings):
    folder = bin_dir().parent / name
    assert (folder / "libnvidia-ml.so.1").exists(), folder
    names = {f"FAKE_NVML_{key.upper()}": str(value) for key, value in settings.items()}
    return {"LD_LIBRARY_PATH": str(folder), "PATH": "/nowhere", **names}


class Case(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.trace = Path(folder.name) / "trace.csv"
        self.stats = Path(folder.name) / "stats.json"

    def arguments(self, args):
        args = [str(arg) for arg in args]
        for flag, value in (("--interval-ms", "20"), ("--duration", "0.3")):
            if flag not in args:
                args += [flag, value]
        return ["-q", "-o", self.trace, "--stats-out", self.stats, *args]

    def sample(self, *args, env):
        result = run_tool("gpu_mem_sampler", *self.arguments(args), env=env)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.account = json.loads(self.stats.read_text())
        ticks = self.account["ticks"]
        self.assertEqual(ticks["due"], ticks["taken"] + ticks["missed"])
        self.assertEqual(result.stderr.splitlines(),
                         ["gpu_mem_sampler: warning: " + warning
                          for warning in self.account["process"]["warnings"]])
        self.seconds = result.seconds
        return read_csv(self.trace)[1]

    def assert_warnings(self, *patterns):
        warnings = self.account["process"]["warnings"]
        self.assertEqual(len(warnings), len(patterns), warnings)
        for warning, pattern in zip(warnings, patterns):
            self.assertRegex(warning, pattern)

    def refused(self, *args, env):
        result = run_tool("gpu_mem_sampler", *self.arguments(args), env=env)
        self.assertEqual(result.returncode, 3)
        self.assertRegex(result.stderr, r"^gpu_mem_sampler: error: .*\n$")
        return result.stderr


class Figures(Case):
    def test_rows_of_two_gpus(self):
        rows = self.sample(env=library(gpus=2))
        self.assertEqual(len(rows), 2 * self.account["ticks"]["taken"])
        self.assertGreater(len(rows), 10)
        for tick in range(len(rows) // 2):
            first, second = rows[2 * tick:2 * tick + 2]
            self.assertEqual(first["timestamp"], second["timestamp"])
            # 1 GiB + 1 byte and 1 MiB a look, the probe's the first; the reserve is not used.
            self.assertEqual(first["used_mib"], str(1026 + tick))
            self.assertEqual(second["used_mib"], str(2050 + tick))
            self.assertEqual((first["gpu_idx"], second["gpu_idx"]), ("0", "1"))
            self.assertEqual((first["util_pct"], second["util_pct"]), ("10", "11"))
            self.assertEqual((first["total_mib"], second["total_mib"]), ("81920", "81920"))
        stamps = [row["timestamp"] for row in rows]
        self.assertEqual(stamps, sorted(stamps))
        self.assertRegex(stamps[0], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00$")
        self.assert_warnings()
        self.assertEqual(self.account["backend"], "nvml")
        self.assertFalse(self.account["simulated"])
        self.assertEqual(self.account["lost_gpus"], [])
        self.assertEqual(self.account["gpus"][1], {
            "gpu_idx": 1, "name": 'Fake H100, "SXM"',
            "uuid": "GPU-00000000-fake-0000-0000-000000000001",
            "pci_bus_id": "00000000:02:00.0", "driver_version": "595.45.04",
            "total_mib": 81920, "reserved_mib": 600})

    def test_chosen_gpus_in_the_order_given(self):
        rows = self.sample("--gpus", "2,0", env=library(gpus=3))
        self.assertEqual([row["gpu_idx"] for row in rows[:4]], ["2", "0", "2", "0"])
        self.assertEqual([gpu["gpu_idx"] for gpu in self.account["gpus"]], [2, 0])

    def test_unknown_index(self):
        error = self.refused("--gpus", "0,7", env=library(gpus=2))
        self.assertIn('--gpus: no GPU 7; there are: 0 (Fake H100, "SXM"), 1 (Fake', error)

    def test_list_gpus(self):
        result = run_tool("gpu_mem_sampler", "--list-gpus", env=library(gpus=2))
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        self.assertEqual(len(result.stdout.splitlines()), 3)
        self.assertIn('0,"Fake H100, ""SXM""",GPU-00000000-fake', result.stdout)

    def test_auto_takes_it_first(self):
        self.sample("--backend", "auto", env=library())
        self.assertEqual(self.account["backend"], "nvml")

    def test_processes(self):
        self.sample("--duration", "1.3", env=library(gpus=2, processes="100:1048577,200:-"))
        self.assertEqual(self.account["processes"], [
            {"gpu_idx": gpu, "pid": pid + gpu, "first_mib": mib, "last_mib": mib, "min_mib": mib,
             "max_mib": mib} for gpu in (0, 1) for pid, mib in ((100, 2), (200, None))])

    def test_processes_in_the_layout_of_branch_535(self):
        many = ",".join(f"{1000 + i}:{(i + 1) << 20}" for i in range(150))
        self.sample(env=library("fake_nvml_535", processes=many))
        self.assertEqual([(entry["pid"], entry["max_mib"]) for entry in self.account["processes"]],
                         [(1000 + i, i + 1) for i in range(150)])

    def test_driver_without_versions(self):
        rows = self.sample(env=library("fake_nvml_old", processes="5:1048576"))
        self.assertEqual(rows[0]["used_mib"], str(1026 + 600))
        self.assertIsNone(self.account["gpus"][0]["reserved_mib"])
        self.assertEqual(self.account["processes"][0]["max_mib"], 1)
        self.assert_warnings("only memory with its own reserve included")

    def test_version_2_there_but_refused(self):
        for code in (13, 25):
            with self.subTest(code=code):
                rows = self.sample(env=library(script=f"MemoryV2@3={code}"))
                self.assertEqual(rows[0]["used_mib"], "1026")
                self.assertEqual(rows[5]["used_mib"], str(1026 + 3 + 600))  # v1's fourth look
                self.assert_warnings("only memory with its own reserve included")

    def test_unified_memory(self):
        meminfo = Path("/proc/meminfo").read_text()
        total_mib = -(-int(re.search(r"MemTotal: +(\d+)", meminfo)[1]) // 1024)
        for settings in ({"script": "MemoryV2=3;Memory=3"}, {"total": 0}):
            with self.subTest(**settings):
                rows = self.sample(env=library(**settings))
                self.assertEqual({row["total_mib"] for row in rows}, {str(total_mib)})
                self.assertTrue(all(0 < int(row["used_mib"]) < total_mib for row in rows))
                self.assert_warnings("GPU 0 has no memory figure of its own.*whole machine's")
                self.assertEqual(self.account["lost_gpus"], [])


class Trouble(Case):
    def test_utilisation_not_supported(self):
        rows = self.sample(env=library(script="Utilization=3"))
        self.assertEqual({row["util_pct"] for row in rows}, {None})
        self.assertNotIn(None, {row["used_mib"] for row in rows})

    def test_a_call_that_fails_for_one_gpu(self):
        rows = self.sample(env=library(gpus=2, script="Utilization/0=999;MemoryV2/0@4-6=10"))
        self.assertEqual({row["util_pct"] for row in rows[::2]}, {None})
        self.assertEqual({row["util_pct"] for row in rows[1::2]}, {"11"})
        self.assertEqual([row["used_mib"] is None for row in rows[::2]],
                         [tick in (2, 3, 4) for tick in range(len(rows) // 2)])
        self.assert_warnings(r"GPU 0: nvmlDeviceGetUtilizationRates: Unknown Error \(999\)",
                             r"GPU 0: nvmlDeviceGetMemoryInfo_v2: .* \(10\): the cells stay empty")
        self.assertEqual(self.account["lost_gpus"], [])

    def test_no_permission(self):
        rows = self.sample(env=library(gpus=2, script="Handle/1=4"))
        self.assertEqual({(row["used_mib"], row["util_pct"]) for row in rows[1::2]},
                         {(None, None)})
        self.assertNotIn(None, {row["used_mib"] for row in rows[::2]})
        self.assert_warnings(r"GPU 1: nvmlDeviceGetHandle: Insufficient Permissions \(4\)")

    def test_a_lost_gpu_and_its_return(self):
        rows = self.sample("--interval-ms", "100", "--duration", "2.5",
                           env=library(gpus=2, script="MemoryV2/1@3-4=15"))
        self.assertNotIn(None, {row["used_mib"] for row in rows[::2]})
        blank = [row["used_mib"] is None for row in rows[1::2]]
        self.assertIn(blank.count(True), range(19, 23))  # 2 s: tried once a second
        self.assertEqual(blank, [False] + [True] * blank.count(True) +
                         [False] * (len(blank) - 1 - blank.count(True)))
        self.assertIsNone(rows[5]["util_pct"])
        self.assert_warnings(r"GPU 1: GPU is lost \(15\): its cells stay empty")
        self.assertEqual(self.account["lost_gpus"], [])

    def test_a_gpu_lost_for_good(self):
        for code in (15, 16):
            with self.subTest(code=code):
                self.sample(env=library(gpus=2, script=f"MemoryV2/1@5={code}"))
                self.assertEqual(self.account["lost_gpus"], [1])

    def test_figures_that_stop_for_good(self):
        self.sample("--duration", "2.6", env=library(gpus=2, script="MemoryV2/0@5=999"))
        self.assertEqual(self.account["lost_gpus"], [0])

    def test_a_driver_that_goes_and_comes_back(self):
        for code in (1, 9, 18, 28):
            with self.subTest(code=code):
                rows = self.sample("--interval-ms", "100", "--duration", "2",
                                   env=library(script=f"MemoryV2@5-5={code}"))
                blank = [row["used_mib"] is None for row in rows]
                self.assertEqual(blank[:3] + blank[-5:], [False] * 8)
                self.assertIn(blank.count(True), range(9, 13))
                self.assert_warnings("cells stay empty while the driver is tried anew")

    def test_a_driver_that_does_not_work(self):
        for script, reason in (("Init=9", r"nvmlInit_v2: Driver Not Loaded \(9\)"),
                               ("Init=18", r"nvmlInit_v2: Driver/library version mismatch \(18\)"),
                               ("Count=999", r"nvmlDeviceGetCount_v2: Unknown Error \(999\)"),
                               ("MemoryV2=4", r"no GPU gives a memory figure: .* \(4\)"),
                               ("Handle=15", r"no GPU gives a memory figure: GPU is lost \(15\)")):
            with self.subTest(script=script):
                error = self.refused("--backend", "nvml", env=library(script=script))
                self.assertRegex(error, "--backend nvml: " + reason)
        self.assertIn("the driver knows no GPU",
                      self.refused("--backend", "nvml", env=library(gpus=0)))

    def test_auto_says_why_it_was_rejected(self):
        result = run_tool("gpu_mem_sampler", *self.arguments([]), env=library(script="Init=9"))
        self.assertEqual(result.returncode, 0)
        self.assertIn("nvml: nvmlInit_v2: Driver Not Loaded (9); nvidia-smi: ", result.stderr)


class Hangs(Case):
    def test_a_call_that_returns_late_costs_its_ticks(self):
        rows = self.sample("--duration", "1", env=library(script="MemoryV2@6-6=sleep:300"))
        ticks = self.account["ticks"]
        self.assertIn(ticks["due"], range(49, 53))
        self.assertEqual(ticks["taken"], len(rows))
        self.assertIn(ticks["missed"], range(14, 20))

    def test_the_end_does_not_wait_for_a_call(self):
        rows = self.sample("--duration", "1", env=library(script="MemoryV2@6=hang"))
        self.assertEqual(len(rows), 4)
        ticks = self.account["ticks"]
        self.assertEqual(ticks["taken"], 4)
        self.assertIn(ticks["due"], range(49, 60))
        self.assertLess(self.seconds, 4)

    def test_signals_end_it_in_the_middle_of_a_call(self):
        for script in ("MemoryV2@4=hang", "Init=hang", "Utilization=hang", "Shutdown=hang",
                       "Processes=hang"):
            with self.subTest(script=script), start_tool(
                    "gpu_mem_sampler", "-q", "-o", self.trace, "--interval-ms", "20",
                    env=library(script=script)) as process:
                time.sleep(0.7)
                process.send_signal(signal.SIGTERM)
                result = finish(process, 3)
                self.assertEqual((result.returncode, result.stderr), (0, ""))
                read_csv(self.trace)

    def test_a_stuck_driver_is_told_once(self):
        self.sample("--duration", "5.6", env=library(script="MemoryV2@4=hang"))
        self.assert_warnings("the driver has not answered for 5 s: ticks are missed until it does")
        self.assertEqual(self.account["lost_gpus"], [0])

    def test_a_probe_that_hangs(self):
        error = self.refused("--backend", "nvml", env=library(script="Count=hang"))
        self.assertRegex(error, r"--backend nvml: no answer within [\d.]+ s")


if __name__ == "__main__":
    unittest.main()
