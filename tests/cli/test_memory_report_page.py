"""memory_report --html: the page as text. What a browser makes of it: test_page_in_browser.py."""

import base64
import hashlib
import json
import os
import re
import unittest

from report_case import ReportCase


class PageText(ReportCase):
    def page(self, folder, exit_code=0):
        self.report(folder, "--html", self.root / "page.html", "-q", exit_code=exit_code)
        return (self.root / "page.html").read_text(encoding="utf-8")

    @staticmethod
    def data(page):
        return json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>',
                                    page, re.DOTALL)[1])

    def test_answers_first(self):
        page = self.page(self.measured_folder())
        fit = page.index("Does NOT fit: 3 preemptions, first at concurrency 2.")
        self.assertLess(fit, page.index('<section id="memory">'))
        order = re.findall(r'<section id="(\w+)">', page)
        self.assertEqual(order, ["verdict", "memory", "time", "levels", "requests", "provenance"])

    def test_data_are_those_of_the_traces(self):
        data = self.data(self.page(self.measured_folder()))
        charts = {chart["id"]: chart for chart in data["charts"]}
        self.assertEqual(charts["kv"]["x"], [1, 7, 11, 15])  # the first moment is 8 s
        self.assertEqual(charts["kv"]["y"], [[0, 88, 99, 0]])
        self.assertEqual(charts["queue"]["labels"], ["running", "waiting"])
        self.assertEqual(charts["gpu"]["y"], [[100, 500, 400]])
        self.assertEqual(data["marks"], [[15, 3]])
        self.assertEqual(data["bands"], [[2, 2, 14]])
        self.assertEqual(data["lanes"]["rows"],
                         [[0, 2, 3, 12, 1, "a", 2], [1, 4, 5, 14, 1, "b", 2]])

    def test_what_is_missing_is_said(self):
        folder = self.original_folder()
        os.remove(folder / "gpu_mem_trace.csv")
        page = self.page(folder, exit_code=1)
        self.assertEqual(self.data(page)["charts"], [])
        for words in ("Not measured: device memory", "Not measured: KV cache usage",
                      "when the first token came (no streaming)", "cannot be told without"):
            self.assertIn(words, page)
        self.assertNotIn('class="banner', page)

    def test_policy_has_the_hash_of_each_script_and_style(self):
        page = self.page(self.measured_folder())
        policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)[1]
        self.assertTrue(policy.startswith("default-src 'none'; "))
        parts = re.findall(r"<(?:script|style)>(.*?)</(?:script|style)>", page, re.DOTALL)
        self.assertEqual(len(parts), 3)
        for part in parts:
            digest = base64.b64encode(hashlib.sha256(part.encode()).digest()).decode()
            self.assertIn(f"'sha256-{digest}'", policy)
        self.assertNotIn("unsafe", policy)

    def test_made_twice_it_is_the_same(self):
        folder = self.measured_folder()
        self.assertEqual(self.page(folder), self.page(folder))

    def test_to_stdout_with_the_words_on_stderr(self):
        ended = self.report(self.measured_folder(), "--html", "-")
        self.assertTrue(ended.stdout.startswith("<!DOCTYPE html>"))
        self.assertIn("verdict ", ended.stderr)
        ended = self.report(self.root, "--html", "-", "--joined", "-", exit_code=2)
        self.assertIn("only one of them can go to stdout", ended.stderr)

    def test_not_writable(self):
        ended = self.report(self.original_folder(), "--html", "/proc/none/x", exit_code=3)
        self.assertIn("/proc/none/x", ended.stderr)


if __name__ == "__main__":
    unittest.main()
