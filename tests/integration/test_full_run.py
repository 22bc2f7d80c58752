"""run_memory_profile from a server to a folder: what is in it, and what the tool says."""

import contextlib
import hashlib
import json
import os
import re
import threading
import time
import unittest
from datetime import datetime
from pathlib import Path

from integration.profile_case import (FAKE_GPUS, GPU_COLUMNS, REQUEST_COLUMNS, ProfileCase,
                                      answers, descendants, held, limited, loaded)
from support.answers import error, models, pause
from support.run_tool import finish, read_csv, read_jsonl, run_tool, start_tool
from support.scripted_server import ScriptedServer, completion_as_asked

FILES = {"workload.jsonl", "request_trace.csv", "gpu_mem_trace.csv", "summary.json",
         "manifest.json", "report.html", "logs"}
TOOLS = ("workload_gen", "gpu_mem_sampler", "request_runner")


def document(folder, name):
    return json.loads((folder / name).read_text())


class FullRun(ProfileCase):
    def test_everything_is_there_and_agrees(self):
        with ScriptedServer(answers()) as server:
            ended, folder = self.profile(server, "--tag", "all", env=FAKE_GPUS | {
                "FAKE_NVML_PROCESSES": f"{os.getpid()}:1048576"})
        self.assertEqual(ended.returncode, 0, ended.stderr)
        self.assertEqual(ended.stdout, f"{folder}\n")
        self.assertEqual({path.name for path in folder.iterdir()}, FILES)
        self.assertEqual({path.name for path in (folder / "logs").iterdir()},
                         {f"{tool}{end}" for tool in TOOLS for end in (".log", ".stats.json")})
        self.assertRegex(folder.name, r"^\d{8}_\d{6}_all$")

        header, requests = read_csv(folder / "request_trace.csv")
        self.assertEqual(header, REQUEST_COLUMNS)
        asked = read_jsonl(folder / "workload.jsonl")
        self.assertEqual({row["req_id"] for row in requests}, {line["req_id"] for line in asked})
        self.assertEqual([row["status"] for row in requests], ["ok"] * 4)
        header, gpu = read_csv(folder / "gpu_mem_trace.csv")
        self.assertEqual(header, GPU_COLUMNS)
        self.assertEqual({row["gpu_idx"] for row in gpu}, {"0", "1"})

        manifest, summary = document(folder, "manifest.json"), document(folder, "summary.json")
        self.assertEqual(list(manifest)[:5], ["run_id", "timestamp", "config", "results", "files"])
        self.assertEqual(manifest["run_id"], folder.name)
        self.assertEqual(manifest["config"]["model"], "default")
        self.assertEqual(manifest["server"] | {"pids": None}, {
            "version": "0.32.0", "simulator": None, "simulator_speed": None,
            "kv_bytes_per_token": None, "model": "tiny",
            "max_model_len": 4096, "is_vllm": True, "is_local": True, "pids": None,
            "insecure_tls": False, "key_over_http": False, "cache_config": None})
        self.assertIs(manifest["interrupted"], False)
        self.assertEqual(manifest["options"]["tag"], "all")
        self.assertEqual(len(manifest["gpus"]), 2)
        self.assertEqual(manifest["results"]["gpu_samples"], len(gpu))
        self.assertEqual(manifest["results"]["total_requests"], 4)
        self.assertEqual(summary["gpu_samples"], len(gpu))
        self.assertEqual((summary["total_requests"], summary["ok_requests"]), (4, 4))
        self.assertIs(summary["verdict"]["valid"], True)
        ticks = manifest["samplers"]["gpu_mem_sampler"]["ticks"]
        self.assertEqual(ticks["due"], ticks["taken"] + ticks["missed"])
        self.assertEqual(ticks["taken"] * 2, len(gpu))

    def test_children_are_recorded(self):
        with ScriptedServer(answers()) as server:
            ended, folder = self.profile(server, env=FAKE_GPUS)
        manifest = document(folder, "manifest.json")
        children = {child["name"]: child for child in manifest["children"]}
        self.assertEqual(tuple(children), TOOLS)  # in the order of their starts
        for name, child in children.items():
            self.assertEqual((child["exit_code"], child["signal"]), (0, None), name)
            self.assertIs(child["ended_as_told"], True)
            self.assertEqual(child["argv"][0], name)
            self.assertLess(child["started_ts"], child["ended_ts"])
            self.assertEqual(child["rows"], document(folder / "logs", f"{name}.stats.json")
                             ["process"]["rows"])
        self.assertEqual(children["request_runner"]["rows"], 4)

    def test_children_have_one_clock(self):
        with ScriptedServer(answers(held)) as server:
            with self.running(server, env=FAKE_GPUS) as (process, pid):
                server.wait_for(loaded)
                anchors = []
                for child in descendants(pid):
                    variables = Path(f"/proc/{child}/environ").read_bytes().split(b"\0")
                    anchors += [v for v in variables if v.startswith(b"MEMPROF_CLOCK_ANCHOR=")]
                server.release()
                ended = finish(process)
        self.assertEqual(ended.returncode, 0, ended.stderr)
        self.assertEqual(len(anchors), 2)
        self.assertEqual(len(set(anchors)), 1)

    def test_whose_gpus_they_are(self):
        ours, other = str(os.getpid()), "1"  # the server is a thread of this process
        for pid, known in ((ours, True), (other, False)):
            with ScriptedServer(answers()) as server:
                ended = run_tool("run_memory_profile", *self.arguments(server), timeout=40,
                                 env=FAKE_GPUS | {"FAKE_NVML_PROCESSES": f"{pid}:1048576"},
                                 prefix=("timeout", "--kill-after=2", "30"))
            self.assertEqual(ended.returncode, 0, ended.stderr)
            folder = Path(ended.stdout.strip())
            self.assertIn(os.getpid(), document(folder, "manifest.json")["server"]["pids"])
            codes = {r["code"] for r in document(folder, "summary.json")["verdict"]["reasons"]}
            self.assertEqual("gpu_unproven" not in codes, known)

    def test_progress_on_a_terminal(self):
        terminal, inner = os.openpty()
        with ScriptedServer(answers(held)) as server:
            with start_tool("run_memory_profile", *self.arguments(server), prefix=limited(),
                            stderr=inner) as process:
                os.close(inner)
                server.wait_for(loaded)
                time.sleep(1.2)
                server.release()
                shown = b""
                with contextlib.suppress(OSError):  # the other side is closed
                    while data := os.read(terminal, 65536):
                        shown += data
                self.assertEqual(process.wait(20), 0)
        os.close(terminal)
        self.assertIn(b"\r\x1b[2K0/4 requests, 2 in flight of 2, 0 failed", shown)
        self.assertIn(b"\r\x1b[2Kverdict", shown)
        # A line stays until the next one replaces it.
        self.assertEqual(shown.count(b"\r\x1b[2K\r\x1b[2K"), 0, shown)

    def test_memory_is_read_before_and_after_the_load(self):
        with ScriptedServer(answers()) as server:
            ended, folder = self.profile(server, "--baseline-s", "0.6", "--tail-s", "0.5",
                                         env=FAKE_GPUS)
        _, requests = read_csv(folder / "request_trace.csv")
        _, gpu = read_csv(folder / "gpu_mem_trace.csv")
        first = min(datetime.fromisoformat(row["start_ts"]) for row in requests)
        last = max(datetime.fromisoformat(row["end_ts"]) for row in requests)
        times = [datetime.fromisoformat(row["timestamp"]) for row in gpu]
        self.assertEqual(times, sorted(times))
        self.assertGreaterEqual((first - times[0]).total_seconds(), 0.6)
        self.assertGreaterEqual((times[-1] - last).total_seconds(), 0.4)
        timeline = document(folder, "manifest.json")["timeline"]
        self.assertEqual(sorted(timeline.values()), list(timeline.values()))
        baseline = document(folder, "summary.json")["gpus"][0]["baseline_mib"]
        self.assertGreater(baseline, 1024)

    def test_checksums_are_those_of_the_files(self):
        with ScriptedServer(answers()) as server:
            _, folder = self.profile(server)
        checks = document(folder, "manifest.json")["file_checks"]
        files = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
        self.assertEqual(set(checks), files - {"manifest.json"})
        for name, check in checks.items():
            data = (folder / name).read_bytes()
            self.assertEqual(check["bytes"], len(data), name)
            self.assertEqual(check["sha256"], hashlib.sha256(data).hexdigest(), name)

    def test_the_requests_are_what_was_asked_for(self):
        def slow(request):
            return [pause(0.1), *completion_as_asked(request)]

        with ScriptedServer(answers(slow)) as server:
            _, folder = self.profile(server, "--exact-output", "--extra-body", '{"top_k": 3}',
                                     "--stream")
        posts = [r for r in server.requests if r.method == "POST"]
        self.assertEqual(len(posts), 4)
        for request in posts:
            body = request.json
            self.assertEqual((body["model"], body["max_tokens"], body["temperature"]),
                             ("tiny", 4, 0))
            self.assertEqual((body["min_tokens"], body["ignore_eos"], body["top_k"],
                              body["stream"]), (4, True, 3, True))
            self.assertTrue(request.headers["x-request-id"].startswith(folder.name + "."))
        self.assertEqual(len({r.json["cache_salt"] for r in posts}), 1)
        self.assertEqual(server.max_in_flight, 2)

    def test_two_runs_have_two_salts_and_the_same_workload(self):
        with ScriptedServer(answers()) as server:
            folders = [self.profile(server)[1] for _ in range(2)]
        salts = {r.json["cache_salt"] for r in server.requests if r.method == "POST"}
        self.assertEqual(len(salts), 2)
        first, second = ((folder / "workload.jsonl").read_bytes() for folder in folders)
        self.assertEqual(first, second)

    def test_failed_requests_are_exit_1_with_all_files(self):
        chat = lambda request: (error(500) if request.number % 2 else completion_as_asked(request))
        with ScriptedServer(answers(chat)) as server:
            ended, folder = self.profile(server)
        self.assertEqual(ended.returncode, 1, ended.stderr)
        summary = document(folder, "summary.json")
        self.assertEqual((summary["ok_requests"], summary["error_requests"]), (2, 2))
        self.assertEqual(summary["errors"][0]["status"], "error:http_500")
        self.assertIs(summary["verdict"]["valid"], False)
        self.assertIn("scripted 500", ended.stderr)

    def test_the_ending_says_what_counts(self):
        with ScriptedServer(answers()) as server:
            ended, folder = self.profile(server, env=FAKE_GPUS)
        for words in ("verdict", "valid", "0 (Fake H100", "4 ok", "concurrency", str(folder)):
            self.assertIn(words, ended.stderr)

    def test_quiet(self):
        with ScriptedServer(answers()) as server:
            ended, folder = self.profile(server, "-q", env=FAKE_GPUS)
        self.assertEqual((ended.returncode, ended.stderr), (0, ""))
        self.assertEqual(ended.stdout, f"{folder}\n")

    def test_without_a_gpu_the_load_runs_all_the_same(self):
        with ScriptedServer(answers()) as server:
            ended, folder = self.profile(server, "--gpu-backend", "none", "--baseline-s", "9",
                                         "--tail-s", "9")
        self.assertEqual(ended.returncode, 0, ended.stderr)
        self.assertLess(ended.seconds, 5)
        self.assertEqual((folder / "gpu_mem_trace.csv").read_text(), ",".join(GPU_COLUMNS) + "\n")
        codes = {r["code"] for r in document(folder, "summary.json")["verdict"]["reasons"]}
        self.assertIn("no_gpu_trace", codes)

    def test_prompts_longer_than_the_context_are_announced(self):
        with ScriptedServer(answers() | {"/v1/models": models(["tiny"], 100)}) as server:
            ended, folder = self.profile(server, "--input-lens", "64,200")
        self.assertIn("warning: 4 requests do not fit the model's context of 100 tokens",
                      ended.stderr)
        self.assertEqual(document(folder, "manifest.json")["too_long_for_context"],
                         [{"input_len": 200, "output_len": 4, "n_requests": 4}])

    def test_the_orchestrator_costs_less_than_a_second(self):
        with ScriptedServer(answers()) as server:
            ended, folder = self.profile(server, "--baseline-s", "0.5", "--tail-s", "0.5",
                                         env=FAKE_GPUS)
        load = document(folder, "summary.json")["load"]["duration_s"]
        self.assertLess(ended.seconds - load - 1, 2)  # 1 is the aim; this machine runs other tests


