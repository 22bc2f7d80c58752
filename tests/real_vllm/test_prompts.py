"""Prompts have the length that was asked for, and the server's cache sees what they share."""

import json
import unittest

from support.run_tool import read_jsonl

from real_case import RealCase, numbers
from servers import BLOCK_TOKENS

TOKEN_IDS = ("--prompt-format", "token-ids", "--vocab-size", "8192")


class TokenIds(RealCase):
    def test_prompt_tokens_are_exact(self):
        workload = self.generate(*TOKEN_IDS, "--input-lens", "1,77,1000,4096", "--output-lens", "4",
                                 "--concurrencies", "4", "--n-per-condition", "2")
        rows, _ = self.replay(workload, "--cache-salt", "per-run")
        self.assert_all_ok(rows)
        self.assertEqual(len(rows), 16)
        self.assertEqual(numbers(rows, "prompt_tokens"), numbers(rows, "input_len"))

    def test_shared_prefix_is_cached_and_low_is_not(self):
        options = [*TOKEN_IDS, "--input-lens", "1000", "--output-lens", "4", "--concurrencies", "1",
                   "--n-per-condition", "3", "--high-prefix-share", "0.9", "--seed", "11"]
        workload = self.generate(*options)
        rows, _ = self.replay(workload, "--cache-salt", "per-run")
        self.assert_all_ok(rows)
        cached = {(row["prefix_mode"], int(row["rep"])): int(row["cached_tokens"]) for row in rows}
        shared_blocks = 900 // BLOCK_TOKENS * BLOCK_TOKENS
        self.assertEqual(cached, {("low", 0): 0, ("low", 1): 0, ("low", 2): 0, ("high", 0): 0,
                                  ("high", 1): shared_blocks, ("high", 2): shared_blocks})

    def test_a_salt_per_run_makes_the_second_run_as_cold_as_the_first(self):
        workload = self.generate(*TOKEN_IDS, "--input-lens", "640", "--output-lens", "4",
                                 "--concurrencies", "1", "--prefix-modes", "low", "--seed", "12")
        for _ in range(2):
            rows, _ = self.replay(workload, "--cache-salt", "per-run")
            self.assertEqual([row["cached_tokens"] for row in rows], ["0"])
        warm = [self.replay(workload)[0][0]["cached_tokens"] for _ in range(2)]
        # The last token is always computed, so the last whole block is not taken from the cache.
        self.assertEqual(warm, ["0", str(640 - BLOCK_TOKENS)])


class Calibration(RealCase):
    def assert_within_one_percent(self, *options, endpoint):
        account = self.folder / "generated.json"
        workload = self.generate("--calibrate", self.server.url, "--endpoint", endpoint,
                                 "--input-lens", "300,2000,8192", "--output-lens", "4",
                                 "--concurrencies", "4", "--stats-out", account, *options)
        rows, _ = self.replay(workload, "--endpoint", endpoint, "--cache-salt", "per-run")
        self.assert_all_ok(rows)
        deviations = {row["req_id"]: int(row["prompt_tokens"]) / int(row["input_len"]) - 1
                      for row in rows}
        self.assertEqual({}, {key: off for key, off in deviations.items() if abs(off) > 0.01})
        said = json.loads(account.read_text())["calibrated_deviation"]
        self.assertLessEqual(max(map(abs, deviations.values())), said + 1e-6)

    def test_chat_prompts_are_within_one_percent(self):
        self.assert_within_one_percent(endpoint="chat")

    def test_completion_prompts_are_within_one_percent(self):
        self.assert_within_one_percent("--model", "tiny", endpoint="completions")

    def test_the_same_tokenizer_gives_the_same_bytes(self):
        options = ["--calibrate", self.server.url, "--input-lens", "500", "--output-lens", "4",
                   "--concurrencies", "2"]
        self.assertEqual(self.generate(*options).read_bytes(), self.generate(*options).read_bytes())

    def test_without_it_this_tokenizer_is_far_off(self):
        """Else the tests above would show nothing: here a word is not one token."""
        workload = self.generate("--input-lens", "1000", "--output-lens", "4",
                                 "--concurrencies", "2", "--prefix-modes", "low")
        rows, _ = self.replay(workload)
        self.assertGreater(int(rows[0]["prompt_tokens"]), 1100)
        self.assertEqual(len(read_jsonl(workload)[0]["prompt"].split()), 1000)


if __name__ == "__main__":
    unittest.main()
