"""What request_runner sends: bodies, headers, keys, ids, and the model it names."""

import json
import unittest

from request_runner_case import *  # noqa: F403
from request_runner_case import RequestRunnerCase, ScriptedServer, line, lines
from support.run_tool import run_tool

SECRET = "sk-very-secret-0123456789"


class RequestsTest(RequestRunnerCase):
    def sent(self, requests, *flags, model="tiny", answers=completion_as_asked, code=0, **options):
        with ScriptedServer(answers) as server:
            self.done = self.run_on(server, requests, *flags, model=model, **options)
            self.assert_ended(self.done, code)
            return server.requests

    def test_the_original_body(self):
        request, = self.sent([line(prompt='say "é\n\U0001f600"')])
        self.assertEqual((request.method, request.path), ("POST", "/v1/chat/completions"))
        self.assertEqual(request.json, {
            "model": "tiny", "max_tokens": 8, "temperature": 0,
            "messages": [{"role": "user", "content": 'say "é\n\U0001f600"'}]})
        self.assertEqual(request.headers["content-type"], "application/json")

    def test_endpoint_completions(self):
        request, = self.sent([line()], "--endpoint", "completions")
        self.assertEqual(request.path, "/v1/completions")
        self.assertEqual(request.json["prompt"], "hello")

    def test_token_ids_go_to_completions(self):
        ids = [1, 2, 31999]
        requests = self.sent([line("a") | {"prompt": None, "prompt_token_ids": ids}, line("b")])
        sent = {r.headers["x-request-id"]: r for r in requests}
        self.assertEqual(sent["a"].path, "/v1/completions")
        self.assertEqual(sent["a"].json["prompt"], ids)
        self.assertEqual(sent["b"].path, "/v1/chat/completions")

    def test_stream_and_exact_output(self):
        request, = self.sent([line()], "--stream", "--exact-output")
        self.assertEqual({k: request.json[k] for k in
                          ("stream", "stream_options", "min_tokens", "ignore_eos")},
                         {"stream": True, "stream_options": {"include_usage": True},
                          "min_tokens": 8, "ignore_eos": True})
        row = self.rows["r1"]
        self.assertTrue(row["start_ts"] <= row["first_token_ts"] <= row["end_ts"])

    def test_a_plain_answer_has_no_first_token(self):
        self.sent([line()])
        self.assertIsNone(self.rows["r1"]["first_token_ts"])

    def test_a_stream_that_ends_too_late_has_its_first_token_where_one_came(self):
        event = chunk(sse_events(1, 2)[1])
        for answer, came in ((hang(), False), ([HEAD_CHUNKED, event, hang()], True)):
            self.sent([line()], "--stream", "--timeout", "0.5", answers=answer, code=1)
            self.assertEqual(self.rows["r1"]["status"], "error:timeout")
            self.assertEqual(self.rows["r1"]["first_token_ts"] is not None, came)

    def test_the_row_repeats_the_line(self):
        self.sent([line("x", 3, 5, input_len=77, extra={"prefix_mode": "high", "rep": 4})])
        row = self.rows["x"]
        self.assertEqual([row[k] for k in ("input_len", "output_len", "concurrency_group",
                                           "prefix_mode", "rep", "http_status", "status",
                                           "in_flight_at_start")],
                         ["77", "5", "3", "high", "4", "200", "ok", "1"])

    def salts(self, kind):
        requests = self.sent(lines(2, 1) + [line("s", 2)], "--cache-salt", kind)
        return [r.json.get("cache_salt") for r in requests]

    def test_cache_salts(self):
        self.assertEqual(self.salts("none"), [None] * 3)
        self.assertEqual(self.salts("mine"), ["mine"] * 3)
        first, second = self.salts("per-run"), self.salts("per-run")
        self.assertEqual(len(set(first)), 1)
        self.assertNotEqual(first[0], second[0])
        groups = self.salts("per-group")
        self.assertEqual(groups[0], groups[1])
        self.assertNotEqual(groups[1], groups[2])

    def test_extra_body_wins(self):
        extra = {"temperature": 0.7, "top_p": 0.9, "max_tokens": 3, "stop": ["\n"], "x": {"y": 1}}
        request, = self.sent([line()], "--extra-body", json.dumps(extra))
        self.assertEqual(request.json | extra, request.json)
        self.assertEqual(request.body.count(b"max_tokens"), 1)

    def test_request_ids(self):
        names = ["plain-1.x_y", "a b/é", "x" * 300]
        requests = self.sent([line(name) for name in names])
        self.assertEqual([r.headers["x-request-id"] for r in requests],
                         ["plain-1.x_y", "a%20b%2F%C3%A9", "x" * 128])
        requests = self.sent([line("a")], "--request-id-prefix", "run 1")
        self.assertEqual(requests[0].headers["x-request-id"], "run%201.a")
        self.assertEqual(set(self.rows), {"a"})

    def test_base_urls(self):
        with ScriptedServer(completion_as_asked) as server:
            for base, path in (("/v1/", "/v1"), ("//", ""), ("/a/b%20c/v1", "/a/b%20c/v1")):
                done = run_tool("request_runner", self.workload([line()]), "-o", self.trace,
                                "--base-url", server.url + base, "--model", "m")
                self.assert_ended(done, 0)
                self.assertEqual(server.requests[-1].path, path + "/chat/completions")
                self.assertEqual(server.requests[-1].headers["host"], f"127.0.0.1:{server.port}")

    def test_proxies_are_ignored(self):
        proxy = "http://127.0.0.1:1"
        names = ("http_proxy", "https_proxy", "all_proxy")
        self.sent([line()], env={n: proxy for name in names for n in (name, name.upper())})

    def test_header_file(self):
        path = self.file("headers", "X-Tenant: blue team\r\nX-Empty:\n\nx-route: a:b\n")
        headers = self.sent([line()], "--header-file", path)[0].headers
        self.assertEqual([headers[k] for k in ("x-tenant", "x-empty", "x-route")],
                         ["blue team", "", "a:b"])
        path = self.file("headers", "Content-Length: 5\n")
        done = self.run_on("http://127.0.0.1:1", [line()], "--header-file", path)
        self.assert_refused(done, 2, "--header-file", "headers:1", "Content-Length")

    def key_sent(self, *flags, **env):
        return self.sent([line()], *flags, env=env)[0].headers.get("authorization")

    def test_keys(self):
        path = self.file("key", "from-file\n")
        self.assertIsNone(self.key_sent())
        self.assertEqual(self.key_sent(VLLM_API_KEY="v"), "Bearer v")
        self.assertEqual(self.key_sent(VLLM_API_KEY="v", OPENAI_API_KEY="o"), "Bearer o")
        self.assertEqual(self.key_sent("--api-key-file", path, OPENAI_API_KEY="o"),
                         "Bearer from-file")
        headers = self.file("headers", "authorization: Basic abc\n")
        self.assertEqual(self.key_sent("--header-file", headers, OPENAI_API_KEY="o"), "Basic abc")

    def test_no_secret_is_ever_repeated(self):
        headers = self.file("headers", "X-Gateway: Basic " + SECRET[::-1] + "\n")
        echoes = [error(401, {"error": {"message": f"bad key {SECRET} {SECRET[::-1]}"}}),
                  error(401, {"error": f"Basic {SECRET[::-1]} Bearer {SECRET}"}),
                  error(403, (f"{'x' * 285} {SECRET}").encode(), "text/plain"),
                  error(400, {"detail": [{"header": f"Bearer {SECRET}"}]}),
                  sse([f'data: {{"error":"{SECRET}"}}\n\n'.encode()]),
                  response(f'{{"error":"{SECRET[::-1]}"}}'.encode())]
        requests = self.sent(lines(len(echoes)), "--header-file", headers, "--stream",
                             env={"OPENAI_API_KEY": SECRET}, code=1, answers=in_order(*echoes))
        self.assertEqual(requests[0].headers["authorization"], "Bearer " + SECRET)
        written = (self.trace.read_text() + self.stats_file.read_text() + self.done.stderr
                   + self.done.stdout)
        for part in (SECRET[:8], SECRET[::-1][:8]):
            self.assertNotIn(part, written)
        self.assertIn("bad key *** ***", written)

    def test_bad_keys_are_not_repeated(self):
        for flags, env in ((["--api-key-file", self.file("key", SECRET + "\n" + SECRET)], {}),
                           ([], {"OPENAI_API_KEY": SECRET + "\n"  + SECRET}),
                           (["--header-file", self.file("h", SECRET)], {}),
                           (["--api-key", SECRET], {}), (["--api-key-file=" + SECRET], {}),
                           (["--base-url", f"http://u:{SECRET}@h/v1"], {})):
            done = run_tool("request_runner", self.workload([line()]), "-o", self.trace, *flags,
                            env=env)
            self.assertIn(done.returncode, (2, 3))
            if flags[:1] != ["--api-key-file=" + SECRET]:  # a path may be named
                self.assertNotIn(SECRET, done.stderr)


