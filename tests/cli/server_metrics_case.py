"""What the tests of server_metrics_sampler share."""

import json
import tempfile
import unittest
from pathlib import Path

from support.metrics import metrics_text
from support.run_tool import read_csv, run_tool
from support.scripted_server import ScriptedServer

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
