"""Flags, the workload's lines, stdin and stdout, progress, and what is said on stderr."""

import json
import os
import unittest

from request_runner_case import *  # noqa: F403
from request_runner_case import (COLUMNS, RequestRunnerCase, ScriptedServer, by_id, line,
                                 lines)
from support.run_tool import finish, run_tool

NOWHERE = "http://127.0.0.1:1"


class FlagsTest(RequestRunnerCase):
    def test_version(self):
        done = run_tool("request_runner", "--version")
        self.assertEqual(done.returncode, 0)
        self.assertRegex(done.stdout, r"^request_runner \d+\.\d+\.\d+\n$")

    def test_print_config(self):
        done = run_tool("request_runner", "--print-config")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        text = json.dumps(json.loads(done.stdout))
        for default in ("http://127.0.0.1:8000/v1", "default", "600", "none", "group", "chat"):
            self.assertIn(default, text)
        done = run_tool("request_runner", "--print-config", "--timeout=1.5", "--stream",
                        env={"OPENAI_API_KEY": "sk-very-secret"})
        self.assertIn("1.5", done.stdout)
        self.assertNotIn("sk-very-secret", done.stdout)

    def test_bad_flags(self):
        path = self.workload(lines(1))
        for flags, words in (
                (["--nonsense"], ["--nonsense"]), (["--time", "5"], ["--time"]),
                (["--timeout", "0"], ["--timeout", "0"]), (["--timeout", "-1"], ["--timeout"]),
                (["--timeout", "x"], ["--timeout", "x"]), (["--timeout", "nan"], ["--timeout"]),
                (["--timeout", "inf"], ["--timeout"]), (["--timeout"], ["--timeout"]),
                (["--connect-timeout", "0"], ["--connect-timeout"]),
                (["--group-pause-s", "-1"], ["--group-pause-s"]),
                (["--endpoint", "chats"], ["--endpoint", "chats", "completions"]),
                (["--schedule", "all"], ["--schedule", "all", "condition"]),
                (["--stream=yes"], ["--stream"]),
                (["--extra-body", "[1]"], ["--extra-body"]),
                (["--extra-body", '{"model":1}'], ["--extra-body", "model"]),
                (["--progress-fd", "-1"], ["--progress-fd"]),
                (["--progress-fd", "77"], ["--progress-fd"]),
                (["--base-url", "localhost:8000"], ["--base-url"]),
                (["--base-url", "http://h:99999/v1"], ["--base-url", "port"]),
                (["--base-url", "http://me:pw@h/v1"], ["--base-url", "password"]),
                (["--timeout", "1", "--timeout", "2"], ["--timeout"])):
            with self.subTest(flags):
                done = run_tool("request_runner", path, "-o", self.trace, *flags)
                self.assert_refused(done, 2, *words)
        self.assert_refused(run_tool("request_runner", "-o", self.trace), 2, "WORKLOAD")
        self.assert_refused(run_tool("request_runner", path), 2, "--output")
        self.assert_refused(run_tool("request_runner", path, path, "-o", self.trace), 2)

    def test_files_that_are_not_there(self):
        absent = self.folder / "absent"
        for flags in (["--api-key-file", absent], ["--header-file", absent]):
            done = run_tool("request_runner", self.workload(lines(1)), "-o", self.trace, *flags)
            self.assert_refused(done, 3, str(absent))
        self.assert_refused(run_tool("request_runner", absent, "-o", self.trace), 3, str(absent))
        self.assertFalse(self.trace.exists())


