"""The code of docs/analysis.md, run as it stands there, gives the numbers of summary.json."""

import csv
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from integration.profile_case import SMALL, limited
from support.run_tool import open_folder, read_csv, run_tool

PAGE = Path(__file__).resolve().parents[2] / "docs" / "analysis.md"
# Where scripts/install_deps.sh --ci puts pandas and DuckDB.
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
INTERPRETERS = (sys.executable, str(CACHE / "memprof-notebooks" / "bin" / "python"))

# What a notebook would do around the page's lines; the tables come out as JSON.
PANDAS = """
import json, sys
run, code = sys.argv[1:]
exec(code)
levels = levels.drop(columns=["begin", "end"])
print(json.dumps([json.loads(t.to_json(orient="index", double_precision=15))
                  for t in (levels, gpus)]))
"""
DUCKDB = """
import duckdb, json, os, sys
run, code = sys.argv[1:]
os.chdir(run)
duckdb.execute(code)
def table(name):
    rows = duckdb.execute(f"FROM {name}")
    columns = [column[0] for column in rows.description]
    return {str(key): dict(zip(columns[1:], map(float, row))) for key, *row in rows.fetchall()}
print(json.dumps([table("levels"), table("gpus")]))
"""


def interpreter():
    """One with pandas and DuckDB; none: there is none here."""
    for python in INTERPRETERS:
        try:
            probe = subprocess.run([python, "-c", "import pandas, duckdb"], capture_output=True,
                                   timeout=60)
        except OSError:
            continue
        if probe.returncode == 0:
            return python
    return None


def block(language):
    found = re.findall(rf"^```{language}\n(.*?)^```$", PAGE.read_text(encoding="utf-8"),
                       re.MULTILINE | re.DOTALL)
    assert len(found) == 1, f"{PAGE}: {len(found)} blocks of {language}"
    return found[0]


class CodeOnThePage(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.python = interpreter()
        if cls.python is None:
            raise unittest.SkipTest("pandas and duckdb are missing: scripts/install_deps.sh --ci")
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.run_folder = cls.simulate(open_folder(folder.name))
        cls.summary = json.loads((cls.run_folder / "summary.json").read_text())

    @staticmethod
    def simulate(folder):
        """Three levels, with prefix hits, and preemptions at the last two."""
        options = dict(zip(SMALL[::2], SMALL[1::2])) | {
            "--output-dir": folder, "--input-lens": "64,128", "--output-lens": "128",
            "--concurrencies": "2,8,12", "--prefix-modes": "low,high", "--n-per-condition": "4",
            "--group-pause-s": "0.5"}
        ended = run_tool("run_memory_profile", "--simulate",
                         *(part for option in options.items() for part in option),
                         "--exact-output", "--", "--speed", "10", "--num-gpu-blocks-override=64",
                         "--max-model-len=512", prefix=limited(), timeout=60)
        assert ended.returncode == 0, ended.stderr
        return Path(ended.stdout.strip())

    def changed(self):
        """A copy with two GPUs whose memory moves, two engines, and a server that restarted."""
        run = self.run_folder.with_name("changed")
        shutil.copytree(self.run_folder, run)
        self.addCleanup(shutil.rmtree, run)
        seeded = random.Random(6)
        header, rows = read_csv(run / "gpu_mem_trace.csv")
        rows = [row | {"gpu_idx": index, "used_mib": seeded.choice([None, *range(900, 9000)])}
                for row in rows for index in range(2)]
        self.write_csv(run / "gpu_mem_trace.csv", header, rows)
        header, rows = read_csv(run / "server_metrics_trace.csv")
        counters = [name for name in header if name.endswith("_total") and "kv_" not in name]
        for row in rows[len(rows) // 2:]:
            row |= {name: int(row[name]) // 3 for name in counters}
        rows = [row | {"engine": engine, "kv_cache_usage_pct": seeded.uniform(0, 100)}
                for row in rows for engine in range(2)]
        self.write_csv(run / "server_metrics_trace.csv", header, rows)
        self.assertEqual(run_tool("memory_report", run, "-q").returncode, 0)
        return run

    @staticmethod
    def write_csv(path, header, rows):
        with open(path, "w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, header, lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)

    def check(self, driver, language):
        for run in (self.run_folder, self.changed()):
            with self.subTest(run.name):
                ended = subprocess.run([self.python, "-c", driver, str(run), block(language)],
                                       capture_output=True, text=True, timeout=60)
                self.assertEqual(ended.returncode, 0, ended.stderr)
                summary = json.loads((run / "summary.json").read_text())
                self.compare(summary, *json.loads(ended.stdout))

    def compare(self, summary, levels, gpus):
        self.assertEqual(set(levels), {"2", "8", "12"})
        for name, level in summary["by_concurrency"].items():
            expected = {"peak_kv_pct": level["kv"]["usage_peak_pct"],
                        "preemptions": level["kv"]["preemptions"],
                        "prefix_hit_pct": level["kv"]["prefix_hit_pct"],
                        "max_in_flight": level["max_in_flight"],
                        "mean_in_flight": level["mean_in_flight"]}
            self.assertNotIn(None, expected.values())
            self.assertEqual(set(levels[name]), set(expected))
            for column, value in expected.items():
                self.assertAlmostEqual(levels[name][column], value, 6, f"{name}: {column}")
        self.assertEqual(gpus, {str(gpu["gpu_idx"]): {"p95_mib": gpu["p95_mib"]}
                                for gpu in summary["gpus"]})

    def test_the_run_has_something_to_find(self):
        levels = self.summary["by_concurrency"]
        self.assertGreater(levels["12"]["kv"]["preemptions"], 0)
        self.assertGreater(levels["2"]["kv"]["prefix_hit_pct"], 0)
        self.assertGreater(levels["12"]["max_in_flight"], levels["2"]["max_in_flight"])

    def test_pandas(self):
        self.check(PANDAS, "python")

    def test_duckdb(self):
        self.check(DUCKDB, "sql")


if __name__ == "__main__":
    unittest.main()