class ModelTest(RequestRunnerCase):
    def named(self, listing, code=0, **options):
        """The model that the server was asked for when --model is left at its default."""
        with ScriptedServer({"/v1/models": listing, "*": completion_as_asked}) as server:
            self.done = self.run_on(server, [line()], model="default", **options)
            self.assert_ended(self.done, code)
            self.asked = [r for r in server.requests if r.path.endswith("/models")]
            return [r.json["model"] for r in server.requests if r.method == "POST"]

    def test_the_only_model(self):
        self.assertEqual(self.named(models(["tiny"]), env={"OPENAI_API_KEY": "k"}), ["tiny"])
        self.assertEqual(self.asked[0].headers["authorization"], "Bearer k")
        self.assertEqual(self.stats["model"], "tiny")
        self.assertIn("model: tiny", self.done.stderr)

    def test_a_listed_default_wins(self):
        self.assertEqual(self.named(models(["a", "default"])), ["default"])

    def test_several_models_must_be_named(self):
        self.assertEqual(self.named(models(["a", "b", "c"]), code=2), [])
        self.assert_refused(self.done, 2, "--model", "a, b, c")

    def test_no_usable_list_means_as_typed(self):
        for listing in (error(404), error(401), response(b"garbage"), response(b"{}"), close(),
                        models([]), response(b"", 302, headers=b"location: /x\r\n"),
                        response(b"x" * (17 << 20)), b"SSH-2.0-x\r\n"):
            self.assertEqual(self.named(listing), ["default"])
            self.assertEqual(self.stats["model"], "default")

    def test_a_name_is_sent_as_typed_without_asking(self):
        with ScriptedServer(completion_as_asked) as server:
            self.assert_ended(self.run_on(server, [line()], model='my/"model"'), 0)
            self.assertEqual([r.json["model"] for r in server.requests], ['my/"model"'])


if __name__ == "__main__":
    unittest.main()
