import json
import signal
import tempfile
import time
import unittest
from pathlib import Path

from support.certificates import make_certificate
from support.metrics import as_vllm, full_only, is_filtered, metrics, metrics_text
from support.run_tool import finish, read_csv, read_jsonl, run_tool, start_tool
from support.scripted_server import (ScriptedServer, chunk, close, cut, endless, error, hang, pause,
                                     reset, response, split, HEAD_CHUNKED)

TOOL = "server_metrics_sampler"
COLUMNS = ["timestamp", "engine", "kv_cache_usage_pct", "kv_tokens_used", "kv_tokens_total",
           "requests_running", "requests_waiting", "preemptions_total",
           "prefix_cache_queries_total", "prefix_cache_hits_total", "prompt_tokens_total",
           "generation_tokens_total", "scrape_ms"]
RECORDED = Path(__file__).parents[1] / "data" / "metrics"


def growing(request):
    return metrics_text(usage=100 / 191, running=3, waiting=1, num_preemptions=request.number,
                        prompt_tokens=100, generation_tokens=10 * request.number)


class SamplerCase(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.trace, self.stats = self.folder / "trace.csv", self.folder / "stats.json"

    def arguments(self, server, *args, interval=50):
        url = server if isinstance(server, str) else server.url + "/metrics"
        return ["-o", self.trace, "--stats-out", self.stats, "--metrics-url", url,
                "--interval-ms", interval, *args]

    def sample(self, answers, *args, interval=50, duration=0.6, exit_code=0, **server_options):
        """(rows, account, requests, stderr)"""
        with ScriptedServer(answers, **server_options) as server:
            ended = run_tool(TOOL, *self.arguments(server, "--duration", duration, *args,
                                                   interval=interval))
            self.server = server
        self.assertEqual(ended.returncode, exit_code, ended.stderr)
        rows, account = self.results()
        return rows, account, server.requests, ended.stderr

    def results(self):
        header, rows = read_csv(self.trace)
        self.assertEqual(header, COLUMNS)
        account = json.loads(self.stats.read_text())
        ticks = account["ticks"]
        self.assertEqual(ticks["due"], ticks["taken"] + ticks["missed"])
        self.assertEqual(account["process"]["rows"], len(rows))
        return rows, account

    def assert_one_warning(self, stderr, account, *words):
        warnings = [line for line in stderr.splitlines() if ": warning: " in line]
        self.assertEqual(len(warnings), 1, stderr)
        self.assertEqual(len(account["process"]["warnings"]), 1)
        for word in words:
            self.assertIn(word, warnings[0])

    def assert_no_server(self, answers, reason, *args, **server_options):
        rows, account, _, stderr = self.sample(answers, *args, duration=5, exit_code=1,
                                               **server_options)
        self.assertEqual(rows, [])
        self.assert_one_warning(stderr, account, reason, "there are no rows")
        self.assertEqual(account["failed_scrapes"], {reason: 1})
        return account


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


class NoServer(SamplerCase):
    def test_refused(self):
        with ScriptedServer({}) as server:
            url = server.url + "/metrics"
        ended = run_tool(TOOL, *self.arguments(url))
        self.assertEqual(ended.returncode, 1)
        rows, account = self.results()
        self.assertEqual(rows, [])
        self.assert_one_warning(ended.stderr, account, "connect", url)
        self.assertEqual(account["ticks"]["missed"], 1)

    def test_html(self):
        self.assert_no_server(response(b"<html>\n<body>metrics</body>\n</html>",
                                       content_type="text/html"), "no_metrics")

    def test_statuses(self):
        for status in (301, 401, 404, 500, 503):
            self.assert_no_server(error(status, b"no <b>\n\x00entry", "text/plain"),
                                  f"http_{status}")

    def test_a_server_without_statistics(self):
        self.assert_no_server((RECORDED / "metrics_log_stats_disabled.resp").read_bytes(),
                              "no_metrics")

    def test_empty_gzip_and_openmetrics(self):
        for name in ("metrics_gzip_slash", "metrics_filter_slash_nomatch",
                     "metrics_openmetrics_slash"):
            self.assert_no_server((RECORDED / f"{name}.resp").read_bytes(), "no_metrics")

    def test_half_an_answer(self):
        whole = (RECORDED / "metrics_idle_fresh.resp").read_bytes()
        self.assert_no_server(cut(whole, len(whole) // 2), "disconnected")
        self.assert_no_server(cut(whole, 30), "disconnected")
        self.assert_no_server([HEAD_CHUNKED, chunk(metrics_text().encode()), close()],
                              "disconnected")
        self.assert_no_server(cut(whole, 5000, reset()), "disconnected")

    def test_not_http(self):
        self.assert_no_server([b"SSH-2.0-OpenSSH\r\n", close()], "bad_response")

    def test_never(self):
        begin = time.monotonic()
        self.assert_no_server(hang(), "timeout", "--timeout", 0.5)
        self.assert_no_server([b"HTTP/1.1 200 OK\r\n", hang()], "timeout", "--timeout", 0.5)
        self.assertLess(time.monotonic() - begin, 3)

    def test_a_connection_that_is_not_taken(self):
        self.assert_no_server({}, "connect", "--connect-timeout", 0.3, accept=False)

    def test_a_hundred_megabytes(self):
        for junk in (b"vllm:junk 1\n" * 5000, b"x" * 65536):
            announced = response(b"", length=100 << 20, content_type="text/plain")
            account = self.assert_no_server([announced, endless(junk)], "too_large")
            self.assertLess(account["process"]["cpu_s"], 3)


class Failures(SamplerCase):
    def sample_with(self, failure, *args, at=(4, 5), **options):
        """Requests `at` fail. The rest must be sampled whole."""
        healthy = full_only(growing)
        return self.sample(lambda request: failure if request.number in at else healthy(request),
                           *args, **options)

    def test_what_fails_in_mid_run_is_missed_and_told_once(self):
        for failure, reason in ((error(404), "http_404"), (error(401), "http_401"),
                                (metrics(""), "no_metrics"), (close(), "disconnected"),
                                (response(b"<html>"), "no_metrics"),
                                (cut(metrics(running=1), -9), "disconnected"),
                                (reset(), "disconnected"),
                                ([response(b"", length=100 << 20), endless(b"x" * 65536)],
                                 "too_large")):
            with self.subTest(reason):
                rows, account, requests, stderr = self.sample_with(failure, at=(4, 5, 6, 7))
                self.assertEqual(set(account["failed_scrapes"]), {reason})
                self.assertGreaterEqual(account["ticks"]["missed"],
                                        account["failed_scrapes"][reason])
                self.assert_one_warning(stderr, account, reason)
                self.assertEqual(rows[-1]["preemptions_total"], str(requests[-1].number))
                self.assertEqual({row["requests_running"] for row in rows}, {"3"})

    def test_metrics_that_vanish_for_good(self):
        healthy = as_vllm(growing)
        rows, account, _, stderr = self.sample(
            lambda request: error(404) if request.number > 5 else healthy(request))
        self.assertEqual(len(rows), 5)
        self.assertGreater(account["failed_scrapes"]["http_404"], 3)
        self.assert_one_warning(stderr, account, "http_404")

    def test_one_that_never_comes_costs_its_ticks_and_no_more(self):
        rows, account, _, stderr = self.sample_with(hang(), "--timeout", 0.3, at=(4,), duration=1.0)
        self.assertEqual(account["failed_scrapes"], {"timeout": 1})
        self.assertIn(account["ticks"]["missed"], (5, 6, 7))
        self.assertEqual(len(rows), account["ticks"]["taken"] + 1)
        self.assert_one_warning(stderr, account, "timeout")

    def test_a_slow_answer_is_never_overlapped_and_costs_missed_ticks(self):
        rows, account, requests, stderr = self.sample(
            lambda request: error(404) if is_filtered(request)
            else [pause(0.22), metrics(growing(request))], interval=50, duration=1.2)
        self.assertEqual(self.server.max_in_flight, 1)
        self.assertEqual(account["ticks"]["due"], 24)
        self.assertGreater(account["ticks"]["missed"], 12)
        self.assertTrue(all(float(row["scrape_ms"]) >= 219 for row in rows))
        self.assertGreaterEqual(account["largest_scrape_ms"], 219)
        self.assertNotIn("warning", stderr)

    def test_a_kept_connection_that_has_been_closed_is_replaced(self):
        rows, account, _, stderr = self.sample(full_only(growing), interval=250, duration=1.2,
                                               idle_timeout=0.1)
        self.assertEqual(account["failed_scrapes"], {})
        self.assertGreater(self.server.connections, 3)
        self.assertEqual(account["ticks"]["missed"], 0)

    def test_a_kept_connection_that_dies_under_the_question_is_asked_again(self):
        rows, account, requests, stderr = self.sample_with(close(), at=(4,))
        self.assertEqual(account["failed_scrapes"], {})
        self.assertEqual(account["ticks"]["missed"], 0)
        self.assertEqual(self.server.connections, 2)


class End(SamplerCase):
    def end_by(self, number, answers):
        with ScriptedServer(answers) as server:
            with start_tool(TOOL, *self.arguments(server)) as process:
                server.wait_for(lambda server: len(server.requests) > 6)
                begin = time.monotonic()
                process.send_signal(number)
                ended = finish(process)
            self.server = server
        return ended, time.monotonic() - begin

    def test_a_signal_is_a_normal_end_after_one_last_scrape(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            ended, seconds = self.end_by(number, as_vllm(growing))
            self.assertEqual(ended.returncode, 0, ended.stderr)
            self.assertLess(seconds, 0.5)
            rows, account = self.results()
            self.assertEqual(rows[-1]["preemptions_total"], str(self.server.requests[-1].number))
            self.assertEqual(account["scrapes"], account["ticks"]["taken"] + 1)

    def test_the_last_scrape_sees_what_came_after_the_last_tick(self):
        late = {"tokens": 5}
        with ScriptedServer(as_vllm(lambda request: metrics_text(
                generation_tokens=late["tokens"]))) as server:
            with start_tool(TOOL, *self.arguments(server, interval=3_600_000)) as process:
                server.wait_for(lambda server: len(server.requests) == 2
                                and server.requests[1].ended)
                late["tokens"] = 77
                process.send_signal(signal.SIGTERM)
                self.assertEqual(finish(process).returncode, 0)
        rows, account = self.results()
        self.assertEqual([row["generation_tokens_total"] for row in rows], ["5", "77"])
        self.assertEqual(account["engines"][0]["last"]["generation_tokens_total"], 77)

    def test_a_server_that_hangs_holds_up_the_end_for_a_second_at_most(self):
        healthy = full_only(growing)
        ended, seconds = self.end_by(signal.SIGTERM, lambda request: hang() if request.number > 5
                                     else healthy(request))
        self.assertEqual(ended.returncode, 0, ended.stderr)
        self.assertLess(seconds, 1.5)
        rows, _ = self.results()
        self.assertEqual(len(rows), 5)

    def test_a_signal_before_the_first_answer(self):
        with ScriptedServer(hang()) as server:
            with start_tool(TOOL, *self.arguments(server)) as process:
                server.wait_for(lambda server: server.requests)
                process.send_signal(signal.SIGTERM)
                ended = finish(process)
        self.assertEqual(ended.returncode, 0)
        self.assertLess(ended.seconds, 2)
        rows, account = self.results()
        self.assertEqual(rows, [])
        self.assert_one_warning(ended.stderr, account, "ended before")

    def test_rows_are_there_while_it_runs_and_whole_when_it_is_killed(self):
        with ScriptedServer(as_vllm(growing)) as server:
            with start_tool(TOOL, *self.arguments(server)) as process:
                server.wait_for(lambda server: len(server.requests) > 6)
                process.kill()
                process.wait(10)
        header, rows = read_csv(self.trace)
        self.assertEqual(header, COLUMNS)
        self.assertGreaterEqual(len(rows), 4)
        self.assertTrue(self.trace.read_text().endswith("\n"))


class Raw(SamplerCase):
    def test_what_is_kept_gives_the_same_rows_again(self):
        raw, again = self.folder / "raw.jsonl", self.folder / "again.csv"
        text = metrics_text(running=2, model="q\\\"\\n🦙")
        rows, _, requests, _ = self.sample(full_only(lambda request: text), "--raw", raw)
        kept = read_jsonl(raw)
        self.assertEqual(len(kept), len(requests))
        self.assertEqual([line["body"] for line in kept if line["status"] == 200],
                         [text] * len(rows))
        self.assertEqual([line["error"] for line in kept if line["status"] != 200], ["http_404"])
        ended = run_tool(TOOL, "-o", again, "--replay", raw)
        self.assertEqual(ended.returncode, 0, ended.stderr)
        self.assertEqual(again.read_text(), self.trace.read_text())

    def test_bytes_that_are_not_utf8_come_through(self):
        raw = self.folder / "raw.jsonl"
        body = b'vllm:x{a="\xff\xfe"} 1\n' + metrics_text(running=2).encode()
        rows, *_ = self.sample(lambda request: error(404) if is_filtered(request)
                               else metrics(body), "--raw", raw)
        ended = run_tool(TOOL, "-o", "-", "--replay", raw)
        self.assertEqual(ended.stdout, self.trace.read_text())

    def test_the_recorded_burst(self):
        ended = run_tool(TOOL, "-o", self.trace, "--stats-out", self.stats, "--replay",
                         RECORDED / "series_preemption_burst.jsonl")
        self.assertEqual(ended.returncode, 0, ended.stderr)
        rows, account = self.results()
        self.assertEqual(len(rows), 41)
        engine = account["engines"][0]
        self.assertEqual([engine[end]["preemptions_total"] for end in ("first", "last")], [76, 157])
        self.assertEqual([engine[end]["generation_tokens_total"] for end in ("first", "last")],
                         [60105, 60105 + 48 * 512])
        self.assertEqual(max(float(row["kv_cache_usage_pct"]) for row in rows), 100)
        self.assertEqual(max(int(row["kv_tokens_used"]) for row in rows), 191 * 32)
        self.assertEqual(max(int(row["requests_waiting"]) for row in rows), 38)
        self.assertEqual((rows[0]["timestamp"], rows[0]["scrape_ms"]),
                         ("2026-11-24T03:23:08.573167+00:00", "9.519"))
        self.assertEqual(account["restarts"], 0)

    def test_lines_that_cannot_be_read_are_passed_over_and_told(self):
        whole = (RECORDED / "series_preemption_burst.jsonl").read_text().splitlines()[:3]
        broken = ['{"timestamp": "2026-', "[]", '{"timestamp":"x","scrape_ms":1,"body":""}', "",
                  '{"timestamp":"2026-02-25T10:00:00","scrape_ms":1,"status":200}']
        ended = run_tool(TOOL, "-o", "-", "--replay", "-",
                         stdin="\n".join([whole[0], *broken, *whole[1:]])[:-20])
        self.assertEqual(ended.returncode, 0, ended.stderr)
        self.assertEqual(len(ended.stdout.splitlines()), 3)
        self.assertRegex(ended.stderr, r"warning: -:2: not JSON \(5 lines passed over\)")

    def test_nothing_to_replay(self):
        self.assertEqual(run_tool(TOOL, "-o", self.trace, "--replay", "/dev/null").returncode, 1)
        ended = run_tool(TOOL, "-o", self.trace, "--replay", self.folder / "none")
        self.assertEqual(ended.returncode, 3)
        self.assertRegex(ended.stderr, r"error: .*none")


class Access(SamplerCase):
    def test_keys_and_headers_are_sent_and_never_shown(self):
        key, headers = self.folder / "key", self.folder / "headers"
        key.write_text("sk-secret-1\n")
        headers.write_text("X-Team: secret-2\n")
        rows, _, requests, stderr = self.sample(as_vllm(growing), "--api-key-file", key,
                                                "--header-file", headers)
        for request in requests:
            self.assertEqual(request.headers["authorization"], "Bearer sk-secret-1")
            self.assertEqual(request.headers["x-team"], "secret-2")
        for text in (stderr, self.trace.read_text(), self.stats.read_text()):
            self.assertNotIn("secret", text)

    def test_https(self):
        certificate = make_certificate(self.folder)
        rows, account, _, _ = self.sample(as_vllm(growing), "--ca-file", certificate.ca,
                                          tls=certificate)
        self.assertGreater(len(rows), 5)
        self.assertEqual(self.server.connections, 1)
        self.assert_no_server(as_vllm(growing), "tls", tls=certificate)
        self.assertGreater(len(self.sample(as_vllm(growing), "--insecure", tls=certificate)[0]), 5)

    def test_a_path_of_its_own_with_a_slash(self):
        with ScriptedServer(lambda request: metrics(growing(request))
                            if request.path == "/a/metrics" else error(404)) as server:
            ended = run_tool(TOOL, *self.arguments(server.url + "/a/metrics/", "--duration", 0.2))
        self.assertEqual(ended.returncode, 0, ended.stderr)


if __name__ == "__main__":
    unittest.main()
