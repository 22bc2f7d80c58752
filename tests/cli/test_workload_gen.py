"""workload_gen as a command: files and pipes, calibration on a made-up tokenizer, bad input."""

import hashlib
import http.server
import json
import os
import re
import signal
import subprocess
import tempfile
import threading
import time
import unittest
from pathlib import Path

from support.run_tool import finish, read_jsonl, run_tool, start_tool, tool_path

# Of the default grid with seed 0: changing it changes everybody's workloads.
GOLDEN = "f83f654682b5cffe6f9f456a75bba701daadc81c4caa4dd5c17019461b23dcdc"


class TokenizeServer:
    """/tokenize as vLLM has it: a token per three letters, a new line is one, ten in a chat."""

    def __init__(self, status=200, answer=None, key=None):
        self.questions = []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                outer.questions.append((self.path, body, self.headers.get("Authorization")))
                code, text = status, answer
                if self.path != "/tokenize":
                    code, text = 404, '{"detail":"Not Found"}'
                elif key and self.headers.get("Authorization") != f"Bearer {key}":
                    code, text = 401, '{"error":"Unauthorized"}'
                elif text is None:
                    chat = "messages" in body
                    prompt = body["messages"][0]["content"] if chat else body["prompt"]
                    tokens = [7] * (10 if chat else 0) + tokenize(prompt)
                    text = json.dumps({"count": len(tokens), "max_model_len": 4096,
                                       "tokens": tokens, "token_strs": None})
                self.send_response(code)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text.encode())

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/v1"
        self.thread = threading.Thread(target=self.server.serve_forever)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.thread.join(10)
        self.server.server_close()


def tokenize(text):
    tokens = []
    for piece in re.findall(r"\n| ?[^ \n]+| ", text):
        tokens += [2] if piece == "\n" else [ord(piece[i]) + 100 * len(piece[i:i + 3])
                                             for i in range(0, len(piece), 3)]
    return tokens


