"""memory_report on run folders made here: ours, the original scripts', broken ones."""

import csv
import json
import os
import select
import signal
import unittest

from report_case import TOOL, ReportCase, at
from support.run_tool import finish, is_sanitized, read_csv, run_tool, start_tool


class CommandLine(ReportCase):
    def test_help_opens_with_examples(self):
        ended = self.report("--help")
        self.assertEqual(ended.stderr, "")
        self.assertLess(ended.stdout.index("Examples"), ended.stdout.index("--joined FILE"))
        self.assertIn("memory_report RUN_DIR [RUN_DIR...] [flags]", ended.stdout)

    def test_a_folder_is_needed(self):
        ended = self.report(exit_code=2)
        self.assertEqual(ended.stdout, "")
        self.assertIn("memory_report: error: RUN_DIR is missing", ended.stderr)

    def test_print_config_shows_the_folders(self):
        config = json.loads(self.report("--print-config", "a", "b").stdout)
        self.assertEqual(config["run_dir"], ["a", "b"])

    def test_what_is_for_one_run_is_refused_for_several(self):
        for flag in ("--output-dir", "--joined", "--trace-out"):
            ended = self.report(self.root, self.root, flag, self.root / "x", exit_code=2)
            self.assertIn(f"{flag}: only with one RUN_DIR", ended.stderr)
        self.assertEqual(list(self.root.iterdir()), [])

    def test_no_folder_and_no_runs_folder(self):
        ended = self.report(self.root / "absent", exit_code=3)
        self.assertIn("absent", ended.stderr)
        ended = self.report(self.root, exit_code=3)
        self.assertIn("not a run's folder", ended.stderr)
        self.assertEqual(list(self.root.iterdir()), [])

    def test_its_account(self):
        stats = self.root / "stats.json"
        self.report(self.original_folder(), "-q", "--stats-out", stats)
        account = json.loads(stats.read_text())
        self.assertEqual((account["process"]["tool"], account["process"]["rows"],
                          account["runs"]), (TOOL, 2, 1))


class OneRun(ReportCase):
    def test_a_folder_of_the_original_scripts(self):
        folder = self.original_folder()
        ended = self.report(folder)
        self.assertEqual(ended.stderr, "")
        summary = self.summary(folder)
        self.assertEqual((summary["total_requests"], summary["ok_requests"],
                          summary["gpu_samples"]), (2, 1, 3))
        self.assertEqual(summary["gpus"][0]["baseline_mib"], 100)
        self.assertEqual(summary["gpus"][0]["delta_mib"], 400)
        self.assertIsNone(summary["server_metrics"])
        self.assertIsNone(summary["verdict"]["pressure"])
        self.assertEqual(summary["problems"], [])
        self.assertIn("(run 20260225_100000)", ended.stdout)
        self.assertIn("whether it fits cannot be told without the server's metrics", ended.stdout)

    def test_findings_of_a_measured_run(self):
        folder = self.measured_folder()
        ended = self.report(folder)
        summary = self.summary(folder)
        self.assertEqual(summary["verdict"]["pressure"], "preemption")
        self.assertEqual(summary["symptoms"],
                         [{"name": "preemption", "first_concurrency": 2, "value": 3}])
        level = summary["by_concurrency"]["2"]
        self.assertEqual(level["kv"]["usage_peak_pct"], 99)
        self.assertEqual(level["kv"]["preemptions"], 3)
        # 640 + 64 − 1 tokens are 44 blocks of 16 for each of two requests, of 100.
        self.assertEqual(level["kv_demand"],
                         {"predicted_tokens": 88 * 16, "predicted_pct": 88,
                          "measured_tokens": 99 * 16, "residual_tokens": 11 * 16})
        self.assertEqual(summary["memory_breakdown"]["kv_tokens_total"], 1616)
        self.assertIn("does NOT fit: 3 preemptions, first at concurrency 2.", ended.stdout)
        self.assertLessEqual(max(map(len, ended.stdout.splitlines())), 100)

    def test_made_twice_it_is_the_same(self):
        folder = self.measured_folder()
        first = self.report(folder).stdout
        written = (folder / "summary.json").read_bytes()
        self.assertEqual(self.report(folder).stdout, first)
        self.assertEqual((folder / "summary.json").read_bytes(), written)

    def test_elsewhere(self):
        folder = self.original_folder()
        before = sorted(os.listdir(folder))
        self.report(folder, "--output-dir", self.root / "new" / "place")
        self.assertEqual(sorted(os.listdir(folder)), before)
        self.assertEqual(self.summary(self.root / "new" / "place")["total_requests"], 2)

    def test_a_summary_that_is_not_ours_is_never_replaced(self):
        folder = self.original_folder()
        for content in ('{"total_requests": 2}', "", "[]", "not JSON"):
            (folder / "summary.json").write_text(content)
            ended = self.report(folder, exit_code=3)
            self.assertIn("summary.json: not a summary of these tools", ended.stderr)
            self.assertIn("--output-dir", ended.stderr)
            self.assertEqual((folder / "summary.json").read_text(), content)
            self.report(folder, "--output-dir", folder / "report")
        (folder / "summary.json").write_text('{"schema_version": 1}')
        self.report(folder)
        self.assertEqual(self.summary(folder)["total_requests"], 2)

    def test_quiet_writes_the_summary_alone(self):
        folder = self.original_folder()
        ended = self.report("-q", folder)
        self.assertEqual((ended.stdout, ended.stderr), ("", ""))
        self.assertTrue((folder / "summary.json").is_file())

    def test_not_writable(self):
        ended = self.report(self.original_folder(), "--output-dir", "/proc/none", exit_code=3)
        self.assertIn("/proc/none", ended.stderr)

    def test_a_signal_ends_it(self):
        pipe = self.root / "pipe"
        os.mkfifo(pipe)
        reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)  # takes nothing of a long page
        self.addCleanup(os.close, reader)
        with start_tool(TOOL, self.original_folder(), "--html", pipe) as process:
            self.assertEqual(select.select([reader], [], [], 20)[0], [reader])
            process.send_signal(signal.SIGTERM)
            ended = finish(process, timeout=5)
        self.assertIn(ended.returncode, (-signal.SIGTERM, 128 + signal.SIGTERM))


