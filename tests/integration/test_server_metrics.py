"""run_memory_profile on a server with metrics: the fourth child, its trace, what is concluded."""

import json
import os
import signal
import threading
import unittest
from pathlib import Path

from integration.profile_case import ProfileCase, answers, descendants, held
from support.metrics import as_vllm, metrics_text
from support.run_tool import finish, pid_of, read_csv
from support.scripted_server import ScriptedServer, completion_as_asked

METRICS_COLUMNS = ("timestamp,engine,kv_cache_usage_pct,kv_tokens_used,kv_tokens_total,"
                   "requests_running,requests_waiting,preemptions_total,"
                   "prefix_cache_queries_total,prefix_cache_hits_total,prompt_tokens_total,"
                   "generation_tokens_total,scrape_ms").split(",")


PROMPT_TOKENS = 21  # of completion_as_asked()


class Counting:
    """A scripted vLLM whose counters say what it answered."""

    def __init__(self, *, preemptions_each=0, chat=completion_as_asked, more=0):
        self._lock = threading.Lock()
        self._values = {"prompt_tokens": 1000, "generation_tokens": 50, "num_preemptions": 7}
        self._preemptions_each = preemptions_each
        self._chat = chat
        self._more = more  # tokens of somebody else's, per request

    def chat(self, request):
        with self._lock:
            self._values["prompt_tokens"] += PROMPT_TOKENS + self._more
            self._values["generation_tokens"] += request.json["max_tokens"]
            self._values["num_preemptions"] += self._preemptions_each
        return self._chat(request)

    def text(self, request):
        with self._lock:
            return metrics_text(usage=0.5, **self._values)

    def answers(self):
        metrics = as_vllm(self.text)
        return answers(self.chat) | {"/metrics": metrics, "/metrics/": metrics}


def document(folder, name):
    return json.loads((folder / name).read_text())


def codes(folder):
    return {reason["code"]: reason["severity"]
            for reason in document(folder, "summary.json")["verdict"]["reasons"]}


