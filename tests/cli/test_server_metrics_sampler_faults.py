"""Servers that are absent or answer badly, ends, raw and replay, access."""

import signal
import time
import unittest

from support.certificates import make_certificate
from support.metrics import as_vllm, full_only, is_filtered, metrics, metrics_text
from support.run_tool import finish, read_csv, read_jsonl, run_tool, start_tool
from support.scripted_server import (ScriptedServer, chunk, chunked, close, cut, endless, error,
                                     hang, pause, reset, response, split, HEAD_CHUNKED)

from server_metrics_case import COLUMNS, RECORDED, TOOL, SamplerCase, growing


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

    def test_lengths_and_heads_that_cannot_be(self):
        whole = metrics_text().encode()
        for head in (b"content-length: -5\r\n", b"x-more: a\0b\r\n",
                     b"content-length: 5\r\ncontent-length: 7\r\n",
                     b"content-length: 5\r\ntransfer-encoding: chunked\r\n"):
            self.assert_no_server([b"HTTP/1.1 200 OK\r\n" + head + b"\r\n" + whole, close()],
                                  "bad_response")
        self.assert_no_server([HEAD_CHUNKED, b"zz\r\n" + whole], "bad_response")

    def test_heads_without_end(self):
        for begin, more in ((b"HTTP/1.1 200 OK\r\n", b"x-more: " + b"y" * 500 + b"\r\n"),
                            (b"HTTP/1.1 200 ", b"x" * 1000),
                            (b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 40)):
            self.assert_no_server([begin, endless(more)], "too_large")

    def test_a_byte_now_and_then(self):
        whole = (RECORDED / "metrics_idle_fresh.resp").read_bytes()
        self.assert_no_server(split(whole, 1, 0.05), "timeout", "--timeout", 0.5)

    def test_every_framing_gives_the_same_rows(self):
        body = metrics_text(running=3).encode()
        for answer in (split(metrics(body), 1), chunked([body[:500], body[500:]], b"x-sum: 1\r\n"),
                       [b"HTTP/1.0 200 OK\r\ncontent-type: text/plain\r\n\r\n" + body, close()],
                       [b"HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n", metrics(body)]):
            rows, account, _, _ = self.sample(lambda request: error(404) if is_filtered(request)
                                              else answer)
            self.assertEqual({row["requests_running"] for row in rows}, {"3"})
            self.assertEqual(account["failed_scrapes"], {})

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