class Joined(ReportCase):
    def test_each_request_with_what_memory_did(self):
        folder = self.measured_folder()
        joined = self.root / "joined.csv"
        self.report(folder, "--joined", joined)
        _, (a, b) = read_csv(joined)
        self.assertEqual((a["req_id"], a["prefix_mode"], a["start_ts"]), ("a", "low", at(10)))
        self.assertEqual((a["kv_usage_start_pct"], a["kv_usage_peak_pct"], a["kv_usage_end_pct"]),
                         ("0", "99", "99"))
        self.assertEqual((a["requests_waiting_peak"], a["preemptions"], a["gpu_peak_mib"]),
                         ("1", "3", "500"))
        self.assertEqual((b["req_id"], b["gpu_peak_mib"]), ("b", "400"))

    def test_to_stdout_with_the_words_on_stderr(self):
        ended = self.report(self.measured_folder(), "--joined", "-")
        rows = list(csv.DictReader(ended.stdout.splitlines()))
        self.assertEqual([row["req_id"] for row in rows], ["a", "b"])
        self.assertIn("verdict ", ended.stderr)

    def test_of_the_original_scripts(self):
        joined = self.root / "joined.csv"
        self.report(self.original_folder(), "--joined", joined)
        _, rows = read_csv(joined)
        self.assertEqual(rows[0]["gpu_peak_mib"], "500")
        self.assertIsNone(rows[0]["kv_usage_peak_pct"])
        self.assertIsNone(rows[0]["preemptions"])


