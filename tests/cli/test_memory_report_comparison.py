"""memory_report RUN RUN... --html: runs side by side on a page, as text and in a browser."""

import json
import re
import shutil
import unittest

from report_case import ReportCase
from support.browser import CHROMIUM, Page

HOSTILE = (""""'></style><script>window.hit=1</script>"""
           "<img src=http://127.0.0.1:9/ onerror=alert()>")


class ComparisonCase(ReportCase):
    def two_runs(self, **changes):
        """One with the server's metrics; one of the original scripts, its manifest changed."""
        folders = [self.measured_folder(), self.original_folder()]
        manifest = json.loads((folders[1] / "manifest.json").read_text())
        manifest["config"]["concurrencies"] = [2, 4]
        (folders[1] / "manifest.json").write_text(json.dumps(manifest | changes))
        return folders

    def hostile_runs(self):
        return self.two_runs(run_id=HOSTILE, options={HOSTILE: HOSTILE}, tag=HOSTILE,
                             interrupted=True, simulated=True,
                             server={"model": HOSTILE, "version": HOSTILE, "simulator": HOSTILE})

    def compare(self, folders, exit_code=0):
        path = self.root / "compared.html"
        self.report(*folders, "--html", path, exit_code=exit_code)
        return path.read_text(encoding="utf-8")


class PageText(ComparisonCase):
    def test_what_differs_comes_first(self):
        page = self.compare(self.two_runs())
        self.assertEqual(re.findall(r'<section id="(\w+)">', page),
                         ["options", "findings", "levels", "time", "repeats"])
        self.assertIn("<td>concurrencies</td><td>2</td><td>2,4</td>", page)
        self.assertIn("<td>preemptions</td><td>3</td><td>not measured</td>", page)
        self.assertIn("<td>KV usage, peak</td><td>99.0 %</td><td>not measured</td>", page)
        self.assertIn("Does NOT fit: 3 preemptions, first at concurrency 2.", page)
        self.assertIn("Not measured: KV cache usage of B.", page)
        self.assertNotIn('class="banner', page)

    def test_simulated_runs_say_so_in_the_banner_and_in_each_column(self):
        page = self.compare(self.two_runs(simulated=True))
        self.assertIn('class="banner simulated">SIMULATED: B. ', page)
        columns = re.findall(r"<th scope=\"col\">(.*?)</th>", page)
        self.assertIn("A 20260225_110000", columns)
        self.assertIn("B 20260225_100000 (SIMULATED)", columns)
        self.assertNotIn("B 20260225_100000", columns)

    def test_runs_alike_show_their_range(self):
        one = self.measured_folder()
        two = self.measured_folder("20260225_120000", preemptions=8)
        page = self.compare([one, two])
        self.assertIn("these runs were asked for the same", page)
        self.assertIn('<td class="n">3 to 8</td>', page)

    def test_no_script_may_run(self):
        page = self.compare(self.hostile_runs())
        policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)[1]
        self.assertTrue(policy.startswith("default-src 'none'; "))
        self.assertTrue(policy.endswith("; script-src"))
        self.assertNotIn("<script", page)
        self.assertNotIn("<img", page)

    def test_ten_runs_are_the_most(self):
        folders = []
        for i in range(11):
            folders.append(self.root / f"run_{i}")
            shutil.copytree(folders[0] if i else self.measured_folder(), folders[i])
        self.assertIn("<b>J</b>", self.compare(folders[:10]))
        path = self.root / "more.html"
        ended = self.report(*folders, "--html", path, exit_code=2)
        self.assertIn("--html: 11 runs, but a page holds at most 10", ended.stderr)
        self.assertFalse(path.exists())
        self.report(*folders)  # the table has no such limit

    def test_to_stdout_with_the_words_on_stderr(self):
        ended = self.report(*self.two_runs(), "--html", "-")
        self.assertTrue(ended.stdout.startswith("<!DOCTYPE html>"))
        self.assertIn("options that differ", ended.stderr)
        self.assertEqual(self.report(*[self.root / name for name in
                                       ("20260225_110000", "20260225_100000")],
                                     "--html", "-", "-q").stderr, "")

    def test_made_twice_it_is_the_same_and_the_runs_stay(self):
        folders = self.two_runs()
        self.assertEqual(self.compare(folders), self.compare(folders))
        for folder in folders:
            self.assertFalse((folder / "summary.json").exists())


@unittest.skipUnless(CHROMIUM, "no Chromium: scripts/install_deps.sh --ci installs it")
class InBrowser(ComparisonCase):
    @classmethod
    def setUpClass(cls):
        cls.browser = Page()
        cls.addClassCleanup(cls.browser.close)

    def show(self, folders, **how):
        self.compare(folders)
        self.browser.complaints.clear()
        self.browser.requests.clear()
        self.browser.open(self.root / "compared.html", **how)
        self.assertEqual(self.browser.complaints, [])
        self.assertEqual(self.browser.requests, [f"file://{self.root / 'compared.html'}"])
        return self.browser

    def test_curves_have_a_size_and_a_colour(self):
        page = self.show(self.two_runs())
        boxes = page.evaluate("Array.from(document.querySelectorAll('svg.curves .mark'), each => "
                              "[each.getBoundingClientRect().width, getComputedStyle(each).fill])")
        # Of A: at one level four figures, and six along its line over time; of B what it delivered.
        self.assertEqual(len(boxes), 4 + 6 + 1)
        for width, colour in boxes:
            self.assertGreater(width, 4)
            self.assertIn(colour, ("rgb(37, 99, 235)", "rgb(194, 98, 10)"))

    def test_nothing_sticks_out(self):
        folders = self.hostile_runs()
        for how in ({"width": 1200}, {"width": 360}, {"width": 360, "dark": True}):
            with self.subTest(**how):
                page = self.show(folders, **how)
                self.assertEqual(page.evaluate("document.documentElement.scrollWidth"),
                                 how["width"])

    def test_hostile_words_stay_words(self):
        page = self.show(self.hostile_runs())
        self.assertIsNone(page.evaluate("window.hit"))
        self.assertEqual(page.evaluate("document.querySelectorAll('img, script').length"), 0)
        self.assertIn("window.hit=1",
                      page.evaluate("document.querySelector('.runs').textContent"))


if __name__ == "__main__":
    unittest.main()
