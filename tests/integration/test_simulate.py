"""run_memory_profile against vllm_simulator: whole runs, their marks, and how they end."""

import contextlib
import json
import os
import signal
import time
import unittest
from pathlib import Path

from integration.profile_case import (FAKE_GPUS, SMALL, ProfileCase, descendants, limited,
                                      name_of)
from support.run_tool import finish, pid_of, read_csv, run_tool, start_tool

QUICK = ["--", "--speed", "20"]
LONG = ["--output-lens", "4000", "--exact-output", "--", "--speed", "1"]  # tens of seconds


def load(folder, name):
    return json.loads((folder / name).read_text())


@contextlib.contextmanager
def own_simulator(*arguments):
    """A vllm_simulator of the test's own: its base URL, its pid."""
    with start_tool("vllm_simulator", *arguments, prefix=limited()) as process:
        url = process.stdout.readline().strip()
        yield url, pid_of(process, "vllm_simulator")


class SimulateCase(ProfileCase):
    def arguments(self, *more, output_dir=None):
        small = [part for flag, value in zip(SMALL[::2], SMALL[1::2]) if flag not in more
                 for part in (flag, value)]
        return ["--output-dir", str(output_dir or self.out), *small, *more]

    def simulate(self, *more):
        ended = run_tool("run_memory_profile", "--simulate", *self.arguments(*more, *QUICK),
                         prefix=limited(), env=FAKE_GPUS)
        return ended, Path(ended.stdout.strip()) if ended.stdout.strip() else None

    @contextlib.contextmanager
    def under_way(self, *more):
        """A run in mid-load: its process, its pid, the pids of its children by name."""
        with start_tool("run_memory_profile", "--simulate", *self.arguments(*more, *LONG),
                        prefix=limited()) as process:
            pid = pid_of(process, "run_memory_profile")
            def children():
                found = {name_of(child): child for child in descendants(pid)}
                return found if "request_runner" in found else None
            found = self.wait_until(children, "the load")
            self.assertIn("vllm_simulator", found)
            metrics = self.run_folder() / "server_metrics_trace.csv"
            self.wait_until(lambda: any(row["requests_running"] not in (None, "0")
                                        for row in read_csv(metrics)[1]), "a running request")
            yield process, pid, found


