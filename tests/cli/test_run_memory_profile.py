"""run_memory_profile at the command line: what it refuses before anything is started."""

import json
import os
import shutil
import subprocess
import time
import unittest

from integration.profile_case import FAKE_GPUS, ProfileCase, answers, closed_port
from support.answers import error, in_order, models, response
from support.run_tool import run_tool, tool_path
from support.scripted_server import ScriptedServer


class Flags(unittest.TestCase):
    def test_help_has_the_contracts_flags_and_defaults(self):
        ended = run_tool("run_memory_profile", "--help")
        self.assertEqual((ended.returncode, ended.stderr), (0, ""))
        self.assertIn("Examples\n  run_memory_profile", ended.stdout)
        for flag in ("base-url", "model", "timeout", "input-lens", "output-lens", "concurrencies",
                     "prefix-modes", "n-per-condition", "gpu-interval-ms", "gpu-indices",
                     "output-dir", "tag", "seed", "prompt-format", "vocab-size", "chars-per-token",
                     "high-prefix-share", "calibrate", "endpoint", "stream", "exact-output",
                     "schedule", "cache-salt", "extra-body", "header-file", "connect-timeout",
                     "group-pause-s", "ca-file", "insecure", "api-key-file", "gpu-backend",
                     "workload", "ready-timeout", "baseline-s", "tail-s"):
            self.assertIn(f"--{flag} ", ended.stdout)
        self.assertIn("Exit codes", ended.stdout)

    def test_print_config_shows_the_original_defaults(self):
        ended = run_tool("run_memory_profile", "--print-config")
        config = json.loads(ended.stdout)
        self.assertEqual(config["base_url"], "http://127.0.0.1:8000/v1")
        self.assertEqual(config["input_lens"], [8192, 16384, 32768])
        self.assertEqual(config["output_lens"], [64, 128])
        self.assertEqual(config["concurrencies"], [8, 16, 32, 64])
        self.assertEqual(config["prefix_modes"], ["low", "high"])
        self.assertEqual((config["n_per_condition"], config["timeout"]), (1, 600))
        self.assertEqual((config["gpu_interval_ms"], config["gpu_indices"]), (200, "all"))
        self.assertEqual(config["output_dir"], "results/memory_profile")
        self.assertEqual(config["cache_salt"], "per-run")

    def test_bad_flags_are_named_with_what_is_allowed(self):
        for arguments, words in (
                (["--input-lens", "0"], ("--input-lens", "'0'", "from 1")),
                (["--concurrencies", "-4"], ("--concurrencies", "from 1")),
                (["--concurrencies", "8,8"], ("--concurrencies", "without duplicates")),
                (["--output-lens", "1e99"], ("--output-lens", "whole number")),
                (["--timeout", "soon"], ("--timeout", "'soon'", "a number")),
                (["--gpu-indices", "0,x"], ("--gpu-indices", "all")),
                (["--gpu-backend", "magic"], ("--gpu-backend", "nvml")),
                (["--baseline-s", "-1"], ("--baseline-s", "from 0")),
                (["--extra-body", "[1]"], ("--extra-body",)),
                (["--extra-body", '{"model": "x"}'], ("--extra-body", "model")),
                (["--base-url", "ftp://x/v1"], ("--base-url", "http")),
                (["--tag"], ("--tag",)),
                (["stray"], ("no arguments",)),
                (["--n-per-condition", "0"], ("--n-per-condition", "auto"))):
            with self.subTest(arguments):
                ended = run_tool("run_memory_profile", *arguments)
                self.assertEqual((ended.returncode, ended.stdout), (2, ""), ended.stderr)
                self.assertEqual(len(ended.stderr.splitlines()), 1, ended.stderr)
                for word in words:
                    self.assertIn(word, ended.stderr)

    def test_secrets_are_not_repeated(self):
        for arguments in (["--api-key", "sk-secret"], ["--api-key=sk-secret"],
                          ["--base-url", "http://user:sk-secret@127.0.0.1:1/v1"]):
            with self.subTest(arguments):
                ended = run_tool("run_memory_profile", *arguments)
                self.assertEqual(ended.returncode, 2)
                self.assertNotIn("secret", ended.stdout + ended.stderr)


