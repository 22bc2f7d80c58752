"""Flags, rows, the filtered scrape, restarts."""

import json
import signal
import time
import unittest

from support.metrics import as_vllm, full_only, is_filtered, metrics, metrics_text
from support.run_tool import finish, run_tool, start_tool
from support.scripted_server import ScriptedServer, close, cut, error, response, split

from server_metrics_case import COLUMNS, RECORDED, TOOL, SamplerCase, growing


class CommandLine(SamplerCase):
    def test_help_opens_with_examples(self):
        ended = run_tool(TOOL, "--help")
        self.assertEqual((ended.returncode, ended.stderr), (0, ""))
        self.assertLess(ended.stdout.index("Examples"), ended.stdout.index("--metrics-url URL"))
        for text in ("[200]", "[http://127.0.0.1:8000/metrics]", "--raw", "--replay", "Exit codes"):
            self.assertIn(text, ended.stdout)

    def test_print_config_shows_the_effective_options(self):
        ended = run_tool(TOOL, "--print-config", "--interval-ms=20", "--raw", "r.jsonl")
        config = json.loads(ended.stdout)
        self.assertEqual(config["interval_ms"], 20)
        self.assertEqual(config["raw"], "r.jsonl")
        self.assertIsNone(config["duration"])

    def test_bad_flags_are_one_line_and_leave_the_file_alone(self):
        self.trace.write_text("before")
        for args in (["--nothing"], ["--interval-ms", "0"], ["--duration", "0"],
                     ["--metrics-url", "ftp://127.0.0.1/metrics"], ["--timeout", "x"],
                     ["--metrics-url", "http://u:secret@127.0.0.1/metrics"], ["--interv", "5"],
                     ["--metrics-url", "http://127.0.0.1/metrics?x=y"]):
            with self.subTest(args):
                ended = run_tool(TOOL, "-o", self.trace, *args)
                self.assertEqual((ended.returncode, ended.stdout), (2, ""), ended.stderr)
                self.assertRegex(ended.stderr, rf"^{TOOL}: error: .*{args[0][:8]}.*\n$")
                self.assertNotIn("secret", ended.stderr)
                self.assertEqual(self.trace.read_text(), "before")
        self.assertEqual(run_tool(TOOL).returncode, 2)

    def test_what_cannot_be_written_is_the_environments_fault(self):
        with ScriptedServer(full_only(growing)) as server:
            for args in (["-o", self.folder / "no" / "x.csv"], ["-o", "/dev/full"],
                         ["-o", self.trace, "--raw", self.folder / "no" / "x.jsonl"]):
                ended = run_tool(TOOL, *args, "--metrics-url", server.url + "/metrics",
                                 "--duration", 0.2)
                self.assertEqual(ended.returncode, 3, ended.stderr)
                self.assertRegex(ended.stderr, rf"{TOOL}: error: .*(x\.csv|/dev/full|x\.jsonl)")

    def test_a_trace_on_stdout_is_all_there_is_on_stdout(self):
        with ScriptedServer(full_only(growing)) as server:
            ended = run_tool(TOOL, "-o", "-", "--duration", 0.2, "--metrics-url",
                             server.url + "/metrics")
        lines = ended.stdout.splitlines()
        self.assertEqual(lines[0], ",".join(COLUMNS))
        self.assertGreater(len(lines), 2)
        self.assertTrue(all(line.count(",") == 12 for line in lines))


