"""The page of each tool shows the help that the tool prints."""

import re
import unittest
from pathlib import Path

from support.run_tool import run_tool

DOCS = Path(__file__).resolve().parents[2] / "docs"
TOOLS = ("workload_gen", "request_runner", "gpu_mem_sampler", "memory_report",
         "run_memory_profile", "server_metrics_sampler", "smoke_test", "vllm_simulator")


class HelpOnThePages(unittest.TestCase):
    def test_each_tools_page_has_its_help_as_it_is_printed(self):
        for tool in TOOLS:
            with self.subTest(tool):
                finished = run_tool(tool, "--help")
                self.assertEqual(finished.returncode, 0)
                page = (DOCS / f"{tool}.md").read_text(encoding="utf-8")
                blocks = re.findall(r"^```text\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
                shown = [block for block in blocks if block.startswith(f"{tool}: ")]
                self.assertEqual(shown, [finished.stdout],
                                 f"docs/{tool}.md: put the output of {tool} --help into one "
                                 "```text block")


if __name__ == "__main__":
    unittest.main()
