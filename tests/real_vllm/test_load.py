"""The load that a server really gets: lengths, streams, concurrency, pauses, refusals."""

import json
import subprocess
import threading
import unittest

from support.run_tool import read_csv, read_jsonl, tool_path

from real_case import RealCase, numbers
from servers import CONTEXT

TOKEN_IDS = ("--prompt-format", "token-ids", "--vocab-size", "8192", "--prefix-modes", "low")


class Output(RealCase):
    """The same workload plain and streamed, through both endpoints."""

    def test_exact_output_is_exact_and_streaming_agrees_with_plain(self):
        ids = self.folder / "ids.jsonl"
        ids.write_bytes(self.generate(*TOKEN_IDS, "--input-lens", "50,400", "--output-lens",
                                      "1,7,64", "--concurrencies", "4").read_bytes())
        chat = self.generate("--input-lens", "50,400", "--output-lens", "1,7,64",
                             "--concurrencies", "4")
        for workload, endpoint in [(chat, "chat"), (chat, "completions"), (ids, "completions")]:
            with self.subTest(endpoint=endpoint, workload=workload.name):
                self.check_plain_and_streamed(workload, endpoint)

    def check_plain_and_streamed(self, workload, endpoint):
        options = ("--exact-output", "--endpoint", endpoint, "--cache-salt", "per-run")
        before = self.server.tokens()
        plain, _ = self.replay(workload, *options)
        between = self.server.tokens()
        streamed, _ = self.replay(workload, *options, "--stream")
        after = self.server.tokens()
        for rows, start, end in [(plain, before, between), (streamed, between, after)]:
            self.assert_all_ok(rows)
            self.assertEqual(numbers(rows, "completion_tokens"), numbers(read_lines(workload),
                                                                         "output_len"))
            # What the rows say is what the server itself counted.
            self.assertEqual(end[0] - start[0], sum(numbers(rows, "prompt_tokens").values()))
            self.assertEqual(end[1] - start[1], sum(numbers(rows, "completion_tokens").values()))
        self.assertEqual(numbers(plain, "prompt_tokens"), numbers(streamed, "prompt_tokens"))
        self.assertEqual({row["first_token_ts"] for row in plain}, {None})
        for row in streamed:
            self.assertLessEqual(row["scheduled_ts"], row["start_ts"])
            self.assertLess(row["start_ts"], row["end_ts"])
            self.assertEqual(row["http_status"], "200")
            if row["first_token_ts"] is None:
                # A single token can be half a character, which the server has no text for.
                self.assertEqual(row["output_len"], "1")
            else:
                self.assertLess(row["start_ts"], row["first_token_ts"])
                self.assertLessEqual(row["first_token_ts"], row["end_ts"])


    def test_exact_output_holds_where_the_model_would_stop(self):
        workload = self.generate("--input-lens", "50", "--output-lens", "64",
                                 "--concurrencies", "4", "--n-per-condition", "4")
        # Half of the vocabulary ends an answer, so that hardly any gets to 64 tokens by itself.
        stop = ("--extra-body", json.dumps({"stop_token_ids": list(range(4096))}))
        for stream in ([], ["--stream"]):
            with self.subTest(stream=stream):
                rows, _ = self.replay(workload, *stop, *stream)
                self.assert_all_ok(rows)
                self.assertGreater(64, min(numbers(rows, "completion_tokens").values()))
                rows, _ = self.replay(workload, *stop, *stream, "--exact-output")
                self.assert_all_ok(rows)
                self.assertEqual(set(numbers(rows, "completion_tokens").values()), {64})


def read_lines(workload):
    return [{key: str(value) for key, value in line.items()} for line in read_jsonl(workload)]


class Concurrency(RealCase):
    def test_each_level_is_reached_and_never_passed(self):
        workload = self.generate(*TOKEN_IDS, "--input-lens", "64", "--output-lens", "300",
                                 "--concurrencies", "12,3", "--n-per-condition", "24")
        peaks, stop = [], threading.Event()
        watcher = threading.Thread(target=self.watch, args=(peaks, stop))
        watcher.start()
        try:
            rows, _ = self.replay(workload, "--exact-output", "--stream", "--group-pause-s", "0.2")
        finally:
            stop.set()
            watcher.join(60)
        self.assert_all_ok(rows)
        for level in (3, 12):
            group = [row for row in rows if row["concurrency_group"] == str(level)]
            self.assertEqual(max(int(row["in_flight_at_start"]) for row in group), level)
            self.assertEqual(most_at_once(group), level)
        # Ascending, one group after the other, although the workload has them the other way round.
        self.assertLess(max(row["end_ts"] for row in rows if row["concurrency_group"] == "3"),
                        min(row["start_ts"] for row in rows if row["concurrency_group"] == "12"))
        # The server had as many at a time, too; a scrape can be late, never early.
        self.assertEqual(max(peaks), 12)

    def watch(self, peaks, stop):
        while not stop.wait(0.05):
            now = self.server.metrics()
            peaks.append(now["vllm:num_requests_running"] + now["vllm:num_requests_waiting"])