class WholeRun(SimulateCase):
    def test_everything_is_there_and_says_that_it_is_simulated(self):
        ended, folder = self.simulate("--exact-output", "--stream")
        self.assertEqual(ended.returncode, 0, ended.stderr)
        self.assertEqual(ended.stdout.count("\n"), 1)
        manifest, summary = load(folder, "manifest.json"), load(folder, "summary.json")
        self.check_marks(ended, manifest, summary)
        self.check_traces(folder, manifest, summary)
        self.check_children(folder, manifest)

    def check_marks(self, ended, manifest, summary):
        self.assertIs(manifest["simulated"], True)
        self.assertIs(summary["simulated"], True)
        self.assertIn("simulated", [reason["code"] for reason in summary["verdict"]["reasons"]])
        for server in (manifest["server"], summary["server"]):
            self.assertRegex(server["simulator"], r"^memprof \d+\.\d+\.\d+$")
            self.assertEqual(server["simulator_speed"], 20)
        begin = next(line for line in ended.stderr.splitlines() if not line.startswith("run_mem"))
        self.assertRegex(begin, r"^SIMULATED  by memprof \S+ at speed 20: ")
        self.assertEqual((manifest["options"]["simulate"],
                          manifest["options"]["simulator_options"]), (True, QUICK[1:]))

    def check_traces(self, folder, manifest, summary):
        rows = read_csv(folder / "request_trace.csv")[1]
        self.assertEqual([row["status"] for row in rows], ["ok"] * 4)
        self.assertEqual([row["completion_tokens"] for row in rows], ["4"] * 4)
        self.assertEqual(summary["load"]["prompt_tokens"],
                         sum(int(row["prompt_tokens"]) for row in rows))
        self.assertEqual(summary["server_metrics"]["generation_tokens"], 16)
        gpu = manifest["samplers"]["gpu_mem_sampler"]
        self.assertEqual((gpu["backend"], gpu["lost_gpus"]), ("simulated", []))
        self.assertEqual(gpu["processes"][0]["pid"], manifest["server"]["pids"][0])
        self.assertTrue(manifest["gpus"][0]["name"].startswith("Simulated "))
        used = {int(row["used_mib"]) for row in read_csv(folder / "gpu_mem_trace.csv")[1]}
        self.assertEqual(len(used), 1)  # taken once, at the start, as a real one does
        # Its own log took the place of --server-log: the flat line is split up.
        parts = summary["memory_breakdown"]["gpus"][0]
        split = parts["weights_and_runtime"]["mib"] + parts["kv_pool"]["mib"]
        self.assertAlmostEqual(split, used.pop(), delta=2)
        self.assertGreater(parts["weights"]["mib"], 1024)

    def check_children(self, folder, manifest):
        self.assertEqual([child["name"] for child in manifest["children"]],
                         ["vllm_simulator", "workload_gen", "gpu_mem_sampler",
                          "server_metrics_sampler", "request_runner"])
        self.assertTrue(all(child["ended_as_told"] for child in manifest["children"]))
        simulator = manifest["children"][0]
        self.assertEqual((simulator["exit_code"], simulator["argv"][1:3]), (0, QUICK[1:]))
        for child in manifest["children"][1:]:
            self.assertLessEqual(child["ended_ts"], simulator["ended_ts"])
        self.assertEqual(load(folder, "logs/vllm_simulator.stats.json")["requests"], 4)
        self.assertIn("KV cache", (folder / "logs/vllm_simulator.log").read_text())
        self.assertIn("logs/vllm_simulator.log", manifest["file_checks"])
        self.assert_gone([child["pid"] for child in manifest["children"]], 0.1)

    def test_reports_and_comparisons_say_so_too(self):
        _, folder = self.simulate()
        before = load(folder, "summary.json")
        report = run_tool("memory_report", folder, "--output-dir", folder / "again")
        self.assertEqual(report.returncode, 0, report.stderr)
        self.assertTrue(report.stdout.startswith("SIMULATED  by memprof "), report.stdout)
        self.assertEqual(load(folder, "again/summary.json"), before)
        _, other = self.simulate("--tag", "other")
        compared = run_tool("memory_report", folder, other)
        self.assertRegex(compared.stdout.splitlines()[1], r"^SIMULATED +yes +yes$")
        self.assertIn("options that differ: none", compared.stdout)

    def test_pressure(self):
        ended = run_tool("run_memory_profile", "--simulate", *self.arguments(
            "--output-lens", "128", "--concurrencies", "8", "--n-per-condition", "8",
            "--exact-output", *QUICK, "--num-gpu-blocks-override=64", "--max-model-len=512"),
            prefix=limited())
        self.assertEqual(ended.returncode, 0, ended.stderr)
        folder = Path(ended.stdout.strip())
        summary = load(folder, "summary.json")
        self.assertEqual(summary["verdict"]["pressure"], "preemption")
        counted = load(folder, "logs/vllm_simulator.stats.json")["preemptions"]
        self.assertGreater(counted, 0)
        self.assertEqual(summary["server_metrics"]["kv"]["preemptions"], counted)
        # The overridden pool is not what the log calls available; the simulator tells its size.
        self.assertAlmostEqual(summary["memory_breakdown"]["gpus"][0]["kv_pool"]["mib"],
                               64 * 16 * 131072 / 2**20, delta=0.01)
        self.assertEqual(summary["memory_breakdown"]["kv_bytes_source"], "simulator")
        self.assertIsNone(load(folder, "manifest.json")["options"]["kv_bytes_per_token"])

    def test_print_config(self):
        ended = run_tool("run_memory_profile", "--print-config", "--simulate", "--", "--speed=2",
                         "--print-config")
        config = json.loads(ended.stdout)
        self.assertEqual(config["simulator_options"], ["--speed=2", "--print-config"])
        self.assertIs(config["simulate"], True)


class ServerThatIsASimulator(SimulateCase):
    def profile(self, url, *more):
        return run_tool("run_memory_profile", "--base-url", url, *self.arguments(*more),
                        prefix=limited(), env=FAKE_GPUS)

    def test_its_run_is_marked(self):
        with own_simulator("--speed", "20") as (url, pid):
            ended = self.profile(url)
        self.assertEqual(ended.returncode, 0, ended.stderr)
        folder = Path(ended.stdout.strip())
        manifest, summary = load(folder, "manifest.json"), load(folder, "summary.json")
        self.assertEqual((manifest["simulated"], summary["simulated"]), (True, True))
        self.assertEqual(manifest["server"]["simulator_speed"], 20)
        self.assertEqual(manifest["server"]["pids"], [pid])
        self.assertIn("\nSIMULATED  by memprof ", "\n" + ended.stderr)
        # auto reads real GPUs alone (here: a fake driver's), which nothing shows to be the server's.
        self.assertEqual(manifest["samplers"]["gpu_mem_sampler"]["backend"], "nvml")
        self.assertIn("gpu_unproven", [r["code"] for r in summary["verdict"]["reasons"]])
        report = run_tool("memory_report", folder, "--output-dir", folder / "again")
        self.assertTrue(report.stdout.startswith("SIMULATED"), report.stdout)

    def test_its_gpus_when_they_are_asked_for(self):
        with own_simulator("--speed", "20") as (url, pid):
            ended = self.profile(url, "--gpu-backend", "simulated")
            wrong = self.profile(url, "--gpu-backend", "simulated", "--gpu-indices", "7")
        self.assertEqual(ended.returncode, 0, ended.stderr)
        manifest = load(Path(ended.stdout.strip()), "manifest.json")
        self.assertEqual(manifest["samplers"]["gpu_mem_sampler"]["processes"][0]["pid"], pid)
        self.assert_one_error(wrong, 3, "--gpu-indices", "no GPU 7")

    def test_a_run_that_is_killed_is_marked_too(self):
        with own_simulator() as (url, _):
            with start_tool("run_memory_profile", "--base-url", url,
                            *self.arguments("--baseline-s", "30"), prefix=limited()) as process:
                pid = pid_of(process, "run_memory_profile")
                folder = self.run_folder()
                self.wait_until(lambda: (folder / "manifest.json").exists(), "the manifest")
                children = descendants(pid)
                os.kill(pid, signal.SIGKILL)
                self.assert_gone(children)
        self.assertIs(load(folder, "manifest.json")["simulated"], True)


