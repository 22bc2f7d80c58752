"""Signals, full disks, closed pipes: whole rows, one for each request, and an exit code."""

import contextlib
import os
import resource
import signal
import time
import unittest
from pathlib import Path

from request_runner_case import *  # noqa: F403
from request_runner_case import RequestRunnerCase, ScriptedServer, by_id, line, lines
from support.run_tool import finish, read_csv, run_tool

CANCELLED = "error:cancelled"


def connecting(pid, port):
    """Whether a process waits for its connection to this port to come up (TCP's SYN-SENT)."""
    own = set()
    with contextlib.suppress(OSError):  # one is closed meanwhile
        own = {os.readlink(link) for link in Path(f"/proc/{pid}/fd").iterdir()}
    rows = map(str.split, Path("/proc/net/tcp").read_text().splitlines()[1:])
    return any(row[2].endswith(f":{port:04X}") and row[3] == "02" and f"socket:[{row[9]}]" in own
               for row in rows)


class SignalTest(RequestRunnerCase):
    def ended_by(self, number, answers, requests, ready, *flags):
        """The tool ended by signal `number` once ready(server) holds; every request has a row."""
        with ScriptedServer(answers) as server:
            with self.start_on(server, requests, *flags) as process:
                server.wait_for(ready)
                time.sleep(0.1)
                process.send_signal(number)
                done = finish(process, 5)
        self.assert_ended(done, 128 + number)
        self.assertLess(done.seconds, 3)
        self.take_trace()
        self.assertEqual(set(self.rows), {request["req_id"] for request in requests})
        self.assertEqual(self.stats["ok"] + self.stats["failed"], len(requests))
        return self.statuses()

    def test_while_requests_hang(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            statuses = self.ended_by(number, by_id({}, hang()), lines(9, 4) + [line("s", 5)],
                                     lambda server: server.in_flight == 4)
            self.assertEqual(set(statuses.values()), {CANCELLED})
            row = self.rows["r0"]
            self.assertEqual(row["error_detail"], f"ended by signal {int(number)}")
            self.assertTrue(row["start_ts"] <= row["end_ts"])
            for never_sent in ("r8", "s"):
                row = self.rows[never_sent]
                self.assertEqual([row[k] for k in ("scheduled_ts", "start_ts", "http_status",
                                                   "in_flight_at_start")], [None] * 4)
                self.assertIsNotNone(row["end_ts"])

    def test_in_the_middle_of_streams(self):
        stream = sse(sse_events(21, 200), 0.02)
        statuses = self.ended_by(signal.SIGINT, by_id({"r0": sse_completion(21, 8)}, stream),
                                 lines(5, 3), lambda server: server.in_flight >= 3, "--stream")
        self.assertEqual(statuses.pop("r0"), "ok")
        self.assertEqual(set(statuses.values()), {CANCELLED})
        self.assertIsNotNone(self.rows["r1"]["first_token_ts"])
        self.assertEqual(self.rows["r1"]["http_status"], "200")

    def test_during_the_pause(self):
        statuses = self.ended_by(signal.SIGTERM, completion_as_asked,
                                 lines(2, 2) + [line("s", 3)],
                                 lambda server: len(server.requests) == 2 and not server.in_flight,
                                 "--group-pause-s", "60")
        self.assertEqual(statuses, {"r0": "ok", "r1": "ok", "s": CANCELLED})

    def test_while_connecting(self):
        with ScriptedServer(b"", accept=False) as server:
            with self.start_on(server, lines(3, 2)) as process:
                deadline = time.monotonic() + 20
                while not connecting(process.pid, server.port) and time.monotonic() < deadline:
                    time.sleep(0.02)
                process.send_signal(signal.SIGINT)
                self.assert_ended(finish(process, 3), 130)
        self.take_trace()
        self.assertEqual(self.statuses(), {f"r{n}": CANCELLED for n in range(3)})

    def test_while_the_models_are_asked_for(self):
        with ScriptedServer(hang()) as server:
            arguments = self.arguments(server.url, lines(3), model="default")
            with start_tool("request_runner", *arguments) as process:
                server.wait_for(lambda s: s.in_flight == 1)
                process.send_signal(signal.SIGINT)
                self.assert_ended(finish(process, 3), 130)
            self.assertEqual(len(server.requests), 1)
        self.take_trace()
        self.assertEqual(self.statuses(), {f"r{n}": CANCELLED for n in range(3)})

    def test_under_full_load_at_many_moments(self):
        requests = lines(3000, 16)
        for delay in (0.0, 0.01, 0.03, 0.1, 0.2):
            with ScriptedServer(completion_as_asked) as server:
                with self.start_on(server, requests) as process:
                    server.wait_for(lambda s: s.requests)
                    time.sleep(delay)
                    process.send_signal(signal.SIGTERM)
                    done = finish(process, 5)
            self.assertIn(done.returncode, (143, 0))
            self.take_trace()
            self.assertEqual(len(self.rows), 3000)
            self.assertLessEqual(set(self.statuses().values()), {"ok", CANCELLED})

    def test_a_second_signal_ends_at_once(self):
        with ScriptedServer(by_id({}, hang())) as server:
            with self.start_on(server, lines(2, 2)) as process:
                server.wait_for(lambda s: s.in_flight == 2)
                process.send_signal(signal.SIGSTOP)
                process.send_signal(signal.SIGINT)
                process.send_signal(signal.SIGTERM)
                process.send_signal(signal.SIGCONT)
                self.assertIn(finish(process, 3).returncode, (130, 143))

    def test_sigkill_leaves_whole_rows(self):
        def answer(request):  # the last are never answered: it cannot end before it is killed
            return completion_as_asked(request) if request.number < 2900 else hang()

        for delay in (0.01, 0.05, 0.2):
            with ScriptedServer(answer) as server:
                with self.start_on(server, lines(3000, 16)) as process:
                    server.wait_for(lambda s: len(s.requests) > 20)
                    time.sleep(delay)
                    process.kill()
                    self.assertEqual(finish(process, 3).returncode, -signal.SIGKILL)
            self.assertTrue(self.trace.read_bytes().endswith(b"\n"))
            self.take_trace()
            self.assertLess(0, len(self.rows))
            self.assertEqual(set(self.statuses().values()), {"ok"})


class OutputTest(RequestRunnerCase):
    def test_a_full_disk_ends_it_with_whole_rows(self):
        def limit():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000))
        with ScriptedServer(completion_as_asked) as server:
            arguments = self.arguments(server.url, lines(500, 4))
            done = run_tool("request_runner", *arguments, preexec_fn=limit)
        self.assert_refused(done, 3, str(self.trace), "too large")
        self.assertTrue(4000 < self.trace.stat().st_size <= 5000)
        self.assertTrue(self.trace.read_bytes().endswith(b"\n"))
        _, rows = read_csv(self.trace)
        self.assertEqual({row["status"] for row in rows}, {"ok"})

    def test_dev_full(self):
        with ScriptedServer(completion_as_asked) as server:
            done = run_tool("request_runner", self.workload(lines(2)), "-o", "/dev/full",
                            "--base-url", server.url, "--model", "m")
            self.assert_refused(done, 3, "/dev/full", "No space left")
            self.assertEqual(server.requests, [])

    def test_an_output_that_cannot_be_written_is_told_before_anything_is_sent(self):
        with ScriptedServer(completion_as_asked) as server:
            for path in (self.folder / "absent" / "trace.csv", self.folder):
                done = run_tool("request_runner", self.workload(lines(2)), "-o", path,
                                "--base-url", server.url, "--model", "m")
                self.assert_refused(done, 3, str(path))
            self.assertEqual(server.requests, [])

    def test_a_reader_of_stdout_that_goes_away(self):
        reader, writer = os.pipe()
        with ScriptedServer([pause(0.05), plain_completion(1, 8)]) as server:
            with start_tool("request_runner", self.workload(lines(50)), "-o", "-", "--base-url",
                            server.url, "--model", "m", stdout=writer) as process:
                os.close(writer)
                os.read(reader, 100)
                os.close(reader)
                process.stdout = None
                done = finish(process, 10)
        self.assertEqual(done.returncode, 3, done.stderr)
        self.assertIn("stdout", done.stderr)

    def test_an_existing_trace_is_replaced(self):
        self.trace.write_text("old\n" * 1000)
        with ScriptedServer(completion_as_asked) as server:
            self.assert_ended(self.run_on(server, lines(2)), 0)
        self.assertEqual(len(self.rows), 2)

    def test_too_few_file_descriptors_are_told_before_anything_is_sent(self):
        def limit():
            resource.setrlimit(resource.RLIMIT_NOFILE, (100, 100))
        with ScriptedServer(completion_as_asked) as server:
            arguments = self.arguments(server.url, lines(200, 150))
            done = run_tool("request_runner", *arguments, preexec_fn=limit)
            self.assert_refused(done, 3, "ulimit -n", "150")
            self.assertEqual(server.connections, 0)

    def test_the_soft_limit_of_file_descriptors_is_raised(self):
        def limit():
            resource.setrlimit(resource.RLIMIT_NOFILE, (64, 1024))
        with ScriptedServer([hang(), plain_completion(1, 8)]) as server:
            with self.start_on(server, lines(100, 100), preexec_fn=limit) as process:
                server.wait_for(lambda s: s.in_flight == 100, 20)
                server.release()
                self.assert_ended(finish(process), 0)


if __name__ == "__main__":
    unittest.main()
