"""The page of memory_report --html in a headless Chromium: nothing is asked for, nothing is
complained of, charts are drawn and zoom together, and hostile words stay words."""

import json
import time
import unittest
from pathlib import Path

from report_case import APPENDED, REQUESTS, ReportCase, at
from support.browser import CHROMIUM, Page

HOSTILE = """"'><script>window.hit=1</script><img src=http://127.0.0.1:9/ onerror=window.hit=1>"""
# Pixels of a canvas that are not transparent, of the (largest) canvas in an element.
INKED = """Array.from(document.querySelectorAll('%s')).map(function (canvas) {
  const data = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
  let inked = 0;
  for (let i = 3; i < data.length; i += 4) if (data[i] > 0) ++inked;
  return inked;
}).reduce((a, b) => Math.max(a, b), 0)"""
X_LABELS = """Array.from(document.querySelectorAll('#%s .dygraph-axis-label-x'),
                         each => each.textContent).join(' ')"""
BOX = """(function () { const box = document.querySelector('%s').getBoundingClientRect();
  return [box.left, box.top, box.width, box.height]; })()"""


@unittest.skipUnless(CHROMIUM, "no Chromium: scripts/install_deps.sh --ci installs it")
class InBrowser(ReportCase):
    @classmethod
    def setUpClass(cls):
        cls.browser = Page()
        cls.addClassCleanup(cls.browser.close)

    def show(self, folder, exit_code=0, **how):
        self.report(folder, "--html", self.root / "page.html", "-q", exit_code=exit_code)
        self.browser.complaints.clear()
        self.browser.requests.clear()
        self.browser.open(self.root / "page.html", **how)
        return self.browser

    def check_quiet(self):
        self.assertEqual(self.browser.complaints, [])
        self.assertEqual(self.browser.requests, [f"file://{self.root / 'page.html'}"])

    def test_charts_are_drawn(self):
        for how in ({}, {"dark": True}, {"width": 360}):
            with self.subTest(**how):
                page = self.show(self.measured_folder(f"run{len(how)}{how.get('width')}"), **how)
                self.check_quiet()
                for where in ("#kv canvas", "#queue canvas", "#gpu canvas"):
                    self.assertGreater(page.evaluate(INKED % where), 300, where)
                self.assertGreater(page.evaluate(INKED % "#lanes"), 1000)
                self.assertEqual(page.evaluate("document.querySelectorAll('svg.stack').length"), 1)
                width = how.get("width", 1200)
                self.assertEqual(page.evaluate("document.documentElement.scrollWidth"), width)

    def test_dark_is_dark_and_light_is_light(self):
        colour = "getComputedStyle(document.body).backgroundColor"
        self.assertEqual(self.show(self.measured_folder()).evaluate(colour), "rgb(255, 255, 255)")
        self.browser.open(self.root / "page.html", dark=True)
        self.assertEqual(self.browser.evaluate(colour), "rgb(20, 24, 29)")

    def test_charts_zoom_together(self):
        page = self.show(self.measured_folder(), height=2000)
        before = page.evaluate(INKED % "#lanes")
        whole = page.evaluate(X_LABELS % "kv")
        left, top, width, height = page.evaluate(BOX % "#kv")
        page.drag((left + width * 0.7, top + height / 2), (left + width * 0.8, top + height / 2))
        zoomed = page.evaluate(X_LABELS % "kv")
        self.assertNotEqual(zoomed, whole)
        self.assertEqual(page.evaluate(X_LABELS % "queue"), zoomed)
        self.assertEqual(page.evaluate(X_LABELS % "gpu"), zoomed)
        self.check_quiet()  # before the second look at pixels, which Chromium remarks on
        self.assertNotEqual(page.evaluate(INKED % "#lanes"), before)

    def test_hours_are_read_as_hours(self):
        folder = self.measured_folder()
        trace = folder / "request_trace.csv"
        trace.write_text(trace.read_text().replace(at(22), at(2 * 3600)))
        self.assertRegex(self.show(folder).evaluate(X_LABELS % "kv"), r"^0:00 .*30:00 .*1:30:00")
        self.check_quiet()

    def test_the_table_of_requests_sorts(self):
        page = self.show(self.measured_folder())
        first = "document.querySelector('#requests tbody td').textContent"
        button = "document.querySelectorAll('#requests th button')[%d].click()"
        for column, expected in ((0, "a"), (0, "b"), (11, "a"), (11, "b")):
            page.evaluate(button % column)
            self.assertEqual(page.evaluate(first), expected)

    def test_nothing_measured_is_not_drawn(self):
        folder = self.original_folder()
        (folder / "gpu_mem_trace.csv").unlink()
        page = self.show(folder, exit_code=1)
        self.check_quiet()
        self.assertEqual(page.evaluate("document.querySelectorAll('.time').length"), 0)
        self.assertGreater(page.evaluate(INKED % "#lanes"), 500)

    def test_hostile_words_stay_words(self):
        folder = self.measured_folder()
        quoted = '"' + HOSTILE.replace('"', '""') + '"'
        (folder / "request_trace.csv").write_text(
            f"{REQUESTS},{APPENDED}\n"
            f"{quoted},640,64,2,{at(10)},{at(20)},{quoted},640,64,low,0,{at(10)},{at(11)},0,200,1,"
            f"{quoted}\n")
        traces = folder / "server_metrics_trace.csv"
        traces.write_text(traces.read_text().replace(",0,", f",{quoted},", 1))
        manifest = json.loads((folder / "manifest.json").read_text())
        manifest |= {"run_id": HOSTILE, "tag": HOSTILE, "options": {HOSTILE: HOSTILE},
                     "server": {"model": HOSTILE, "version": HOSTILE, "simulator": HOSTILE,
                                "cache_config": {HOSTILE: HOSTILE}},
                     "simulated": True, "interrupted": True,
                     "gpus": [{"gpu_idx": 0, "name": HOSTILE, "uuid": HOSTILE}],
                     "file_checks": {HOSTILE: {"bytes": 1, "sha256": HOSTILE}}}
        (folder / "manifest.json").write_text(json.dumps(manifest))
        page = self.show(folder)
        self.check_quiet()
        self.assertIsNone(page.evaluate("window.hit"))
        self.assertEqual(page.evaluate("document.querySelectorAll('img').length"), 0)
        self.assertEqual(page.evaluate("document.scripts.length"), 3)
        self.assertIn("window.hit=1", page.evaluate("document.querySelector('h1').textContent"))
        self.assertIn("SIMULATED", page.evaluate("document.querySelector('.banner').textContent"))

    def test_a_dark_screen_prints_light(self):
        pixel = """Array.from(document.querySelector('#lanes').getContext('2d')
                   .getImageData(600, 4, 1, 1).data).join()"""
        light = self.show(self.measured_folder()).evaluate(pixel)
        self.browser.open(self.root / "page.html", dark=True)
        self.assertNotEqual(self.browser.evaluate(pixel), light)
        self.browser.call("Emulation.setEmulatedMedia", media="print", features=[
            {"name": "prefers-color-scheme", "value": "dark"}])
        self.addCleanup(self.browser.call, "Emulation.setEmulatedMedia", media="")
        deadline = time.monotonic() + 10  # the page hears of it with its next frame
        while self.browser.evaluate(pixel) != light and time.monotonic() < deadline:
            time.sleep(0.05)
        self.assertEqual(self.browser.evaluate(pixel), light)

    def test_prints(self):
        self.show(self.measured_folder())
        self.browser.pdf(self.root / "page.pdf")
        self.assertGreater(Path(self.root / "page.pdf").stat().st_size, 20_000)
        self.check_quiet()


if __name__ == "__main__":
    unittest.main()
