"""The whole toolkit, killed: SIGKILL at random moments, each binary in turn.

MEMPROF_KILLS: how many; MEMPROF_KILL_SEED: the moments of an earlier time again."""

import concurrent.futures
import hashlib
import json
import os
import random
import re
import sys
import tempfile
import threading
import unittest
from pathlib import Path

from integration.kill_case import (CHILDREN, EVERYTHING, ORCHESTRATOR, Run, life_spans,
                                   requests_said_done, table)
from support.run_tool import open_folder, read_csv, run_tool

KILLS = int(os.environ.get("MEMPROF_KILLS", "200"))
SEED = int(os.environ.get("MEMPROF_KILL_SEED", random.SystemRandom().randrange(2**32)))
AT_ONCE = 2
TARGETS = (*CHILDREN, ORCHESTRATOR, EVERYTHING)
DOCUMENTS = {"manifest.json", "summary.json",
             *(f"logs/{tool}.stats.json" for tool in CHILDREN)}
TRACES = {"request_trace.csv", "gpu_mem_trace.csv", "server_metrics_trace.csv"}
FILES = DOCUMENTS | TRACES | {"workload.jsonl", "report.html"} | {
    f"logs/{tool}.log" for tool in CHILDREN}


def moments(rng):
    """(target, share of its life), spread evenly over each one's life, in a random order."""
    found = []
    for index, target in enumerate(TARGETS):
        count = KILLS // len(TARGETS) + (index < KILLS % len(TARGETS))
        found += [(target, (k + rng.random()) / count) for k in range(count)]
    rng.shuffle(found)
    return found


def names_in(folder):
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