class WorkloadGen(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.file = self.folder / "workload.jsonl"

    def generate(self, *args, **options):
        done = run_tool("workload_gen", "-o", self.file, *args, **options)
        self.assertEqual((done.returncode, done.stdout), (0, ""), done.stderr)
        return read_jsonl(self.file), done

    def assert_refused(self, code, pattern, *args, **options):
        done = run_tool("workload_gen", *args, **options)
        self.assertEqual(done.returncode, code, done.stderr)
        self.assertEqual(done.stdout, "")
        self.assertRegex(done.stderr, r"\Aworkload_gen: error: .*\n\Z")
        self.assertRegex(done.stderr, pattern)
        return done

    def test_default_grid(self):
        rows, done = self.generate()
        self.assertEqual(done.stderr, "")
        self.assertEqual(len(rows), 48)
        self.assertEqual(rows[0]["req_id"], "r_008c_8192i_64o_low_00")
        self.assertEqual(rows[-1]["req_id"], "r_064c_32768i_128o_high_00")
        self.assertEqual(len({row["req_id"] for row in rows}), 48)
        for row in rows:
            self.assertEqual(list(row), ["req_id", "prompt", "input_len", "output_len",
                                         "concurrency_group", "extra"])
            self.assertEqual(len(row["prompt"].split(" ")), row["input_len"])
        self.assertEqual(hashlib.sha256(self.file.read_bytes()).hexdigest(), GOLDEN)

    def test_pipe_carries_the_same_bytes(self):
        done = run_tool("workload_gen", "-o", "-")
        self.assertEqual(done.returncode, 0)
        self.assertEqual(hashlib.sha256(done.stdout.encode()).hexdigest(), GOLDEN)

    def test_lists_keep_their_order(self):
        rows, _ = self.generate("--input-lens", "64,32", "--output-lens=2", "--concurrencies",
                                "4,1", "--prefix-modes", "high", "--n-per-condition", "2")
        self.assertEqual([row["req_id"] for row in rows],
                         [f"r_{c:03}c_{i}i_2o_high_{rep:02}"
                          for c in (4, 1) for i in (64, 32) for rep in (0, 1)])

    def test_token_ids(self):
        rows, _ = self.generate("--prompt-format", "token-ids", "--vocab-size", "1000",
                                "--input-lens", "100,50")
        for row in rows:
            self.assertNotIn("prompt", row)
            self.assertEqual(len(row["prompt_token_ids"]), row["input_len"])
            self.assertTrue(all(250 <= t < 750 for t in row["prompt_token_ids"]))

    def test_auto(self):
        rows, _ = self.generate("--input-lens", "8", "--concurrencies", "10",
                                "--n-per-condition", "auto")
        self.assertEqual(len(rows), 12)  # 3 for each of 4 conditions
        rows, _ = self.generate("--input-lens", "8", "--concurrencies", "10",
                                "--n-per-condition", "auto", "--schedule", "condition")
        self.assertEqual(len(rows), 40)

    def test_account(self):
        account = self.folder / "account.json"
        rows, _ = self.generate("--input-lens", "8", "--stats-out", account)
        account = json.loads(account.read_text())
        self.assertEqual(account["process"]["rows"], len(rows))
        self.assertEqual(account["process"]["tool"], "workload_gen")
        self.assertEqual(account["bytes"], self.file.stat().st_size)
        self.assertIsNone(account["calibrated_deviation"])

    def test_calibrated_lengths_are_exact(self):
        grid = ["--input-lens", "40,300,2000", "--n-per-condition", "2", "--concurrencies", "3,4"]
        for endpoint, added in (("chat", 10), ("completions", 0)):
            account = self.folder / "account.json"
            with TokenizeServer() as server:
                rows, done = self.generate(*grid, "--calibrate", server.url + "/", "--endpoint",
                                           endpoint, "--stats-out", account)
            for row in rows:
                self.assertEqual(len(tokenize(row["prompt"])) + added, row["input_len"])
            self.assertEqual(json.loads(account.read_text())["calibrated_deviation"], 0)
            self.assertIn("calibrated: ", done.stderr)
            first = self.file.read_bytes()
            with TokenizeServer() as server:
                self.generate(*grid, "--calibrate", server.url, "--endpoint", endpoint)
                self.assertTrue(all("model" not in body for _, body, _ in server.questions))
            self.assertEqual(self.file.read_bytes(), first)

    def test_calibration_sends_model_and_key(self):
        key = self.folder / "key"
        key.write_text("sk-secret\n")
        with TokenizeServer(key="sk-secret") as server:
            _, done = self.generate("--input-lens", "64", "--calibrate", server.url, "--model",
                                    "tiny", "--api-key-file", key)
            self.assertEqual({path for path, _, _ in server.questions}, {"/tokenize"})
            self.assertEqual({body["model"] for _, body, _ in server.questions}, {"tiny"})
            self.assertNotIn("sk-secret", done.stderr)
            done = self.assert_refused(3, "HTTP 401.*Unauthorized", "-o", self.file,
                                       "--calibrate", server.url,
                                       env={"OPENAI_API_KEY": "sk-wrong"})
            self.assertNotIn("sk-wrong", done.stderr)

    def test_calibration_sends_the_header_file(self):
        headers = self.folder / "headers"
        headers.write_text("Authorization: Bearer sk-of-a-gateway\n")
        with TokenizeServer(key="sk-of-a-gateway") as server:
            self.generate("--input-lens", "64", "--calibrate", server.url, "--header-file", headers)
            self.assertTrue(server.questions)

    def test_calibration_without_a_tokenizer_says_what_to_do(self):
        advice = "/tokenize.*leave --calibrate out and set --chars-per-token"
        for answer in ({"status": 404, "answer": '{"detail":"Not Found"}'}, {"answer": "no"},
                       {"answer": '{"tokens": "many"}'}, {"answer": '{"tokens": [1, "x"]}'}):
            with TokenizeServer(**answer) as server:
                self.assert_refused(3, advice, "-o", self.file, "--calibrate", server.url)
        self.assert_refused(3, "connect.*" + advice, "-o", self.file, "--calibrate",
                            "http://127.0.0.1:1/v1")
        self.assert_refused(2, "--calibrate", "-o", self.file, "--calibrate", "ftp://x/v1")
        done = self.assert_refused(2, "--calibrate", "-o", self.file, "--calibrate",
                                   "http://u:hunter2@127.0.0.1:1/v1")
        self.assertNotIn("hunter2", done.stderr)

    def test_calibration_refuses_a_length_below_the_template(self):
        with TokenizeServer() as server:
            self.assert_refused(2, "--input-lens: 11 tokens", "-o", self.file, "--input-lens",
                                "100,11", "--calibrate", server.url)

    def test_bad_flags(self):
        for flag, value in (("--input-lens", "0"), ("--input-lens", "8,8"),
                            ("--input-lens", "1e3"), ("--output-lens", "-1"),
                            ("--concurrencies", "many"), ("--prefix-modes", "low,medium"),
                            ("--n-per-condition", "0"), ("--seed", "-1"), ("--vocab-size", "10"),
                            ("--chars-per-token", "nan"), ("--high-prefix-share", "1.1"),
                            ("--prompt-format", "ids"), ("--schedule", "none")):
            with self.subTest(flag=flag, value=value):
                self.assert_refused(2, f"{flag}.*'{value}'", "-o", self.file, f"{flag}={value}")
        self.assert_refused(2, "--output FILE is missing")
        self.assert_refused(2, "48000000000 requests", "-o", self.file, "--n-per-condition",
                            "1000000000")
        self.assert_refused(2, "100000000 tokens", "-o", self.file, "--input-lens", "100000000")
        self.assertFalse(self.file.exists())

    def test_output_that_cannot_be_written(self):
        self.assert_refused(3, "No such file", "-o", self.folder / "missing" / "w.jsonl")
        self.assert_refused(3, "No space left", "-o", "/dev/full")

    def test_print_config_is_what_counts(self):
        done = run_tool("workload_gen", "--print-config", "--seed", "7", "--input-lens", "5,6",
                        "--n-per-condition", "auto")
        config = json.loads(done.stdout)
        self.assertEqual(done.returncode, 0)
        self.assertEqual(config["input_lens"], [5, 6])
        self.assertEqual(config["seed"], 7)
        self.assertEqual(config["n_per_condition"], "auto")
        self.assertEqual(config["prefix_modes"], ["low", "high"])
        self.assertFalse(self.file.exists())

    def test_a_signal_leaves_whole_lines(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            with start_tool("workload_gen", "-o", self.file, "--n-per-condition", "3000",
                            "--input-lens", "512") as process:
                while not self.file.exists() or self.file.stat().st_size < 1_000_000:
                    self.assertIsNone(process.poll())
                    time.sleep(0.001)
                process.send_signal(number)
                done = finish(process, 3)
            self.assertEqual(done.returncode, 128 + number, done.stderr)
            text = self.file.read_bytes()
            self.assertTrue(text.endswith(b"}\n"))
            self.assertLess(text.count(b"\n"), 48000)
            json.loads(text.splitlines()[-1])
            self.file.unlink()

    def test_a_reader_that_leaves_ends_it(self):
        with start_tool("workload_gen", "-o", "-", "--n-per-condition", "100") as process:
            process.stdout.read(1000)
            process.stdout.close()
            process.stdout = open(os.devnull)
            self.assertEqual(process.wait(10), -signal.SIGPIPE)

    def test_memory_does_not_grow_with_the_workload(self):
        def peak_kib(repetitions):
            process = subprocess.Popen([tool_path("workload_gen"), "-o", "/dev/null",
                                        "--input-lens", "2048",
                                        "--n-per-condition", str(repetitions)])
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            self.assertEqual(process.returncode, 0)
            return usage.ru_maxrss

        self.assertLess(peak_kib(500), peak_kib(1) + 512)


if __name__ == "__main__":
    unittest.main()