class WorkloadTest(RequestRunnerCase):
    def test_a_bad_line_ends_it_before_anything_is_sent(self):
        good = json.dumps(line("a"))
        with ScriptedServer(completion_as_asked) as server:
            for bad, words in (("nonsense", ["2"]), (good, ["req_id"]), ("[]", ["2"]),
                               (json.dumps(line("b", 0)), ["concurrency_group"]),
                               (json.dumps(line("b", prompt_token_ids=[1])), ["prompt"]),
                               (json.dumps(line("b", prompt=None)), ["prompt"]),
                               (json.dumps(line("b", output_len="8")), ["output_len"]),
                               ('{"req_id":"b"}', ["2"])):
                path = self.file("bad.jsonl", f"{good}\n{bad}\n")
                done = run_tool("request_runner", path, "-o", self.trace, "--base-url",
                                server.url)
                self.assert_refused(done, 2, f"{path}:2: ", *words)
            self.assertEqual(server.connections, 0)

    def test_an_empty_workload(self):
        for text in ("", "\n\r\n \n"):
            path = self.file("empty.jsonl", text)
            done = run_tool("request_runner", path, "-o", self.trace, "--base-url", NOWHERE)
            self.assert_ended(done, 0, "request_runner: warning: ")
            self.assertEqual(self.trace.read_text(), ",".join(COLUMNS) + "\n")

    def test_stdin_to_stdout(self):
        text = "\ufeff" + json.dumps(line("a")) + "\r\n\r\n" + json.dumps(line("b", note="x"))
        with ScriptedServer(completion_as_asked) as server:
            done = run_tool("request_runner", "-", "-o", "-", "--base-url", server.url, "--model",
                            "m", stdin=text)
        self.assert_ended(done, 0)
        header, *rows = done.stdout.splitlines()
        self.assertEqual(header, ",".join(COLUMNS))
        self.assertEqual([row.split(",")[0] for row in rows], ["a", "b"])
        done = run_tool("request_runner", "-", "-o", "-", stdin="\nnonsense\n")
        self.assert_refused(done, 2, "-:2: ")

    def test_times_are_utc_with_microseconds(self):
        with ScriptedServer(completion_as_asked) as server:
            self.assert_ended(self.run_on(server, lines(3, 2), "--stream"), 0)
        for row in self.rows.values():
            for name in ("start_ts", "end_ts", "scheduled_ts", "first_token_ts"):
                self.assertRegex(row[name], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00$")

    def test_ids_that_csv_must_quote(self):
        names = ['a,"b"', "line\nbreak", "é"]
        with ScriptedServer(completion_as_asked) as server:
            self.assert_ended(self.run_on(server, [line(name) for name in names]), 0)
        self.assertEqual(set(self.rows), set(names))


class VoiceTest(RequestRunnerCase):
    def test_quiet_says_nothing(self):
        with ScriptedServer({"/v1/models": models(["tiny"]), "*": completion_as_asked}) as server:
            done = self.run_on(server, lines(5), "-q", model="default")
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""))

    def test_failures_leave_stderr_without_secrets_and_errors(self):
        with ScriptedServer(error(500)) as server:
            done = self.run_on(server, lines(5), "-q")
        self.assertEqual((done.returncode, done.stdout, done.stderr), (1, "", ""))

    def progress(self, requests, answers):
        reader, writer = os.pipe()
        with ScriptedServer(answers) as server:
            with self.start_on(server, requests, "--progress-fd", writer,
                               pass_fds=(writer,)) as process:
                os.close(writer)
                with os.fdopen(reader) as pipe:
                    told = [json.loads(each) for each in pipe]
                self.done = finish(process)
        return told

    def test_progress_as_json_lines(self):
        requests = lines(6, 2) + [line("s", 3)]
        told = self.progress(requests, by_id({"s": error(500)}, [pause(0.15),
                                                                plain_completion(1, 8)]))
        self.assertEqual(self.done.returncode, 1)
        self.assertNotIn("requests", self.done.stderr)
        self.assertGreater(len(told), 2)
        self.assertEqual(set(told[0]), {"total", "done", "failed", "in_flight", "concurrency"})
        self.assertEqual({each["total"] for each in told}, {7})
        self.assertEqual([each["done"] for each in told], sorted(each["done"] for each in told))
        self.assertLessEqual(max(each["in_flight"] for each in told), 2)
        self.assertIn(2, {each["concurrency"] for each in told})
        self.assertEqual((told[-1]["done"], told[-1]["failed"], told[-1]["in_flight"]), (7, 1, 0))

    def test_a_progress_reader_that_goes_away_or_sleeps_harms_nothing(self):
        for reads in (False, True):
            reader, writer = os.pipe()
            with ScriptedServer([pause(0.15), plain_completion(1, 8)]) as server:
                with self.start_on(server, lines(6, 2), "--progress-fd", writer,
                                   pass_fds=(writer,)) as process:
                    os.close(writer)
                    if not reads:
                        os.close(reader)
                    self.assert_ended(finish(process), 0)
            if reads:
                os.close(reader)
            self.take_trace()
            self.assertEqual(set(self.statuses().values()), {"ok"})


if __name__ == "__main__":
    unittest.main()