class OwnWorkload(ProfileCase):
    LINE = {"req_id": "a,\"1\"", "prompt": "hello\nworld", "input_len": 3, "output_len": 2,
            "concurrency_group": 1, "note": {"kept": True}}

    def test_a_file_is_copied_byte_by_byte(self):
        given = self.out / "mine.jsonl"
        given.write_bytes(json.dumps(self.LINE).encode() + b"\r\n\n")
        with ScriptedServer(answers()) as server:
            ended, folder = self.profile(server, "--workload", given)
        self.assertEqual(ended.returncode, 0, ended.stderr)
        self.assertEqual((folder / "workload.jsonl").read_bytes(), given.read_bytes())
        _, rows = read_csv(folder / "request_trace.csv")
        self.assertEqual([row["req_id"] for row in rows], [self.LINE["req_id"]])
        self.assertFalse((folder / "logs" / "workload_gen.log").exists())

    def test_from_a_pipe(self):
        text = json.dumps(self.LINE) + "\n"
        with ScriptedServer(answers()) as server:
            ended, folder = self.profile(server, "--workload", "-", stdin=text)
            self.assertEqual(ended.returncode, 0, ended.stderr)
            self.assertEqual((folder / "workload.jsonl").read_text(), text)
            pipe = self.out / "pipe"  # as `<(…)` gives it: it can be read once only
            os.mkfifo(pipe)
            pipe.chmod(0o666)
            threading.Thread(target=pipe.write_text, args=(text,), daemon=True).start()
            ended, folder = self.profile(server, "--workload", pipe)
            self.assertEqual(ended.returncode, 0, ended.stderr)
            self.assertEqual((folder / "workload.jsonl").read_text(), text)

    def test_a_bad_line_from_a_pipe(self):
        with ScriptedServer(answers()) as server:
            ended, folder = self.profile(server, "--workload", "-", stdin="{}\n")
        self.assert_one_error(ended, 2, "-:1: ")
        self.assertEqual([r for r in server.requests if r.method == "POST"], [])

    def test_an_empty_one(self):
        with ScriptedServer(answers()) as server:
            ended, folder = self.profile(server, "--workload", "-", stdin="\n")
        self.assertEqual(ended.returncode, 0, ended.stderr)
        self.assertIn("warning: request_runner: the workload is empty", ended.stderr)
        self.assertEqual((folder / "request_trace.csv").read_text(),
                         ",".join(REQUEST_COLUMNS) + "\n")


