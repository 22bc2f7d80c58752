"""Memory pressure on a real server with few KV blocks: what the run says beside what the server
itself counts."""

import subprocess
import time
import unittest

from support.run_tool import bin_dir, read_csv, run_tool

from profile_run import ProfileRun
from real_case import RealCase
from servers import VllmServer

COUNTERS = ("preemptions", "prefix_cache_queries", "prefix_cache_hits", "prompt_tokens",
            "generation_tokens")
NAMES = {"preemptions": "num_preemptions"}
SHORT = ("--baseline-s", "0.5", "--tail-s", "0.5", "--group-pause-s", "0.5", "--prompt-format",
         "token-ids", "--vocab-size", "8192", "--exact-output", "--n-per-condition", "auto")


class Pressure(RealCase):
    @classmethod
    def setUpClass(cls):
        cls.server = VllmServer("few-blocks", "--blocks", "192", "--max-len", "4096",
                                "--max-num-seqs", "64")
        cls.addClassCleanup(cls.server.down)

    def profile(self, *options):
        done = run_tool("run_memory_profile", "--base-url", self.server.url, "--output-dir",
                        self.folder, *SHORT, *options, timeout=180)
        self.assertEqual(done.returncode, 0, done.stderr)
        return ProfileRun(self.folder / done.stdout.strip()), done

    def assert_last_totals_are_the_servers(self, run):
        _, rows = read_csv(run.folder / "server_metrics_trace.csv")
        now = self.server.metrics()
        self.assertEqual({name: int(rows[-1][f"{name}_total"]) for name in COUNTERS},
                         {name: int(now[f"vllm:{NAMES.get(name, name)}_total"])
                          for name in COUNTERS})
        return rows

    def test_too_many_long_answers_are_preempted(self):
        before = self.server.metrics()["vllm:num_preemptions_total"]
        run, done = self.profile("--input-lens", "64", "--output-lens", "512", "--concurrencies",
                                 "2,48", "--prefix-modes", "low")
        rows = self.assert_last_totals_are_the_servers(run)
        preempted = int(self.server.metrics()["vllm:num_preemptions_total"] - before)
        self.assertGreater(preempted, 20)
        self.assertEqual(run.summary["verdict"]["pressure"], "preemption")
        self.assertIn(f"does NOT fit: {preempted} preemptions, first at concurrency 48",
                      done.stderr)
        levels = run.summary["by_concurrency"]
        self.assertEqual(levels["2"]["kv"]["preemptions"], 0)
        self.assertEqual(levels["48"]["kv"]["preemptions"], preempted)
        self.assertGreater(max(float(row["kv_cache_usage_pct"]) for row in rows), 90)
        self.assertEqual(rows[0]["kv_tokens_total"], "6144")
        self.assertNotIn("other_traffic", run.reasons())

    def test_a_load_with_room_is_calm(self):
        run, done = self.profile("--input-lens", "256", "--output-lens", "32", "--concurrencies",
                                 "2,4", "--prefix-modes", "low,high")
        self.assert_last_totals_are_the_servers(run)
        self.assertEqual(run.summary["verdict"]["pressure"], "none")
        self.assertIn("fits", done.stderr)
        self.assertNotIn("other_traffic", run.reasons())
        self.assertNotIn("metrics_not_of_this_server", run.reasons())

    def other_workload(self):
        """Requests of someone else, under way when this returns, for longer than any run here."""
        other = self.generate("--input-lens", "64", "--output-lens", "400", "--concurrencies", "4",
                              "--prefix-modes", "low", "--n-per-condition", "400",
                              "--prompt-format", "token-ids", "--vocab-size", "8192")
        beside = subprocess.Popen([bin_dir() / "request_runner", other, "-o",
                                   self.folder / "other.csv", "--base-url", self.server.url, "-q",
                                   "--exact-output"])
        self.addCleanup(beside.wait, 120)
        self.addCleanup(beside.terminate)
        deadline = time.monotonic() + 60
        while self.server.metrics()["vllm:num_requests_running"] < 4:
            self.assertIsNone(beside.poll())
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.1)
        return beside

    def test_two_workloads_at_once_are_other_traffic(self):
        beside = self.other_workload()
        run, _ = self.profile("--input-lens", "64", "--output-lens", "64", "--concurrencies", "2",
                              "--prefix-modes", "low")
        self.assertIsNone(beside.poll())
        self.assertEqual(run.reasons()["other_traffic"]["severity"], "invalid")
        self.assertIs(run.summary["verdict"]["valid"], False)

    def test_the_summary_is_rebuilt_from_the_folder(self):
        run, _ = self.profile("--input-lens", "128", "--output-lens", "64", "--concurrencies", "4",
                              "--prefix-modes", "high", "--schedule", "condition")
        elsewhere = self.folder / "again"
        joined = self.folder / "joined.csv"
        elsewhere.mkdir()
        done = run_tool("memory_report", run.folder, "--output-dir", elsewhere, "--joined", joined,
                        timeout=60)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual((elsewhere / "summary.json").read_text(),
                         (run.folder / "summary.json").read_text())
        _, rows = read_csv(joined)
        self.assertEqual(len(rows), len(run.requests))


if __name__ == "__main__":
    unittest.main()
