"""scripts/run_memory_profile.sh: which flags the environment becomes."""

import os
import subprocess
import tempfile
import unittest
from pathlib import Path

from support.wrapper import lone_wrapper

SAYS_ITS_ARGUMENTS = "#!/bin/sh\nfor argument; do echo \"$argument\"; done\n"


class Wrapper(unittest.TestCase):
    def setUp(self):
        """A checkout of the wrapper alone, built: its tool prints the arguments that it gets."""
        made = tempfile.TemporaryDirectory()
        self.addCleanup(made.cleanup)
        self.wrapper, tool = lone_wrapper(Path(made.name))
        tool.write_text(SAYS_ITS_ARGUMENTS)
        tool.chmod(0o755)

    def run_wrapper(self, *arguments, **environment):
        return subprocess.run([self.wrapper, *arguments], capture_output=True, text=True,
                              timeout=20, env={"PATH": os.environ["PATH"], **environment})

    def flags(self, *arguments, **environment):
        ended = self.run_wrapper(*arguments, **environment)
        self.assertEqual((ended.returncode, ended.stderr), (0, ""))
        return ended.stdout.splitlines()

    def test_nothing_is_added_to_the_tools_own_defaults(self):
        self.assertEqual(self.flags(), [])
        self.assertEqual(self.flags("--stream", RUN_TAG="", SIMULATE=""), ["--stream"])

    def test_variables_become_flags_and_arguments_win(self):
        self.assertEqual(self.flags("--tag", "mine", "--input-lens=9", VLLM_URL="http://x/v1",
                                    RUN_TAG="theirs", INPUT_LENS="1,2", OUTPUT_LENS="3"),
                         ["--base-url=http://x/v1", "--output-lens=3", "--tag", "mine",
                          "--input-lens=9"])

    def test_simulate(self):
        self.assertEqual(self.flags(SIMULATE="1"), ["--simulate"])
        self.assertEqual(self.flags("--simulate", SIMULATE="1"), ["--simulate"])
        self.assertEqual(self.flags(SIMULATE="0", VLLM_URL="http://x/v1"),
                         ["--base-url=http://x/v1"])
        self.assertEqual(self.flags("--stream", "--", "--speed", "10", SIMULATE="1", RUN_TAG="a"),
                         ["--tag=a", "--simulate", "--stream", "--", "--speed", "10"])

    def test_the_simulators_options_replace_none_of_ours(self):
        self.assertEqual(self.flags("--", "--model", "m", SIMULATE="1", MODEL_NAME="ours"),
                         ["--model=ours", "--simulate", "--", "--model", "m"])

    def test_simulate_and_a_servers_url(self):
        ended = self.run_wrapper(SIMULATE="1", VLLM_URL="http://127.0.0.1:8000/v1")
        self.assertEqual((ended.returncode, ended.stdout), (2, ""))
        self.assertIn("SIMULATE=1 and VLLM_URL", ended.stderr)
        self.assertEqual(len(ended.stderr.splitlines()), 1)

    def test_simulate_is_yes_or_no(self):
        ended = self.run_wrapper(SIMULATE="maybe")
        self.assertEqual((ended.returncode, ended.stdout), (2, ""))
        self.assertIn("SIMULATE: must be 0 or 1", ended.stderr)


if __name__ == "__main__":
    unittest.main()