def most_at_once(rows):
    """The largest number of [start, end) intervals that overlap."""
    edges = sorted([(row["end_ts"], -1) for row in rows] + [(row["start_ts"], 1) for row in rows])
    most = now = 0
    for _, step in edges:
        now += step
        most = max(most, now)
    return most


class KeepAlive(RealCase):
    def test_pauses_around_and_beyond_the_servers_five_seconds_lose_nothing(self):
        workload = self.generate(*TOKEN_IDS, "--input-lens", "16", "--output-lens", "2",
                                 "--concurrencies", "2,3,4,5", "--n-per-condition", "5")
        for pause in ("4.99", "6"):
            with self.subTest(pause=pause):
                rows, account = self.replay(workload, "--group-pause-s", pause)
                self.assert_all_ok(rows)
                self.assertEqual(account["repeats"], 0)
                # Idle for more than 4 s: not used again, so that each group opens its own.
                self.assertEqual(account["connections_opened"], 2 + 3 + 4 + 5)

    def test_within_a_group_connections_are_reused(self):
        workload = self.generate(*TOKEN_IDS, "--input-lens", "16", "--output-lens", "2",
                                 "--concurrencies", "2", "--n-per-condition", "40")
        rows, account = self.replay(workload)
        self.assert_all_ok(rows)
        self.assertEqual(account["connections_opened"], 2)


class Pipeline(RealCase):
    def test_workload_flows_from_one_tool_to_the_next(self):
        command = (f"{tool_path('workload_gen')} -o - --input-lens 30 --output-lens 5 "
                   f"--concurrencies 3 | tee asked.jsonl | {tool_path('request_runner')} - -o - "
                   f"--base-url {self.server.url} > rows.csv")
        done = subprocess.run(["bash", "-o", "pipefail", "-c", command], cwd=self.folder,
                              stderr=subprocess.PIPE, text=True, timeout=60)
        self.assertEqual(done.returncode, 0, done.stderr)
        _, rows = read_csv(self.folder / "rows.csv")
        self.assert_all_ok(rows)
        self.assertCountEqual([row["req_id"] for row in rows],
                              [line["req_id"] for line in read_jsonl(self.folder / "asked.jsonl")])
        self.assertEqual({row["completion_tokens"] for row in rows}, {"5"})


class Refusals(RealCase):
    def test_a_prompt_too_long_fails_alone_and_in_the_servers_words(self):
        workload = self.generate(*TOKEN_IDS, "--input-lens", f"100,{CONTEXT + 1000},200",
                                 "--output-lens", "4", "--concurrencies", "2")
        for stream in ([], ["--stream"]):
            with self.subTest(stream=stream):
                rows, account = self.replay(workload, *stream, exit_code=1)
                by_length = {int(row["input_len"]): row for row in rows}
                too_long = by_length.pop(CONTEXT + 1000)
                self.assertEqual(too_long["status"], "error:http_400")
                self.assertEqual(too_long["http_status"], "400")
                self.assertIn(f"maximum context length is {CONTEXT} tokens",
                              too_long["error_detail"])
                self.assertIsNone(too_long["prompt_tokens"])
                self.assertIsNone(too_long["completion_tokens"])
                self.assert_all_ok(by_length.values())
                self.assertEqual((account["ok"], account["failed"]), (2, 1))

    def test_a_wrong_model_is_named_in_each_row(self):
        workload = self.generate(*TOKEN_IDS, "--input-lens", "10", "--output-lens", "2",
                                 "--concurrencies", "2", "--n-per-condition", "2")
        rows, _ = self.replay(workload, "--model", "no-such-model", exit_code=1)
        self.assertEqual([row["status"] for row in rows], ["error:http_404"] * 2)
        for row in rows:
            self.assertIn("`no-such-model` does not exist", row["error_detail"])

    def test_the_default_model_is_the_one_that_the_server_lists(self):
        workload = self.generate(*TOKEN_IDS, "--input-lens", "10", "--output-lens", "2",
                                 "--concurrencies", "1")
        rows, account = self.replay(workload)
        self.assert_all_ok(rows)
        self.assertEqual(account["model"], "tiny")

    def test_extra_body_reaches_the_server(self):
        workload = self.generate(*TOKEN_IDS, "--input-lens", "10", "--output-lens", "2",
                                 "--concurrencies", "1")
        rows, _ = self.replay(workload, "--extra-body", json.dumps({"temperature": -1}),
                              exit_code=1)
        self.assertEqual(rows[0]["status"], "error:http_400")
        self.assertIn("temperature", rows[0]["error_detail"])


if __name__ == "__main__":
    unittest.main()