class BrokenFolders(ReportCase):
    def test_each_missing_file_is_named_and_the_rest_given(self):
        folder = self.measured_folder()
        os.remove(folder / "gpu_mem_trace.csv")
        ended = self.report(folder, exit_code=1)
        self.assertIn("gpu_mem_trace.csv: cannot read", ended.stdout)
        summary = self.summary(folder)
        self.assertEqual(len(summary["problems"]), 1)
        self.assertEqual(summary["total_requests"], 2)
        self.assertEqual(summary["verdict"]["pressure"], "preemption")
        os.remove(folder / "request_trace.csv")
        self.report(folder, exit_code=1)
        self.assertEqual(self.summary(folder)["server_metrics"]["rows"], 4)

    def test_without_a_manifest(self):
        folder = self.original_folder()
        os.remove(folder / "manifest.json")
        ended = self.report(folder)
        self.assertIn("warning: ", ended.stderr)
        self.assertIn("manifest.json is missing", ended.stderr)
        self.assertIn("(run 20260225_100000)", ended.stdout)

    def test_empty_cut_and_foreign_files(self):
        for name in ("request_trace.csv", "gpu_mem_trace.csv", "server_metrics_trace.csv",
                     "manifest.json"):
            for how, content in (("empty", b""), ("foreign", b"\x00\xff\x1f\x8b once\n"),
                                 ("cut", None)):
                with self.subTest(f"{how} {name}"):
                    folder = self.measured_folder(f"{how}_{name}")
                    whole = (folder / name).read_bytes()
                    (folder / name).write_bytes(whole[:-9] if content is None else content)
                    self.report(folder, exit_code=1)
                    problems = self.summary(folder)["problems"]
                    self.assertEqual(len(problems), 1, problems)
                    self.assertIn(name, problems[0])

    def test_a_manifest_of_something_else(self):
        folder = self.original_folder()
        (folder / "manifest.json").write_text('{"config": 3}')
        self.report(folder, exit_code=1)
        self.assertIn("config", self.summary(folder)["problems"][0])

    def test_a_folder_in_place_of_a_file(self):
        folder = self.measured_folder()
        os.remove(folder / "gpu_mem_trace.csv")
        os.mkdir(folder / "gpu_mem_trace.csv")
        self.report(folder, exit_code=1)

    def test_a_pipe_or_a_device_in_place_of_a_file(self):
        limit = () if is_sanitized() else ("prlimit", "--as=2000000000", "--")
        for name in ("workload.jsonl", "request_trace.csv", "gpu_mem_trace.csv",
                     "server_metrics_trace.csv", "manifest.json",
                     "logs/server_metrics_sampler.stats.json"):
            for kind, put in (("pipe", os.mkfifo), ("device", lambda p: p.symlink_to("/dev/zero"))):
                with self.subTest(name, kind=kind):
                    folder = self.measured_folder(f"{kind}_{name.replace('/', '_')}")
                    os.remove(folder / name)
                    put(folder / name)
                    ended = run_tool(TOOL, folder, prefix=limit)
                    self.assertEqual(ended.returncode, 1, ended.stderr)
                    problems = self.summary(folder)["problems"]
                    self.assertEqual(len(problems), 1, problems)
                    self.assertIn(f"{name}: is not a regular file", problems[0])

    def test_a_pipe_in_place_of_the_old_summary(self):
        folder = self.measured_folder()
        os.mkfifo(folder / "summary.json")
        ended = self.report(folder, exit_code=3)
        self.assertIn("summary.json: is not a regular file", ended.stderr)


class SeveralRuns(ReportCase):
    def test_side_by_side(self):
        first, second = self.original_folder(), self.measured_folder()
        manifest = json.loads((second / "manifest.json").read_text())
        manifest["config"]["concurrencies"] = [2, 4]
        (second / "manifest.json").write_text(json.dumps(manifest))
        ended = self.report(first, second)
        lines = [line.split() for line in ended.stdout.splitlines()]
        self.assertEqual(lines[0], ["run", "20260225_100000", "20260225_110000"])
        self.assertIn(["concurrencies", "2", "2,4"], lines)
        self.assertIn(["pressure", "-", "preemption"], lines)
        self.assertIn(["preemptions", "-", "3"], lines)
        self.assertIn(["requests", "failed", "1", "0"], lines)
        self.assertNotIn("summary.json", os.listdir(first) + os.listdir(second))
        self.assertNotIn("input_lens", ended.stdout)
        self.assertLessEqual(max(map(len, ended.stdout.splitlines())), 100)

    def test_one_that_cannot_be_read_is_named(self):
        ended = self.report(self.original_folder(), self.root / "absent", exit_code=3)
        self.assertIn("absent", ended.stderr)
        self.assertEqual(ended.stdout, "")


if __name__ == "__main__":
    unittest.main()