class Killed(unittest.TestCase):
    def test_nothing_is_lost_and_nothing_is_left(self):
        print(f"\n{KILLS} kills, MEMPROF_KILL_SEED={SEED}", file=sys.stderr)
        spans = self.spans()
        hits, misses, failures = [], 0, []
        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
            for begun in [pool.submit(self.one, *moment, spans)
                          for moment in moments(random.Random(SEED))]:
                try:
                    killed, late = begun.result()
                    hits.append(killed)
                    misses += late
                except AssertionError as failure:
                    failures.append(str(failure))
        print(f"{table(hits)}\nand {misses} that came after the tool's end", file=sys.stderr)
        self.assertEqual(failures, [], f"{len(failures)} of {KILLS}")

    def spans(self):
        """As long as they are while others run beside."""
        def measure(_):
            with tempfile.TemporaryDirectory() as out:
                return life_spans(Path(open_folder(out)))
        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
            measured = list(pool.map(measure, range(AT_ONCE)))
        return {target: min(spans[target] for spans in measured) for target in TARGETS}

    def one(self, target, share, spans):
        """Killed while it lived; how often the kill came too late before that."""
        for late in range(20):
            killed, hit = self.attempt(target, share * 0.7 ** late, spans)
            if hit:
                return killed, late
        raise AssertionError(f"{target} ended 20 times before it was killed")

    def attempt(self, target, share, spans):
        with tempfile.TemporaryDirectory() as out:
            with Run(Path(open_folder(out))) as run:
                killed = run.kill(target, share * spans[target])
            where = f"{target} at {share:.4f} ({killed.phase}), seed {SEED}"
            try:
                return killed, self.check(killed)
            except AssertionError as error:
                raise AssertionError(f"{where}: {error}\nterminal: {killed.said}") from error

    def check(self, killed):
        """All of it; whether the kill came before the target had ended."""
        if killed.folder is None:
            return self.check_no_folder(killed)
        rows = self.check_files(killed)
        manifest = killed.folder / "manifest.json"
        manifest = json.loads(manifest.read_text()) if manifest.exists() else None
        if manifest and not manifest["interrupted"]:
            self.check_whole(killed, manifest, rows)
        codes = self.check_report(killed, manifest)
        if killed.target in CHILDREN:
            return self.check_child(killed, manifest, codes)
        self.assertEqual(killed.returncode % 128 in (9, 119), killed.returncode != 0, killed)
        return killed.returncode != 0

    def check_no_folder(self, killed):
        self.assertEqual(killed.stdout, "")
        self.assertIn(killed.target, ("vllm_simulator", ORCHESTRATOR, EVERYTHING))
        if killed.target == "vllm_simulator":  # before it served: no run, and it says why
            self.assertEqual(killed.returncode, 3)
            self.assertIn("error: ", killed.said)
        return True

    def check_files(self, killed):
        """Each of them is whole, and holds what was seen in it before. Rows by file."""
        names = names_in(killed.folder)
        parts = {name for name in names if re.search(r"\.tmp\d+$", name)}
        self.assertLessEqual(names - parts, FILES)
        for name, seen in killed.before.items():
            self.assertEqual((killed.folder / name).read_bytes()[:len(seen)], seen, name)
        for name in DOCUMENTS & names:
            json.loads((killed.folder / name).read_text())
        if "report.html" in names:
            self.assertTrue((killed.folder / "report.html").read_text().endswith("</html>\n"))
        rows = {}
        for name in TRACES & names:
            text = (killed.folder / name).read_bytes()
            if text:  # else it was killed between the file's making and its header
                self.assertTrue(text.endswith(b"\n"), name)
                rows[name] = read_csv(killed.folder / name)[1]
        for line in self.lines(killed.folder / "workload.jsonl"):
            json.loads(line)
        self.assertGreaterEqual(len(rows.get("request_trace.csv", [])),
                                requests_said_done(killed.said))
        return rows

    @staticmethod
    def lines(path):
        """Without a last one that has no line end: one write of many pages can be cut."""
        return path.read_text().split("\n")[:-1] if path.exists() else []

    def check_whole(self, killed, manifest, rows):
        """A manifest that says so is the last word: checksums and counts are those of the files."""
        self.assertLessEqual(TRACES & names_in(killed.folder), set(manifest["file_checks"]))
        for name, check in manifest["file_checks"].items():
            text = (killed.folder / name).read_bytes()
            self.assertEqual((len(text), hashlib.sha256(text).hexdigest()),
                             (check["bytes"], check["sha256"]), name)
        for child in manifest["children"]:
            trace = {"request_runner": "request_trace.csv",
                     "gpu_mem_sampler": "gpu_mem_trace.csv",
                     "server_metrics_sampler": "server_metrics_trace.csv"}.get(child["name"])
            if trace and child["rows"] is not None:
                self.assertEqual(child["rows"], len(rows[trace]))

    def check_report(self, killed, manifest):
        """memory_report renders what is there and says what became of it. The verdict's codes."""
        page = killed.folder / "again.html"
        report = run_tool("memory_report", killed.folder, "--html", page)
        if not names_in(killed.folder) & (TRACES | {"manifest.json"}):
            self.assertEqual(report.returncode, 3)
            return set()
        self.assertIn(report.returncode, (0, 1), report.stderr)
        self.assertTrue(page.read_text().endswith("</html>\n"))
        summary = json.loads((killed.folder / "summary.json").read_text())
        codes = {reason["code"] for reason in summary["verdict"]["reasons"]}
        if manifest and manifest["interrupted"]:
            self.assertIn("interrupted", codes)
            self.assertIn("interrupted", report.stdout)
            self.assertIs(summary["verdict"]["valid"], False)
        return codes

    def check_child(self, killed, manifest, codes):
        record = next((c for c in manifest["children"] if c["name"] == killed.target), None)
        self.assertIsNotNone(record, f"no {killed.target} in the manifest's children")
        if record["signal"] is None:  # it had ended before
            self.assertEqual(killed.returncode, 0)
            return False
        self.assertIn(killed.returncode, (1, 3))
        # One that had been told to end already is named by the verdict alone.
        self.assertRegex(" ".join(killed.said.split()),
                         rf"{killed.target}(: signal 9 \(Killed\)| was ended by signal 9)")
        self.assertIn("sampler_died" if killed.target.endswith("_sampler") else "runner_died",
                      codes)
        return True


if __name__ == "__main__":
    unittest.main()
