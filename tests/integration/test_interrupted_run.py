"""run_memory_profile when it is ended early: files are kept, no process is left."""

import os
import signal
import subprocess
import time
import unittest
from pathlib import Path

from integration.profile_case import (FAKE_GPUS, ProfileCase, answers, descendants, first,
                                      is_gone, limited, loaded, posts)
from support.answers import hang
from support.run_tool import finish, pid_of, read_csv, read_jsonl, start_tool
from support.scripted_server import ScriptedServer

QUICK = 3  # seconds in which all is over


class Interrupted(ProfileCase):
    def end_by(self, number, process, pid):
        """Sends the signal; how the run ended, and that nothing of it is left."""
        children = descendants(pid)
        begin = time.monotonic()
        os.kill(pid, number)
        ended = finish(process, 15)
        took = time.monotonic() - begin
        self.assert_gone(children, 1)
        return ended, took

    def test_in_mid_load(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            with self.subTest(number), ScriptedServer(answers(first(2, [hang()]))) as server:
                with self.running(server, "--n-per-condition", "6",
                                  env=FAKE_GPUS) as (process, pid):
                    server.wait_for(lambda s: s.in_flight >= 2 and len(posts(s)) == 4)
                    self.assertEqual(len(descendants(pid)), 2)
                    ended, took = self.end_by(number, process, pid)
                self.assertEqual(ended.returncode, 128 + number, ended.stderr)
                self.assertLess(took, QUICK)
                folder = Path(ended.stdout.strip())
                manifest = self.assert_files_parse(folder)
                self.assertIs(manifest["interrupted"], True)
                self.assertTrue(all(child["ended_as_told"] for child in manifest["children"]))
                _, rows = read_csv(folder / "request_trace.csv")
                self.assertEqual(len(rows), len(read_jsonl(folder / "workload.jsonl")))
                statuses = [row["status"] for row in rows]
                self.assertIn("ok", statuses)
                self.assertEqual(set(statuses), {"ok", "error:cancelled"})
                self.assertIn("interrupted", (folder / "summary.json").read_text())
                self.assertIn("interrupted", ended.stderr)

    def test_in_the_baseline(self):
        with ScriptedServer(answers()) as server:
            with self.running(server, "--baseline-s", "30", env=FAKE_GPUS) as (process, pid):
                trace = self.run_folder() / "gpu_mem_trace.csv"
                self.wait_until(lambda: trace.exists() and trace.stat().st_size > 500, "readings")
                ended, took = self.end_by(signal.SIGINT, process, pid)
        self.assertEqual(ended.returncode, 130, ended.stderr)
        self.assertLess(took, QUICK)
        folder = Path(ended.stdout.strip())
        self.assertIs(self.assert_files_parse(folder)["interrupted"], True)
        self.assertEqual(read_csv(folder / "request_trace.csv")[1], [])
        self.assertEqual(posts(server), [])

    def test_in_the_tail(self):
        with ScriptedServer(answers()) as server:
            with self.running(server, "--tail-s", "30", env=FAKE_GPUS) as (process, pid):
                server.wait_for(lambda s: sum(r.ended is not None for r in posts(s)) == 4)
                self.wait_until(lambda: len(descendants(pid)) == 1, "the runner's end")
                ended, took = self.end_by(signal.SIGINT, process, pid)
        self.assertEqual(ended.returncode, 130, ended.stderr)
        self.assertLess(took, QUICK)
        rows = read_csv(Path(ended.stdout.strip()) / "request_trace.csv")[1]
        self.assertEqual([row["status"] for row in rows], ["ok"] * 4)

    def test_while_the_workload_is_made(self):
        with ScriptedServer(answers()) as server:
            with self.running(server, "--n-per-condition", "100000",
                              "--input-lens", "4096") as (process, pid):
                self.wait_until(lambda: descendants(pid), "workload_gen")
                ended, took = self.end_by(signal.SIGINT, process, pid)
        self.assertEqual(ended.returncode, 130, ended.stderr)
        self.assertLess(took, QUICK)
        self.assertIs(self.assert_files_parse(Path(ended.stdout.strip()))["interrupted"], True)

    def test_while_a_workload_comes_through_a_pipe(self):
        with ScriptedServer(answers()) as server:
            with start_tool("run_memory_profile", *self.arguments(server, "--workload", "-"),
                            prefix=limited(), stdin=subprocess.PIPE) as process:
                pid = pid_of(process, "run_memory_profile")
                self.run_folder()
                time.sleep(0.2)
                os.kill(pid, signal.SIGINT)
                self.wait_until(lambda: is_gone(pid), "its end", QUICK)
                process.stdin.close()
                process.stdin = None
                self.assertEqual(finish(process).returncode, 130)

    def test_while_the_server_is_asked(self):
        with ScriptedServer({"*": [hang()]}) as server:
            with self.running(server) as (process, pid):
                server.wait_for(lambda s: s.in_flight == 1)
                ended, took = self.end_by(signal.SIGINT, process, pid)
        self.assertEqual((ended.returncode, ended.stdout), (130, ""))
        self.assertLess(took, 1)
        self.assertEqual(list(self.out.iterdir()), [])

    def test_children_that_do_not_listen_are_gone_all_the_same(self):
        with ScriptedServer(answers([hang()])) as server:
            with self.running(server, env=FAKE_GPUS) as (process, pid):
                server.wait_for(loaded)
                children = descendants(pid)
                for child in children:
                    os.kill(child, signal.SIGSTOP)  # neither SIGINT nor SIGTERM reaches them
                ended, took = self.end_by(signal.SIGINT, process, pid)
        self.assertEqual(ended.returncode, 130, ended.stderr)
        self.assertLess(took, QUICK + 0.5)
        manifest = self.assert_files_parse(Path(ended.stdout.strip()))
        self.assertEqual({child["signal"] for child in manifest["children"][1:]}, {9})

    def test_a_second_signal_ends_at_once(self):
        with ScriptedServer(answers([hang()])) as server:
            with self.running(server, env=FAKE_GPUS) as (process, pid):
                server.wait_for(loaded)
                children = descendants(pid)
                for child in children:
                    os.kill(child, signal.SIGSTOP)
                os.kill(pid, signal.SIGINT)
                time.sleep(0.2)
                begin = time.monotonic()
                os.kill(pid, signal.SIGINT)
                ended = finish(process, 10)
                self.assertLess(time.monotonic() - begin, 0.5)
                for child in children:
                    os.kill(child, signal.SIGCONT)  # they find SIGTERM waiting
                self.assert_gone(children)
        self.assertEqual(ended.returncode, 130)
        self.assertIs(self.assert_files_parse(self.run_folder())["interrupted"], True)

    def test_killed(self):
        with ScriptedServer(answers(first(1, [hang()]))) as server:
            with self.running(server, env=FAKE_GPUS) as (process, pid):
                server.wait_for(loaded)
                children = descendants(pid)
                self.assertEqual(len(children), 2)
                os.kill(pid, signal.SIGKILL)
                self.assert_gone(children)
        folder = self.run_folder()
        manifest = self.assert_files_parse(folder)
        self.assertIs(manifest["interrupted"], True)
        self.assertEqual(manifest["children"], [])
        _, rows = read_csv(folder / "request_trace.csv")
        self.assertEqual(len(rows), 4)  # SIGTERM, which the runner got then, gives the rest a row

    def test_nobody_reads_its_words(self):
        with ScriptedServer(answers([hang()])) as server:
            with self.running(server, env=FAKE_GPUS) as (process, pid):
                server.wait_for(loaded)
                children = descendants(pid)
                process.stderr.close()
                process.stdout.close()
                self.wait_until(lambda: is_gone(pid), "its end", 12)
                self.assert_gone(children)
                process.stdout = process.stderr = None
        self.assertEqual(len(read_csv(self.run_folder() / "request_trace.csv")[1]), 4)


if __name__ == "__main__":
    unittest.main()