class Refusals(ProfileCase):
    def assert_nothing_made(self):
        self.assertEqual(list(self.out.iterdir()), [])

    def test_no_server(self):
        holder, port = closed_port()
        with holder:
            ended, _ = self.profile(f"http://127.0.0.1:{port}/v1")
        self.assert_one_error(ended, 3, f"http://127.0.0.1:{port}/v1", "refused")
        self.assertLess(ended.seconds, 3)
        self.assert_nothing_made()

    def test_waits_for_a_server_that_comes(self):
        coming_up = in_order(error(503), error(503), models(["tiny"]))
        with ScriptedServer(answers() | {"/v1/models": coming_up}) as server:
            ended, folder = self.profile(server, "--ready-timeout", "10")
        self.assertEqual(ended.returncode, 0, ended.stderr)
        self.assertEqual(sum(r.path == "/v1/models" for r in server.requests), 3)

    def test_waiting_has_an_end(self):
        holder, port = closed_port()
        with holder:
            ended, _ = self.profile(f"http://127.0.0.1:{port}/v1", "--ready-timeout", "1")
        self.assert_one_error(ended, 3, "refused")
        self.assertGreater(ended.seconds, 1)
        self.assertLess(ended.seconds, 5)

    def test_not_let_in(self):
        for status in (401, 403):
            with ScriptedServer({"*": error(status, {"error": "Unauthorized"})}) as server:
                ended, _ = self.profile(server)
            self.assert_one_error(ended, 3, server.url, str(status), "--api-key-file")
        self.assert_nothing_made()

    def test_server_says_503(self):
        with ScriptedServer({"*": error(503)}) as server:
            ended, _ = self.profile(server)
        self.assert_one_error(ended, 3, server.url, "503", "--ready-timeout")

    def test_several_models(self):
        with ScriptedServer(answers() | {"/v1/models": models(["one", "two"])}) as server:
            ended, _ = self.profile(server)
        self.assert_one_error(ended, 2, "--model", "one, two")
        self.assert_nothing_made()

    def test_gpu_that_is_not_there(self):
        with ScriptedServer(answers()) as server:
            ended, _ = self.profile(server, "--gpu-indices", "0,7", env=FAKE_GPUS)
        self.assert_one_error(ended, 3, "--gpu-indices", "7", "0 (", "1 (")
        self.assert_nothing_made()
        self.assertEqual([r.path for r in server.requests if r.method == "POST"], [])

    def test_backend_that_does_not_work(self):
        with ScriptedServer(answers()) as server:
            ended, _ = self.profile(server, "--gpu-backend", "nvml",
                                    env=FAKE_GPUS | {"FAKE_NVML_GPUS": "0"})
        self.assert_one_error(ended, 3, "--gpu-backend", "nvml")
        self.assert_nothing_made()

    def test_output_folder_cannot_be_written(self):
        (self.out / "file").write_text("")
        with ScriptedServer(answers()) as server:
            for folder, reason in ((self.out / "file", "Not a directory"),
                                   (self.out / "file" / "below", "Not a directory"),
                                   ("/proc/nothing/here", "cannot be written to")):
                ended, _ = self.profile(server, output_dir=folder)
                self.assert_one_error(ended, 3, "--output-dir", reason)
            closed = self.out / "closed"
            closed.mkdir(0o555)
            ended, _ = self.profile(server, output_dir=closed / "below")
            self.assert_one_error(ended, 3, "--output-dir", str(closed), "Permission denied")
        self.assertEqual([r for r in server.requests if r.method == "POST"], [])

    def test_bad_workload_line_before_anything_is_asked(self):
        workload = self.out / "w.jsonl"
        good = {"req_id": "a", "prompt": "x", "input_len": 1, "output_len": 1,
                "concurrency_group": 1}
        for second, words in (({**good, "req_id": "b", "output_len": "many"}, (":3: output_len",)),
                              (good, (":3: req_id",))):
            workload.write_text(json.dumps(good) + "\n\n" + json.dumps(second) + "\n")
            with ScriptedServer(answers()) as server:
                ended, _ = self.profile(server, "--workload", workload)
            self.assert_one_error(ended, 2, f"{workload}{words[0]}")
            self.assertEqual(server.requests, [])

    def test_missing_files(self):
        with ScriptedServer(answers()) as server:
            for flag in ("--workload", "--api-key-file", "--header-file"):
                ended, _ = self.profile(server, flag, self.out / "nowhere")
                self.assert_one_error(ended, 3, "nowhere", "No such file")
        self.assertEqual(server.requests, [])

    def test_tools_are_looked_for_beside_it_only(self):
        alone = self.out / "run_memory_profile"
        shutil.copyfile(tool_path("run_memory_profile"), alone)
        alone.chmod(0o755)
        with ScriptedServer(answers()) as server:
            begin = time.monotonic()
            ended = subprocess.run(
                [alone, "--base-url", server.url + "/v1", "--output-dir", self.out / "runs"],
                capture_output=True, text=True, timeout=20,
                env=os.environ | {"PATH": os.path.dirname(tool_path("x")) + ":" +
                                  os.environ["PATH"]})
        self.assertEqual(ended.returncode, 3, ended.stderr)
        self.assertIn(str(self.out / "workload_gen"), ended.stderr)
        self.assertLess(time.monotonic() - begin, 5)


class OtherServers(ProfileCase):
    def test_list_not_there_is_a_warning_and_the_name_is_sent_as_typed(self):
        none = {"/v1/models": error(404), "/version": error(404)}
        with ScriptedServer(answers() | none) as server:
            ended, folder = self.profile(server)
        self.assertEqual(ended.returncode, 0, ended.stderr)
        self.assertIn("warning: " + server.url, ended.stderr)
        sent = [r.json for r in server.requests if r.method == "POST"]
        self.assertEqual({body["model"] for body in sent}, {"default"})
        self.assertFalse(any("cache_salt" in body for body in sent))

    def test_salt_is_left_out_for_servers_that_are_not_vllm(self):
        other = response(json.dumps({"data": [{"id": "m", "owned_by": "llamacpp"}]}).encode())
        with ScriptedServer(answers() | {"/v1/models": other, "/version": error(404)}) as server:
            ended, folder = self.profile(server)
        self.assertEqual(ended.returncode, 0, ended.stderr)
        self.assertIn("--cache-salt per-run is left out", ended.stderr)
        self.assertFalse(any(b"cache_salt" in r.body for r in server.requests))
        manifest = json.loads((folder / "manifest.json").read_text())
        self.assertIs(manifest["server"]["is_vllm"], False)

    def test_model_that_is_not_listed(self):
        with ScriptedServer(answers()) as server:
            ended, folder = self.profile(server, "--model", "huge")
        self.assertIn("'huge'", ended.stderr)
        self.assertIn("'tiny'", ended.stderr)
        self.assertEqual({r.json["model"] for r in server.requests if r.method == "POST"}, {"huge"})


if __name__ == "__main__":
    unittest.main()