class ServerMetrics(ProfileCase):
    def run_on(self, counting, *more):
        with ScriptedServer(counting.answers()) as server:
            ended, folder = self.profile(server, "--metrics-interval-ms", "20",
                                         "--gpu-backend", "none", *more)
        return ended, folder, server

    def test_trace_manifest_and_summary(self):
        ended, folder, _ = self.run_on(Counting())
        self.assertEqual(ended.returncode, 0, ended.stderr)
        header, rows = read_csv(folder / "server_metrics_trace.csv")
        self.assertEqual(header, METRICS_COLUMNS)
        self.assertEqual(rows[0]["prompt_tokens_total"], "1000")
        # The last scrape is taken after every request has ended.
        self.assertEqual(rows[-1]["prompt_tokens_total"], str(1000 + 4 * PROMPT_TOKENS))
        self.assertEqual(rows[-1]["generation_tokens_total"], str(50 + 4 * 4))
        manifest = document(folder, "manifest.json")
        self.assertEqual(manifest["files"]["server_metrics_trace"], "server_metrics_trace.csv")
        self.assertIn("server_metrics_trace.csv", manifest["file_checks"])
        sampler = manifest["samplers"]["server_metrics_sampler"]
        self.assertIs(sampler["filtered"], True)
        self.assertEqual(sampler["ticks"]["due"],
                         sampler["ticks"]["taken"] + sampler["ticks"]["missed"])
        self.assertEqual(manifest["server"]["cache_config"]["block_size"], "32")
        child = next(c for c in manifest["children"] if c["name"] == "server_metrics_sampler")
        self.assertEqual((child["exit_code"], child["rows"], child["ended_as_told"]),
                         (0, len(rows), True))
        summary = document(folder, "summary.json")
        self.assertEqual(summary["verdict"]["pressure"], "none")
        self.assertNotIn("no_server_metrics", codes(folder))
        self.assertNotIn("other_traffic", codes(folder))

    def test_preemptions_are_the_pressure(self):
        ended, folder, _ = self.run_on(Counting(preemptions_each=2))
        summary = document(folder, "summary.json")
        self.assertEqual(summary["verdict"]["pressure"], "preemption")
        self.assertIn("8 preemptions", ended.stderr)

    def test_tokens_of_others_are_other_traffic(self):
        _, folder, _ = self.run_on(Counting(more=100))
        self.assertEqual(codes(folder)["other_traffic"], "invalid")
        self.assertIs(document(folder, "summary.json")["verdict"]["valid"], False)

    def test_left_out(self):
        ended, folder, server = self.run_on(Counting(), "--no-server-metrics")
        self.assertEqual(ended.returncode, 0, ended.stderr)
        self.assertFalse((folder / "server_metrics_trace.csv").exists())
        self.assertEqual([r for r in server.requests if "metrics" in r.path], [])
        self.assertEqual(codes(folder)["no_server_metrics"], "note")
        self.assertIsNone(document(folder, "summary.json")["verdict"]["pressure"])

    def test_nothing_known_there(self):
        for body in (b"<html>no</html>", b"up 1\n"):
            with self.subTest(body=body):
                counting = Counting()
                counting.text = lambda request, body=body: body.decode()
                ended, folder, _ = self.run_on(counting)
                self.assertEqual(ended.returncode, 0, ended.stderr)
                self.assertIn("none of its series is known", ended.stderr)
                self.assertFalse((folder / "server_metrics_trace.csv").exists())
                self.assertEqual(codes(folder)["no_server_metrics"], "note")

    def test_elsewhere(self):
        with ScriptedServer(Counting().answers()) as other, \
                ScriptedServer(answers()) as server:
            ended, folder = self.profile(server, "--gpu-backend", "none",
                                         "--metrics-url", other.url + "/metrics")
        self.assertEqual(ended.returncode, 0, ended.stderr)
        # These are another server's: its counters did not grow by our requests' usage.
        self.assertEqual(codes(folder)["metrics_not_of_this_server"], "invalid")

    def test_bad_url(self):
        with ScriptedServer(answers()) as server:
            ended, folder = self.profile(server, "--metrics-url", "ftp://x/metrics")
        self.assertIsNone(folder)
        self.assert_one_error(ended, 2, "--metrics-url", "http://")

    def test_sampler_that_dies_is_said(self):
        counting = Counting(chat=held)
        with ScriptedServer(counting.answers()) as server:
            with self.running(server, "--gpu-backend", "none") as (process, pid):
                server.wait_for(lambda s: any("chat" in r.path for r in s.requests))
                sampler = pid_of(process, "server_metrics_sampler")
                os.kill(sampler, signal.SIGKILL)
                self.wait_until(lambda: sampler not in descendants(pid), "the sampler's end")
                server.release()
                ended = finish(process)
        folder = Path(ended.stdout.strip())
        self.assertEqual(ended.returncode, 1, ended.stderr)
        self.assertIn("the run goes on without server metrics", ended.stderr)
        self.assertEqual(codes(folder)["sampler_died"], "invalid")


class ServerLog(ProfileCase):
    def test_startup_lines_are_kept(self):
        log = self.out / "server.log"
        log.write_text("INFO Model loading took 14.9 GiB memory and 3.2 seconds\n"
                       "INFO Available KV cache memory: 20.52 GiB\n"
                       "INFO GPU KV cache size: 621,392 tokens\n")
        with ScriptedServer(answers()) as server:
            ended, folder = self.profile(server, "--server-log", str(log), "--gpu-backend", "none")
        self.assertEqual(ended.returncode, 0, ended.stderr)
        memory = document(folder, "manifest.json")["startup_memory"]
        self.assertEqual(memory["kv_cache_tokens"], [621392])
        self.assertEqual(memory["weights_gib"], [14.9])

    def test_a_log_of_something_else(self):
        log = self.out / "other.log"
        log.write_text("hello\n")
        with ScriptedServer(answers()) as server:
            ended, _ = self.profile(server, "--server-log", str(log))
            self.assert_one_error(ended, 2, "--server-log", "no memory line")
            ended, _ = self.profile(server, "--server-log", str(self.out / "none.log"))
            self.assert_one_error(ended, 3, "none.log", "No such file")


if __name__ == "__main__":
    unittest.main()
