"""What the tests against real servers share: a folder of their own, and workload -> rows."""

import json
import tempfile
import unittest
from pathlib import Path

from support.run_tool import read_csv, read_jsonl, run_tool

from servers import shared_server


class RealCase(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.server = shared_server()

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="memprof-real-")
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def generate(self, *options, timeout=60):
        """Path of a workload made with these options."""
        path = self.folder / "workload.jsonl"
        done = run_tool("workload_gen", "-o", path, *options, timeout=timeout)
        self.assertEqual(done.returncode, 0, done.stderr)
        return path

    def replay(self, workload, *options, exit_code=0, url=None, env=None, timeout=180):
        """Rows of the workload's replay, and the runner's own account."""
        trace, account = self.folder / "trace.csv", self.folder / "account.json"
        done = run_tool("request_runner", workload, "-o", trace, "--base-url",
                        url or self.server.url, "--stats-out", account, *options,
                        env=env, timeout=timeout)
        self.assertEqual(done.returncode, exit_code, done.stderr)
        _, rows = read_csv(trace)
        self.assertCountEqual([row["req_id"] for row in rows],
                              [line["req_id"] for line in read_jsonl(workload)])
        return rows, json.loads(account.read_text())

    def assert_all_ok(self, rows):
        self.assertEqual([], [(row["req_id"], row["status"], row["error_detail"])
                              for row in rows if row["status"] != "ok"])


def numbers(rows, column):
    """The column as whole numbers, by req_id; None where it is empty."""
    return {row["req_id"]: int(row[column]) if row[column] is not None else None for row in rows}
