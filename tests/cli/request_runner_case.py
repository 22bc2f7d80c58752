"""What the tests of request_runner share: a folder, workloads, runs against a scripted server."""

import json
import tempfile
import unittest
from pathlib import Path

from support.run_tool import read_csv, run_tool, start_tool
from support.scripted_server import *  # noqa: F403: a test imports answers from here
from support.scripted_server import ScriptedServer, completion_as_asked, models

COLUMNS = ("req_id,input_len,output_len,concurrency_group,start_ts,end_ts,status,prompt_tokens,"
           "completion_tokens,prefix_mode,rep,scheduled_ts,first_token_ts,cached_tokens,"
           "http_status,in_flight_at_start,error_detail").split(",")


def line(req_id="r1", group=1, output_len=8, **more):
    return {"req_id": req_id, "prompt": "hello", "input_len": 1, "output_len": output_len,
            "concurrency_group": group} | more


def lines(count, group=1, **more):
    return [line(f"r{n}", group, **more) for n in range(count)]


def by_id(answers, others=completion_as_asked):
    """Answers by the request's X-Request-Id; the others' requests are served as asked."""
    def choose(request):
        if request.path.endswith("/models"):
            return models(["tiny"])
        return answers.get(request.headers.get("x-request-id"), others)
    return choose


class RequestRunnerCase(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.trace = self.folder / "trace.csv"
        self.stats_file = self.folder / "stats.json"

    def file(self, name, text):
        path = self.folder / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    def workload(self, requests):
        return self.file("workload.jsonl", "".join(json.dumps(r) + "\n" for r in requests))

    def arguments(self, url, requests, *flags, model="tiny"):
        return [self.workload(requests), "-o", self.trace, "--base-url", url + "/v1", "--model",
                model, "--stats-out", self.stats_file, *flags,
                *([] if "--group-pause-s" in flags else ["--group-pause-s", "0"])]

    def run_on(self, server, requests, *flags, model="tiny", **options):
        """The finished tool; its rows by req_id in self.rows, its account in self.stats."""
        url = server if isinstance(server, str) else server.url
        done = run_tool("request_runner", *self.arguments(url, requests, *flags, model=model),
                        **options)
        self.take_trace()
        return done

    def start_on(self, server, requests, *flags, **options):
        return start_tool("request_runner", *self.arguments(server.url, requests, *flags),
                          **options)

    def take_trace(self):
        self.rows, self.stats = {}, None
        if self.trace.exists():
            header, rows = read_csv(self.trace)
            self.assertEqual(header, COLUMNS)
            self.rows = {row["req_id"]: row for row in rows}
            self.assertEqual(len(rows), len(self.rows), "a req_id has two rows")
        if self.stats_file.exists():
            self.stats = json.loads(self.stats_file.read_text())

    def statuses(self):
        return {req_id: row["status"] for req_id, row in self.rows.items()}

    def assert_ended(self, done, code, stderr=None):
        self.assertEqual(done.returncode, code, done.stderr)
        if stderr is not None:
            self.assertIn(stderr, done.stderr)

    def assert_refused(self, done, code, *words):
        """One line of error, nothing on stdout."""
        self.assertEqual(done.returncode, code, done.stderr)
        self.assertEqual(done.stdout, "")
        errors = [each for each in done.stderr.splitlines() if "error:" in each]
        self.assertEqual(len(errors), 1, done.stderr)
        self.assertTrue(errors[0].startswith("request_runner: error: "), done.stderr)
        for word in words:
            self.assertIn(word, errors[0])
