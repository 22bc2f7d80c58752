"""One command, one folder: scripts/run_memory_profile.sh against a real server."""

import signal
import time
import unittest

from support.run_tool import finish, run_tool, start_tool

from profile_run import ProfileRun, check_consistent, is_running
from real_case import RealCase
from servers import SCRIPTS

WRAPPER = SCRIPTS / "run_memory_profile.sh"
SHORT = ("--baseline-s", "0.5", "--tail-s", "0.5", "--group-pause-s", "0.2")


class WrapperCase(RealCase):
    def run_wrapper(self, *arguments, exit_code=0, timeout=180, **environment):
        done = run_tool(WRAPPER, *arguments, timeout=timeout, cwd=self.folder,
                        env={"VLLM_URL": self.server.url, **environment})
        self.assertEqual(done.returncode, exit_code, done.stderr)
        if exit_code == 3:
            self.assertEqual(done.stdout, "")
            return done
        self.assertEqual(done.stdout.count("\n"), 1, done.stdout)
        return ProfileRun(self.folder / done.stdout.strip()), done


class Wrapper(WrapperCase):
    def test_environment_becomes_a_run_and_arguments_win(self):
        before = self.server.tokens()
        run, done = self.run_wrapper(
            "--n-per-condition", "2", "--exact-output", "--stream", *SHORT,
            INPUT_LENS="256,512", OUTPUT_LENS="16", CONCURRENCIES="4,2", PREFIX_MODES="high,low",
            N_PER_CONDITION="1", GPU_INTERVAL_MS="100", OUTPUT_DIR="out/here", REQUEST_TIMEOUT="90",
            RUN_TAG="first try/../..", MODEL_NAME="default")
        after = self.server.tokens()
        check_consistent(self, run)
        self.assertEqual(len(run.ok), 16)

        self.assertEqual(run.folder.parent, self.folder / "out/here")
        self.assertRegex(run.folder.name, r"^\d{8}_\d{6}_first_try_\.\._\.\.$")
        self.assertEqual(run.manifest["tag"], "first try/../..")
        self.assertEqual(run.manifest["config"], {
            "base_url": self.server.url, "model": "default", "input_lens": [256, 512],
            "output_lens": [16], "concurrencies": [4, 2], "prefix_modes": ["high", "low"],
            "n_per_condition": 2, "gpu_sample_interval_ms": 100, "gpu_indices": None})
        self.assertEqual(run.manifest["server"]["model"], "tiny")
        self.assertEqual(run.manifest["options"]["timeout"], 90)

        # What the rows say is what the server itself counted.
        self.assertEqual(after[0] - before[0], sum(int(row["prompt_tokens"]) for row in run.ok))
        self.assertEqual(after[1] - before[1], 16 * 16)
        for level in ("2", "4"):
            self.assertEqual(run.summary["by_concurrency"][level]["max_in_flight"], int(level))
            self.assertEqual(run.summary["by_concurrency"][level]["avg_completion_tokens"], 16)
        self.check_verdict(run)
        # The ending for people: the verdict, the requests, where the files are.
        self.assertIn(str(run.folder.name), done.stderr)
        self.assertRegex(done.stderr, r"\b16\b")

    def check_verdict(self, run):
        reasons = run.reasons()
        off = [int(row["prompt_tokens"]) / int(row["input_len"]) for row in run.ok]
        self.assertGreater(min(off), 1.1, "this tokenizer does not make a word one token")
        self.assertEqual(reasons["prompt_tokens_off_target"]["severity"], "warning")
        self.assertIn("--calibrate", reasons["prompt_tokens_off_target"]["advice"])
        self.assertNotIn("concurrency_not_reached", reasons)
        self.assertNotIn("requests_failed", reasons)
        self.assertNotIn("completion_tokens_off_target", reasons)
        self.assertEqual("no_gpu_trace" in reasons, not run.gpu_rows)

    def test_calibrated_prompts_are_on_target(self):
        run, _ = self.run_wrapper("--calibrate", "yes", "--exact-output", *SHORT,
                                  INPUT_LENS="512,3000", OUTPUT_LENS="8", CONCURRENCIES="2")
        check_consistent(self, run)
        for row in run.ok:
            self.assertLessEqual(abs(int(row["prompt_tokens"]) / int(row["input_len"]) - 1), 0.01)
        self.assertNotIn("prompt_tokens_off_target", run.reasons())

    def test_two_runs_are_as_cold_as_each_other(self):
        cached = []
        for _ in range(2):
            run, _ = self.run_wrapper(*SHORT, INPUT_LENS="600", OUTPUT_LENS="4", CONCURRENCIES="1",
                                      PREFIX_MODES="low")
            cached.append([row["cached_tokens"] for row in run.requests])
        self.assertEqual(cached[0], cached[1])

    def test_a_prompt_too_long_is_announced_and_becomes_a_row(self):
        run, done = self.run_wrapper(*SHORT, exit_code=1, INPUT_LENS="100,50000", OUTPUT_LENS="4",
                                     CONCURRENCIES="2", PREFIX_MODES="low")
        check_consistent(self, run)
        self.assertEqual({row["input_len"]: row["status"] for row in run.requests},
                         {"100": "ok", "50000": "error:http_400"})
        self.assertIn("too_long_for_context", run.reasons())
        # Announced as too long, so it does not count as a failure of the run.
        self.assertNotIn("requests_failed", run.reasons())
        self.assertIn("40960", done.stderr)

    def test_a_wrong_model_fails_every_request(self):
        run, _ = self.run_wrapper(*SHORT, exit_code=1, MODEL_NAME="no-such-model",
                                  INPUT_LENS="50", OUTPUT_LENS="4", CONCURRENCIES="2")
        check_consistent(self, run)
        self.assertEqual({row["status"] for row in run.requests}, {"error:http_404"})
        self.assertIn("`no-such-model` does not exist", run.requests[0]["error_detail"])
        self.assertFalse(run.summary["verdict"]["valid"])
        self.assertEqual(run.reasons()["requests_failed"]["severity"], "invalid")

    def test_no_server_is_said_in_seconds(self):
        done = self.run_wrapper(exit_code=3, VLLM_URL="http://127.0.0.1:9/v1")
        self.assertLess(done.seconds, 10)
        self.assertRegex(done.stderr, r"(?m)^run_memory_profile: error: .*http://127\.0\.0\.1:9/v1")
        self.assertEqual([], [path.name for path in self.folder.rglob("summary.json")])

    def test_help_is_passed_on(self):
        done = run_tool(WRAPPER, "--help", cwd=self.folder)
        self.assertEqual(done.returncode, 0)
        self.assertIn("--high-prefix-share", done.stdout)


