"""Wrong keys, and a server that dies in the middle: on a second server, which does not survive."""

import os
import threading
import time
import unittest

from support.run_tool import bin_dir, run_tool

from profile_run import ProfileRun, check_consistent
from real_case import RealCase
from servers import VllmServer

KEY = "sk-real-4711"
SHORT = ("--baseline-s", "0.5", "--tail-s", "0.5", "--group-pause-s", "0.2")


class KeyedServer(RealCase):
    @classmethod
    def setUpClass(cls):
        key_file = os.path.join(os.environ.get("TMPDIR", "/tmp"), f"memprof-key-{os.getpid()}")
        with open(key_file, "w", encoding="ascii") as file:
            file.write(KEY + "\n")
        cls.addClassCleanup(os.unlink, key_file)
        cls.key_file = key_file
        cls.server = VllmServer("keyed", "--api-key-file", key_file)

    def profile(self, *options, exit_code, env=None, timeout=120):
        done = run_tool("run_memory_profile", "--base-url", self.server.url, "--output-dir",
                        self.folder / "out", *SHORT, *options, env=env, timeout=timeout)
        self.assertEqual(done.returncode, exit_code, done.stderr)
        return done

    def test_1_wrong_key(self):
        wrong = self.folder / "wrong.key"
        wrong.write_text("sk-wrong-0815\n")
        for options, env in [((), None), (("--api-key-file", wrong), None),
                             ((), {"OPENAI_API_KEY": "sk-wrong-0815"})]:
            with self.subTest(options=options, env=env):
                done = self.profile("--input-lens", "20", *options, exit_code=3, env=env)
                self.assertEqual(done.stdout, "")
                self.assertIn("401", done.stderr)
                self.assertIn(self.server.url, done.stderr)
                self.assertNotIn("sk-wrong", done.stderr)
                self.assertFalse((self.folder / "out").exists()
                                 and list((self.folder / "out").iterdir()))

                workload = self.generate("--input-lens", "20", "--output-lens", "2",
                                         "--concurrencies", "2")
                rows, _ = self.replay(workload, *options, env=env, exit_code=1)
                self.assertEqual([(row["status"], row["error_detail"]) for row in rows],
                                 [("error:http_401", "Unauthorized")] * 2)

    def test_2_right_key_is_let_in_and_written_nowhere(self):
        for options, env in [(("--api-key-file", self.key_file), None),
                             ((), {"OPENAI_API_KEY": KEY}), ((), {"VLLM_API_KEY": KEY})]:
            with self.subTest(options=options, env=env):
                seen, stop = set(), threading.Event()
                watcher = threading.Thread(target=watch_arguments, args=(seen, stop))
                watcher.start()
                try:
                    done = self.profile("--input-lens", "50", "--output-lens", "800",
                                        "--concurrencies", "2", *options, exit_code=0, env=env)
                finally:
                    stop.set()
                    watcher.join(30)
                run = ProfileRun(done.stdout.strip())
                check_consistent(self, run)
                self.assertNotIn(KEY, done.stderr)
                for path in run.folder.rglob("*"):
                    if path.is_file():
                        self.assertNotIn(KEY.encode(), path.read_bytes(), path)
                self.assertIn("request_runner", seen, "the children were not looked at")
                self.assertNotIn(KEY, seen)

    def test_3_server_killed_in_the_middle(self):
        """The API server gets SIGKILL, which leaves engine and worker to whoever started them."""
        killed_at = []

        def kill_when_busy():
            while self.server.metrics()["vllm:generation_tokens_total"] < busy:
                time.sleep(0.05)
            killed_at.append(time.monotonic())
            self.server.kill_api_server()

        busy = self.server.tokens()[1] + 1800  # of 4,000 before the pause between the groups
        killer = threading.Thread(target=kill_when_busy)
        killer.start()
        done = self.profile("--input-lens", "50", "--output-lens", "400", "--concurrencies", "4,6",
                            "--n-per-condition", "10", "--prefix-modes", "low", "--exact-output",
                            "--stream", "--api-key-file", self.key_file, exit_code=1)
        ended_at = time.monotonic()
        killer.join(30)
        self.assertLess(ended_at - killed_at[0], 15)
        run = ProfileRun(done.stdout.strip())
        check_consistent(self, run)
        self.assertEqual(len(run.requests), 20)
        self.assertGreater(len(run.ok), 0)
        failed = [row for row in run.requests if row["status"] != "ok"]
        reasons = {row["status"] for row in failed}
        self.assertLessEqual(reasons, {"error:disconnected", "error:connect"})
        self.assertIn("error:disconnected", reasons)
        self.assertIn("error:connect", reasons)
        for row in failed:
            self.assertTrue(row["error_detail"], row)
            self.assertIsNone(row["completion_tokens"])
        self.assertFalse(run.summary["verdict"]["valid"])
        self.assertEqual(run.reasons()["requests_failed"]["severity"], "invalid")

        orphans = self.server.living_pids()
        self.assertTrue(orphans, "engine and worker outlive the API server")
        self.server.down()
        self.assertEqual(self.server.living_pids(), [])
        for pid in self.server.pids:
            self.assertFalse(is_alive(pid), pid)


def watch_arguments(seen, stop):
    """Notes which of our tools ran, and the key if an argument of theirs holds it."""
    ours = {tool.name for tool in bin_dir().iterdir()}
    while not stop.wait(0.02):
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/cmdline", "rb") as file:
                    arguments = file.read().decode(errors="replace")
            except OSError:
                continue
            tool = os.path.basename(arguments.split("\0")[0])
            if tool in ours:
                seen.add(tool)
                if KEY in arguments:
                    seen.add(KEY)


def is_alive(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


if __name__ == "__main__":
    unittest.main()
