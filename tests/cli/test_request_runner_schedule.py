"""What runs when: groups in ascending order, never more in flight than the level."""

import time
import unittest
from datetime import datetime

from request_runner_case import *  # noqa: F403
from request_runner_case import RequestRunnerCase, ScriptedServer, by_id, line, lines
from support.run_tool import run_tool


def at(cell):
    return datetime.fromisoformat(cell)


class ScheduleTest(RequestRunnerCase):
    def run_slowly(self, requests, *flags, seconds=0.05):
        answer = [pause(seconds), plain_completion(1, 8)]
        with ScriptedServer(answer) as server:
            self.assert_ended(self.run_on(server, requests, *flags), 0)
        return server

    def order(self, server):
        return [r.headers["x-request-id"] for r in server.requests]

    def spans(self, group):
        rows = [r for r in self.rows.values() if r["concurrency_group"] == str(group)]
        return min(at(r["start_ts"]) for r in rows), max(at(r["end_ts"]) for r in rows)

    def test_groups_ascend_and_keep_their_order(self):
        requests = [line("c", 4), line("a", 1), line("d", 4), line("b", 1), line("e", 30)]
        server = self.run_slowly(requests)
        self.assertEqual(self.order(server)[:2], ["a", "b"])
        self.assertEqual(set(self.order(server)[2:4]), {"c", "d"})
        self.assertEqual(self.order(server)[4], "e")

    def test_one_at_a_time_in_the_workloads_order(self):
        server = self.run_slowly(lines(12, 1), seconds=0)
        self.assertEqual(self.order(server), [f"r{n}" for n in range(12)])
        self.assertEqual(server.max_in_flight, 1)

    def test_the_level_is_reached_and_never_passed(self):
        for level in (1, 3, 8):
            server = self.run_slowly(lines(24, level))
            self.assertEqual(server.max_in_flight, level)
            in_flight = [int(r["in_flight_at_start"]) for r in self.rows.values()]
            self.assertEqual((min(in_flight), max(in_flight)), (1, level))

    def test_a_level_above_the_number_of_requests(self):
        self.assertEqual(self.run_slowly(lines(3, 100_000)).max_in_flight, 3)

    def test_groups_do_not_overlap_and_pause_between(self):
        requests = lines(4, 2) + [line(f"s{n}", 3) for n in range(4)] + [line("t", 9)]
        begin = time.monotonic()
        self.run_slowly(requests, "--group-pause-s", "0.4")
        self.assertGreater(time.monotonic() - begin, 0.8)
        for before, after in ((2, 3), (3, 9)):
            gap = (self.spans(after)[0] - self.spans(before)[1]).total_seconds()
            self.assertTrue(0.399 <= gap < 0.8, gap)
        self.assertLess(self.stats["busy_s"], self.stats["load_s"] - 0.7)

    def test_no_pause_after_the_last_group(self):
        begin = time.monotonic()
        self.run_slowly(lines(2, 2), "--group-pause-s", "5")
        self.assertLess(time.monotonic() - begin, 3)

    def test_the_pause_is_2_s_by_default(self):
        with ScriptedServer(completion_as_asked) as server:
            path = self.workload([line("a", 1), line("b", 2)])
            done = run_tool("request_runner", path, "-o", self.trace, "--base-url",
                            server.url + "/v1", "--model", "m")
            self.assert_ended(done, 0)
        self.take_trace()
        gap = (self.spans(2)[0] - self.spans(1)[1]).total_seconds()
        self.assertTrue(1.99 <= gap < 2.5, gap)

    def test_conditions_run_alone(self):
        cells = [(length, mode) for length in (10, 20) for mode in ("low", "high")]
        requests = [line(f"{rep}-{length}-{mode}", 4, input_len=length,
                         extra={"prefix_mode": mode, "rep": rep})
                    for rep in range(3) for length, mode in cells]
        server = self.run_slowly(requests, "--schedule", "condition")
        order = [name.split("-", 1)[1] for name in self.order(server)]
        self.assertEqual(order, [f"{length}-{mode}" for length, mode in cells for _ in range(3)])
        self.assertEqual(server.max_in_flight, 3)
        self.assertEqual(self.run_slowly(requests).max_in_flight, 4)

    def test_a_slow_request_does_not_hold_up_the_others(self):
        answer = by_id({"r0": [pause(1), plain_completion(1, 8)]})
        with ScriptedServer(answer) as server:
            self.assert_ended(self.run_on(server, lines(40, 2)), 0)
        ends = sorted(self.rows.values(), key=lambda row: row["end_ts"])
        self.assertEqual(ends[-1]["req_id"], "r0")

    def test_rows_come_as_requests_end(self):
        answer = by_id({"r1": [hang(), plain_completion(1, 8)]})
        with ScriptedServer(answer) as server:
            with self.start_on(server, lines(2, 2)) as process:
                deadline = time.monotonic() + 10
                while time.monotonic() < deadline and (
                        not self.trace.exists() or self.trace.read_text().count("\n") < 2):
                    time.sleep(0.02)
                self.assertIn("\nr0,", self.trace.read_text())
                self.assertIsNone(process.poll())
                server.release()
                process.wait(10)

    def test_the_account(self):
        self.run_slowly(lines(10, 2))
        self.assertEqual((self.stats["requests"], self.stats["ok"], self.stats["failed"],
                          self.stats["process"]["rows"]), (10, 10, 0, 10))
        self.assertEqual(self.stats["start_lag_count"], 10 - self.stats["connections_opened"])
        self.assertTrue(0 <= self.stats["start_lag_p50_ms"] <= self.stats["start_lag_p99_ms"] < 100)
        self.assertTrue(0.2 < self.stats["load_s"] < 5)
        self.assertTrue(0 < self.stats["busy_cpu_s"] < self.stats["busy_s"])


if __name__ == "__main__":
    unittest.main()