class Rows(SamplerCase):
    def test_a_row_is_what_the_server_said(self):
        rows, account, requests, stderr = self.sample(full_only(growing))
        first = rows[0]
        self.assertEqual(
            [first[column] for column in COLUMNS[1:12]],
            ["0", "52.356021", "3200", "6144", "3", "1", "0", "0", "0", "100", "0"])
        self.assertGreater(float(first["scrape_ms"]), 0)
        times = [row["timestamp"] for row in rows]
        self.assertEqual(times, sorted(set(times)))
        full = [request.number for request in requests if not is_filtered(request)]
        self.assertEqual([int(row["preemptions_total"]) for row in rows], full)
        self.assertEqual(account["engines"][0]["first"]["preemptions_total"], 0)
        self.assertEqual(account["engines"][0]["last"]["preemptions_total"], full[-1])
        self.assertEqual(account["engines"][0]["cache_config"]["block_size"], "32")
        self.assertTrue(account["engines"][0]["prefix_caching"])
        self.assertEqual(account["url"], self.server.url + "/metrics")
        self.assertNotIn("warning", stderr)

    def test_ticks_do_not_drift_and_a_last_scrape_follows_the_end(self):
        rows, account, _, _ = self.sample(full_only(growing), interval=20, duration=1.0)
        self.assertEqual(account["ticks"]["due"], 50)
        self.assertEqual(len(rows), account["ticks"]["taken"] + 1)
        self.assertEqual(account["scrapes"], len(rows))

    def test_two_recorded_engines_give_two_rows_a_scrape(self):
        body = (RECORDED / "metrics_dp2_under_load_1.resp").read_bytes()
        rows, account, _, _ = self.sample(lambda request: error(404) if is_filtered(request)
                                          else split(body, 5000))
        self.assertEqual([row["engine"] for row in rows[:4]], ["0", "1", "0", "1"])
        self.assertEqual([rows[1][name] for name in COLUMNS[2:12]],
                         ["94.240838", "5760", "6144", "15", "0", "0", "960", "0", "960", "4478"])
        self.assertEqual(rows[0]["timestamp"], rows[1]["timestamp"])
        self.assertEqual(len(rows), 2 * account["scrapes"])
        self.assertEqual([engine["num_gpu_blocks"] for engine in account["engines"]], [384, 384])

    def test_v0_without_engines_is_engine_0_and_leaves_empty_what_it_lacks(self):
        text = ('vllm:gpu_cache_usage_perc{model_name="m"} 0.5\n'
                'vllm:num_requests_running{model_name="m"} 2\n'
                'vllm:gpu_prefix_cache_hit_rate{model_name="m"} 0.25\n')
        rows, account, _, _ = self.sample(full_only(lambda request: text))
        self.assertEqual([rows[0][name] for name in COLUMNS[1:12]],
                         ["0", "50", None, None, "2", None, None, None, None, None, None])
        self.assertEqual(account["engines"][0]["prefix_cache_unit"], "rate")

    def test_labels_with_quotes_backslashes_newlines_and_utf8(self):
        model = 'we\\"ird\\\\lla\\n🦙 {engine=\\"9\\"} '
        rows, account, _, _ = self.sample(
            as_vllm(lambda request: metrics_text(model=model, running=4, config={
                "block_size": "32", "path": 'a\\\\b\\"c\\nd🦙'})))
        self.assertEqual((rows[0]["engine"], rows[0]["requests_running"]), ("0", "4"))
        self.assertEqual(account["engines"][0]["cache_config"]["path"], 'a\\b"c\nd🦙')

    def test_crlf_broken_lines_and_bytes_one_by_one(self):
        text = "<p>\nvllm:num_requests_running{ x\n" + metrics_text(running=7)
        text = text.replace("\n", "\r\n")
        rows, account, _, _ = self.sample(
            lambda request: error(404) if is_filtered(request) else split(metrics(text), 1))
        self.assertEqual(rows[0]["requests_running"], "7")
        self.assertEqual(account["broken_lines"], 2 * account["scrapes"])