class Ends(SimulateCase):
    def test_interrupted(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            with self.subTest(number), self.under_way() as (process, pid, children):
                begin = time.monotonic()
                os.kill(pid, number)
                ended = finish(process, 15)
                self.assertLess(time.monotonic() - begin, 3)
                self.assert_gone(children.values(), 0.5)
                self.assertEqual(ended.returncode, 128 + number, ended.stderr)
                folder = Path(ended.stdout.strip())
                manifest = self.assert_files_parse(folder)
                self.assertEqual((manifest["interrupted"], manifest["simulated"]), (True, True))
                self.assertTrue(all(child["ended_as_told"] for child in manifest["children"]))
                self.assertEqual(manifest["children"][0]["name"], "vllm_simulator")
                self.assertEqual(manifest["samplers"]["gpu_mem_sampler"]["lost_gpus"], [])
                self.assertIn("SIMULATED", ended.stderr)
                for file in folder.rglob("*"):  # the next subTest looks for its own folder
                    if file.is_file():
                        file.unlink()
                folder.rename(self.out / f"done_{number}")

    def test_killed_orchestrator_leaves_no_simulator(self):
        with self.under_way() as (_, pid, children):
            os.kill(pid, signal.SIGKILL)
            self.assert_gone(children.values())
        manifest = load(self.run_folder(), "manifest.json")
        self.assertEqual((manifest["interrupted"], manifest["simulated"]), (True, True))

    def test_simulator_that_dies_in_mid_run(self):
        with self.under_way() as (process, _, children):
            os.kill(children["vllm_simulator"], signal.SIGKILL)
            ended = finish(process, 30)
            self.assert_gone(children.values(), 0.5)
        self.assertEqual(ended.returncode, 1, ended.stderr)
        self.assertIn("vllm_simulator: signal 9 (Killed)", ended.stderr)
        folder = Path(ended.stdout.strip())
        manifest, summary = load(folder, "manifest.json"), load(folder, "summary.json")
        self.assertEqual((manifest["children"][0]["signal"],
                          manifest["children"][0]["ended_as_told"]), (9, False))
        codes = {reason["code"] for reason in summary["verdict"]["reasons"]}
        self.assertLessEqual({"runner_died", "requests_failed", "simulated"}, codes)
        self.assertIs(summary["verdict"]["valid"], False)
        self.assertNotIn("ok", {row["status"] for row in
                                read_csv(folder / "request_trace.csv")[1]})

    def test_options_that_the_simulator_refuses(self):
        for options, words in ((["--speed", "fast"], ("--speed", "'fast'")),
                               (["--preset", "abacus"], ("abacus",)),
                               (["--no-such-flag"], ("unknown flag", "--no-such-flag")),
                               (["--help"], ("ended at once",))):
            with self.subTest(options):
                ended = run_tool("run_memory_profile", "--simulate", *self.arguments(),
                                 "--", *options, prefix=limited())
                self.assert_one_error(ended, 2, "vllm_simulator", *words)
                self.assertEqual(list(self.out.glob("20*")), [])

    def test_a_step_that_fails_leaves_no_simulator(self):
        before = set(filter(lambda p: name_of(p) == "vllm_simulator", self.all_pids()))
        ended = run_tool("run_memory_profile", "--simulate", *self.arguments(
            "--gpu-indices", "5"), *QUICK, prefix=limited())
        self.assert_one_error(ended, 3, "--gpu-indices", "no GPU 5")
        after = set(filter(lambda p: name_of(p) == "vllm_simulator", self.all_pids()))
        self.assertLessEqual(after, before)
        self.assertEqual(list(self.out.glob("20*")), [])

    @staticmethod
    def all_pids():
        return [int(folder.name) for folder in Path("/proc").glob("[0-9]*")]


if __name__ == "__main__":
    unittest.main()
