"""Every way in which a request can fail is a row that says so, and harms no other request."""

import unittest

from request_runner_case import *  # noqa: F403
from request_runner_case import RequestRunnerCase, ScriptedServer, by_id, line, lines

OK = {"good1": "ok", "good2": "ok", "good3": "ok"}
WHOLE = answer_bytes(sse_completion(21, 8))
TEXT = {"content_type": "text/plain"}


class FailureTest(RequestRunnerCase):
    def fails(self, answer, status, detail="", http_status=None, flags=(), stream=False):
        """The request "bad" gets `answer`, and its row says this; the others are ok."""
        requests = [line("good1", 2), line("bad", 2), line("good2", 2), line("good3", 2)]
        with ScriptedServer(by_id({"bad": answer})) as server:
            done = self.run_on(server, requests, *flags, *(["--stream"] if stream else []))
        self.assert_ended(done, 1)
        self.assertEqual(self.statuses(), OK | {"bad": "error:" + status})
        row = self.rows["bad"]
        self.assertIn(detail, row["error_detail"] or "")
        self.assertTrue(row["error_detail"])
        self.assertEqual(row["http_status"], http_status and str(http_status))
        self.assertTrue(row["start_ts"] <= row["end_ts"])
        self.assertEqual((self.stats["ok"], self.stats["failed"]), (3, 1))
        for good in OK:
            self.assertEqual(self.rows[good]["completion_tokens"], "8")
        return row

    def test_error_statuses_carry_the_servers_words(self):
        for code, answer, words in (
                (400, error(400), "scripted 400"),
                (401, error(401, {"error": "no key"}), "no key"),
                (404, error(404, {"detail": "Not Found"}), "Not Found"),
                (422, error(422, {"object": "error", "message": "flat"}), "flat"),
                (429, error(429, b"slow down\r\nplease", "text/plain"), "slow down please"),
                (500, error(500, b""), "500 with an empty body"),
                (502, error(502, b"<html><h1>Bad Gateway</h1></html>", "text/html"), "Gateway"),
                (503, error(503, b"\xff\xfe\x00\x1b[31m"), "\ufffd"),
                (599, response(b"", 599), "599")):
            with self.subTest(code):
                row = self.fails(answer, f"http_{code}", words, code)
                self.assertNotIn("\n", row["error_detail"])

    def test_a_redirect_is_not_followed(self):
        for code in (301, 302, 307, 308):
            self.fails(response(b"", code, headers=b"location: /v1/other\r\n"), f"http_{code}",
                       str(code), code)

    def test_other_success_statuses_are_not_200(self):
        self.fails(response(answer_bytes(plain_completion(1, 1)), 201), "http_201", "", 201)
        self.fails(b"HTTP/1.1 204 No Content\r\n\r\n", "http_204", "204", 204)

    def test_endless_and_huge_error_bodies(self):
        row = self.fails([b"HTTP/1.1 500 E\r\n\r\n", endless(b"x" * 1000)], "http_500", "xxx", 500)
        self.assertEqual(len(row["error_detail"]), 300)
        self.fails([response(b"", 503, length=10**9), endless(b"y" * 5000)], "http_503", "yyy", 503)

    def test_a_cut_error_body_is_still_its_status(self):
        self.fails([response(b"half", 500, length=100), close()], "http_500", "half", 500)

    def test_a_hanging_error_body_is_still_its_status(self):
        self.fails([response(b"half", 503, length=100), hang()], "http_503", "half", 503,
                   ["--timeout", "0.5"])

    def test_timeout(self):
        for stream, answer, status in ((False, hang(), None),
                                       (True, cut(WHOLE, 600, hang()), 200),
                                       (False, split(plain_completion(1, 1), 1, 0.1), None),
                                       (True, [b"HTTP/1.1 200", hang()], None)):
            row = self.fails(answer, "timeout", "no whole answer after 0.5 s", status,
                             ["--timeout", "0.5"], stream)
            self.assertTrue(0.4 < self.stats["load_s"] < 2, self.stats["load_s"])
        self.assertIsNone(row["first_token_ts"])

    def test_disconnected(self):
        for answer, detail, status in (
                (close(), "without an answer", None),
                (cut(WHOLE, 20), "middle of the response head", None),
                (cut(WHOLE, 600), "middle of the response body", 200),
                (cut(WHOLE, 600, reset()), "reset", 200),
                ([response(b"{", length=100), close()], "middle of the response body", 200),
                (half_close(), "", None)):
            with self.subTest(detail):
                self.fails(answer, "disconnected", detail, status, stream=True)

    def test_bad_responses(self):
        plain = answer_bytes(plain_completion(1, 1)).partition(b"\r\n\r\n")[2]
        for answer, detail, status in (
                (response(b"<html>", content_type="text/html"), "not a JSON object", 200),
                (response(b""), "not a JSON object", 200),
                (response(b"{}"), "no choices", 200),
                (response(b'{"choices":[]}'), "no choices", 200),
                (response(plain + b"x"), "not a JSON object", 200),
                (response(b"\x1f\x8b\x08", headers=b"content-encoding: gzip\r\n"), "JSON", 200),
                (response(b'{"error":{"message":"boom"}}'), "", 200),
                (b"SSH-2.0-OpenSSH_9.2\r\n", "not an HTTP response", None),
                (b"\x15\x03\x03\x00\x02\x02\x46", "not an HTTP response", None),
                ([HEAD_CHUNKED, b"zz\r\nzz\r\n"], "", 200),
                (b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n", "", None)):
            with self.subTest(answer=answer):
                self.fails(answer, "bad_response", detail, status)

    def test_an_error_object_with_status_200_keeps_its_words(self):
        self.fails(response(b'{"error":{"message":"boom"}}'), "bad_response", "boom", 200)

    def test_stream_errors(self):
        for events, detail in (
                (sse_events(21, 8, error_after=3), "scripted failure"),
                (sse_events(21, 8, error_after=0), "scripted failure"),
                (sse_events(21, 8, finish=False), "without finish_reason"),
                (sse_events(21, 8, finish=False, done=False), "without finish_reason"),
                ([b"data: {nonsense\n\n", b"data: [DONE]\n\n"], "not JSON"),
                ([], "without finish_reason"),
                ([b": only a comment\n\n"], "without finish_reason")):
            with self.subTest(detail):
                self.fails(sse(events), "stream_error", detail, 200, stream=True)

    def test_an_error_event_outlives_a_cut(self):
        self.fails(cut(sse(sse_events(21, 8, error_after=3)), -24), "stream_error",
                   "scripted failure", 200, stream=True)

    def test_too_large(self):
        big = b'{"choices":[{"text":"' + b"x" * (1 << 20)
        for answer, detail, status in (
                ([b"HTTP/1.1 200 OK\r\n", endless(b"X: " + b"y" * 500 + b"\r\n")], "head", None),
                ([b"HTTP/1.1 200 OK\r\n\r\n" + big, endless(b"x" * 65536)], "16 MiB", 200),
                ([HEAD_CHUNKED, b"40000000\r\ndata: ", endless(b"x" * 65536)], "1 MiB", 200),
                ([HEAD_CHUNKED, b"1;", endless(b"x" * 65536)], "chunk header", 200)):
            with self.subTest(detail):
                self.fails(answer, "too_large", detail, status)

    def test_endless_tokens_end_with_the_timeout(self):
        event = chunk(sse_events(1, 2)[1])
        row = self.fails([HEAD_CHUNKED, endless(event, 0.01)], "timeout", "0.5 s", 200,
                         ["--timeout", "0.5"], True)
        self.assertIsNotNone(row["first_token_ts"])


class UsageTest(RequestRunnerCase):
    def tokens(self, usage, stream=False):
        body = b'{"choices":[{"text":"x","finish_reason":"stop"}]%s}' % usage
        answer = sse([b"data: " + body + b"\n\n"]) if stream else response(body)
        with ScriptedServer(answer) as server:
            self.assert_ended(self.run_on(server, lines(1)), 0)
        row = self.rows["r0"]
        self.assertEqual(row["status"], "ok")
        return row["prompt_tokens"], row["completion_tokens"], row["cached_tokens"]

    def test_usage_that_is_missing_or_odd_is_an_empty_cell(self):
        for stream in (False, True):
            for text, cells in ((b"", (None, None, None)),
                                (b',"usage":null', (None, None, None)),
                                (b',"usage":{"prompt_tokens":-1,"completion_tokens":1.5}',
                                 (None, None, None)),
                                (b',"usage":{"prompt_tokens":"5","completion_tokens":0}',
                                 (None, "0", None)),
                                (b',"usage":{"prompt_tokens":7,"completion_tokens":3,'
                                 b'"prompt_tokens_details":{"cached_tokens":2}}', ("7", "3", "2"))):
                self.assertEqual(self.tokens(text, stream), cells, text)

    def test_text_that_looks_like_the_protocol(self):
        text = json.dumps('"error": {"message": "x"} "finish_reason": "stop" \ndata: [DONE]\n\n')
        event = b'data: {"choices": [{"delta": {"content": %s}, "finish_reason": %s}]}\n\n'
        good = [event % (text.encode(), b"null")] * 3 + [event % (b'"."', b'"length"')]
        with ScriptedServer(split(sse(good), 1)) as server:
            self.assert_ended(self.run_on(server, lines(1), "--stream"), 0)
        with ScriptedServer(sse(good[:-1] + [b"data: [DONE]\n\n"])) as server:
            self.assert_ended(self.run_on(server, lines(1), "--stream"), 1)
        self.assertEqual(self.statuses(), {"r0": "error:stream_error"})


if __name__ == "__main__":
    unittest.main()