class Interrupted(WrapperCase):
    def test_ctrl_c_keeps_what_there_was_and_frees_the_server(self):
        with start_tool(WRAPPER, *SHORT, "--stream", "--exact-output", cwd=self.folder,
                        env={"VLLM_URL": self.server.url, "INPUT_LENS": "50",
                             "OUTPUT_LENS": "4,20000", "CONCURRENCIES": "6", "PREFIX_MODES": "low",
                             "N_PER_CONDITION": "5"}) as process:
            deadline = time.monotonic() + 60
            while self.server.metrics()["vllm:num_requests_running"] < 5:
                self.assertLess(time.monotonic(), deadline, "the load never came")
                time.sleep(0.05)
            time.sleep(1)
            process.send_signal(signal.SIGINT)  # to the orchestrator alone, not to its children
            done = finish(process, timeout=10)
        self.assertEqual(done.returncode, 130, done.stderr)
        self.assertLess(done.seconds, 5)
        run = ProfileRun(self.folder / done.stdout.strip())
        self.assertEqual({row["output_len"]: row["status"] for row in run.requests},
                         {"4": "ok", "20000": "error:cancelled"})
        self.assertEqual(len(run.requests), 10)
        self.assertTrue(run.manifest["interrupted"])
        self.assertIn("interrupted", run.reasons())
        for child in run.manifest["children"]:
            self.assertFalse(is_running(child["pid"], child["name"]), child["name"])
        deadline = time.monotonic() + 5
        while self.server.metrics()["vllm:num_requests_running"] > 0:
            self.assertLess(time.monotonic(), deadline, "the server still works for nobody")
            time.sleep(0.05)


class DefaultGrid(WrapperCase):
    """The 48 requests that a call without options makes: up to 32,768 tokens, 64 at a time."""

    def test_all_48_requests_are_served(self):
        # This tokenizer needs more than one token for most words, hence the calibration.
        run, _ = self.run_wrapper("--calibrate", "yes", "--exact-output", timeout=900)
        check_consistent(self, run)
        self.assertEqual(len(run.ok), 48)
        self.assertEqual(run.folder.parent, self.folder / "results/memory_profile")
        for row in run.ok:
            self.assertEqual(row["completion_tokens"], row["output_len"])
            self.assertLessEqual(abs(int(row["prompt_tokens"]) / int(row["input_len"]) - 1), 0.01)
        levels = run.summary["by_concurrency"]
        self.assertEqual(list(levels), ["8", "16", "32", "64"])
        for level, group in levels.items():
            self.assertEqual((group["n_requests"], group["n_ok"]), (12, 12))
            self.assertEqual(group["avg_completion_tokens"], 96)
            self.assertEqual(group["max_in_flight"], min(12, int(level)))
        # 12 requests cannot be 16 in flight: said, with what to do about it.
        self.assertEqual(run.reasons()["concurrency_not_reached"]["severity"], "warning")


if __name__ == "__main__":
    unittest.main()