class Folders(ProfileCase):
    def test_no_tag_leaves_the_output_folder(self):
        with ScriptedServer(answers()) as server:
            for tag, name in (("../x", "_x"), ("/", "_"), ("..", ""), (".-.hidden", "hidden"),
                              ("a b  c", "a_b_c"), ("größe 1", "gr_e_1"), ("-rf", "rf"),
                              ("$(reboot);`x`\n", "_reboot_x_"), ("x" * 300, "x" * 64),
                              ("a__b.c-d", "a__b.c-d"), ("日本", "_")):
                with self.subTest(tag):
                    ended, folder = self.profile(server, "--tag=" + tag, "--baseline-s", "0",
                                                 "--tail-s", "0")
                    self.assertEqual(ended.returncode, 0, ended.stderr)
                    self.assertEqual(folder.parent, self.out)
                    self.assertRegex(folder.name, r"^\d{8}_\d{6}" +
                                     (f"_{re.escape(name)}" if name else "") + r"(-\d+)?$")
                    self.assertEqual(document(folder, "manifest.json")["tag"], tag)

    def test_runs_in_one_second_have_folders_of_their_own(self):
        with ScriptedServer(answers()) as server:
            arguments = self.arguments(server, "--tag", "twin", "--baseline-s", "0")
            with (start_tool("run_memory_profile", *arguments, prefix=limited()) as one,
                  start_tool("run_memory_profile", *arguments, prefix=limited()) as two,
                  start_tool("run_memory_profile", *arguments, prefix=limited()) as three):
                ended = [finish(process) for process in (one, two, three)]
        folders = {run.stdout for run in ended}
        self.assertEqual([run.returncode for run in ended], [0, 0, 0])
        self.assertEqual(len(folders), 3)
        for folder in self.out.iterdir():
            manifest = document(folder, "manifest.json")
            self.assertEqual(manifest["run_id"], folder.name)
            self.assertEqual(len(read_csv(folder / "request_trace.csv")[1]), 4)

    def test_relative_paths_are_the_callers(self):
        with ScriptedServer(answers()) as server:
            ended = run_tool("run_memory_profile",
                             *self.arguments(server, output_dir="-odd/deep/er"), cwd=self.out,
                             prefix=limited())
        self.assertEqual(ended.returncode, 0, ended.stderr)
        self.assertTrue((self.out / ended.stdout.strip() / "summary.json").exists(), ended.stdout)


if __name__ == "__main__":
    unittest.main()