class Filter(SamplerCase):
    def test_is_used_once_proven(self):
        rows, account, requests, _ = self.sample(as_vllm(growing))
        self.assertTrue(account["filtered"])
        self.assertEqual([is_filtered(request) for request in requests],
                         [False] + [True] * (len(requests) - 1))
        self.assertGreater(len(requests), 5)
        self.assertEqual([int(row["preemptions_total"]) for row in rows],
                         [0] + list(range(2, len(requests))))  # request 1 was the proof
        self.assertEqual(rows[0]["kv_tokens_used"], rows[-1]["kv_tokens_used"])
        self.assertEqual(self.server.connections, 1)

    def assert_not_trusted(self, filtered):
        def answer(request):
            return filtered(request) if is_filtered(request) else metrics(growing(request))
        rows, account, requests, stderr = self.sample(answer)
        self.assertFalse(account["filtered"])
        probes = sum(map(is_filtered, requests))
        self.assertIn(probes, (1, 2))  # 2: the kept connection was closed, so it asked once more
        self.assertEqual(len(rows), len(requests) - probes)
        self.assertTrue(all(row["kv_tokens_used"] == "3200" for row in rows))
        self.assertNotIn("warning", stderr)

    def test_is_not_trusted_when_empty(self):
        self.assert_not_trusted(lambda request: metrics(""))

    def test_is_not_trusted_when_refused_broken_or_redirected(self):
        for answer in (error(400), response(b"", 307), [close()], cut(metrics(running=1), -20),
                       response(b"<html>", content_type="text/html")):
            with self.subTest(answer):
                self.assert_not_trusted(lambda request, answer=answer: answer)

    def test_is_not_trusted_when_it_tells_less_or_something_else(self):
        without_preemptions = metrics_text(prompt_tokens=100).replace("num_preemptions", "other")
        for text in (without_preemptions, metrics_text(), metrics_text(prompt_tokens=100, start=9),
                     metrics_text(prompt_tokens=100, engines=("1",)),
                     metrics_text(prompt_tokens=100, config={"block_size": "16"})):
            with self.subTest(text):
                self.assert_not_trusted(lambda request, text=text: metrics(text))

    def test_is_given_up_when_it_turns_empty_and_no_row_is_lost(self):
        healthy = as_vllm(growing)
        part = metrics('vllm:num_requests_running{engine="0"} 0\n')
        for later in (metrics(""), part, error(404)):
            with self.subTest(later):
                rows, account, requests, stderr = self.sample(
                    lambda request, later=later: later if is_filtered(request)
                    and request.number > 4 else healthy(request))
                self.assertFalse(account["filtered"])
                self.assertEqual(account["ticks"]["missed"], 0)
                self.assertEqual(len(rows), account["ticks"]["taken"] + 1)
                self.assertTrue(all(row["kv_tokens_used"] == "3200" for row in rows))
                self.assertEqual(sum(is_filtered(r) for r in requests if r.number > 4), 2)
                self.assertNotIn("warning", stderr)


class Restarts(SamplerCase):
    def test_counters_that_fall_are_told_once(self):
        rows, account, _, stderr = self.sample(full_only(lambda request: metrics_text(
            start=None, prompt_tokens=request.number + (100 if request.number < 5 else 0))))
        self.assertEqual(account["restarts"], 1)
        self.assertEqual(account["engines"][0]["resets"], 1)
        self.assertGreater(len(rows), 8)
        self.assert_one_warning(stderr, account, "restarted")

    def test_a_new_process_with_another_cache_is_told_and_filtered_again(self):
        small = {"block_size": "32", "num_gpu_blocks": "96", "kv_cache_size_tokens": "3072"}
        rows, account, _, stderr = self.sample(as_vllm(
            lambda request: metrics_text(prompt_tokens=5) if request.number < 5
            else metrics_text(prompt_tokens=5, start=2000.0, config=small)))
        self.assertEqual([row["kv_tokens_total"] for row in (rows[0], rows[-1])], ["6144", "3072"])
        self.assertEqual(account["restarts"], 1)
        self.assertTrue(account["filtered"])
        self.assert_one_warning(stderr, account, "restarted")

    def test_a_server_that_is_gone_for_a_while_costs_ticks(self):
        with ScriptedServer(full_only(growing)) as server:
            port = server.port
            with start_tool(TOOL, *self.arguments(server)) as process:
                server.wait_for(lambda server: len(server.requests) > 3)
                server.stop()
                time.sleep(0.4)
                with ScriptedServer(full_only(growing), port=port) as again:
                    again.wait_for(lambda server: len(server.requests) > 3)
                    process.send_signal(signal.SIGTERM)
                    ended = finish(process)
        self.assertEqual(ended.returncode, 0)
        rows, account = self.results()
        self.assertGreater(account["failed_scrapes"]["connect"], 3)
        self.assertGreaterEqual(account["ticks"]["missed"], account["failed_scrapes"]["connect"])
        self.assertEqual(account["restarts"], 1)
        self.assertGreater(len(rows), 5)


if __name__ == "__main__":
    unittest.main()
