"""memory_report --trace-out: the trace's times and values against the run's files."""

import json
import os
import unittest
from datetime import datetime

from report_case import APPENDED, REQUESTS, START, ReportCase, at


class TraceOut(ReportCase):
    def trace(self, folder, *more, exit_code=0):
        path = self.root / "trace.json"
        self.report(folder, "--trace-out", path, *more, exit_code=exit_code)
        return json.loads(path.read_text())

    @staticmethod
    def curve(trace, name):
        """{seconds after `START`: value}"""
        begin = datetime.fromisoformat(trace["otherData"]["utc_start"])
        return {(begin - START).total_seconds() + event["ts"] / 1e6: value
                for event in trace["traceEvents"] if event["name"] == name
                for value in event["args"].values()}

    def check_lanes(self, trace):
        """Slices of a track lie one after the other or one within the other."""
        tracks = {}
        for event in trace["traceEvents"]:
            if event["ph"] == "X":
                self.assertGreaterEqual(event["ts"], 0)
                tracks.setdefault((event["pid"], event["tid"]), []).append(event)
        for events in tracks.values():
            open_ends = []
            for event in sorted(events, key=lambda each: (each["ts"], -each["dur"])):
                while open_ends and open_ends[-1] <= event["ts"]:
                    open_ends.pop()
                end = event["ts"] + event["dur"]
                self.assertTrue(not open_ends or end <= open_ends[-1], event)
                open_ends.append(end)

    def test_times_and_values_are_those_of_the_files(self):
        folder = self.measured_folder()
        trace = self.trace(folder)
        self.check_lanes(trace)
        self.assertEqual(self.curve(trace, "engine 0 KV cache usage"),
                         {9: 0, 15: 88, 19: 99, 23: 0})
        self.assertEqual(self.curve(trace, "engine 0 waiting"), {9: 0, 15: 0, 19: 1, 23: 0})
        self.assertEqual(self.curve(trace, "engine 0 preemptions"), {9: 0, 19: 0, 23: 3})
        self.assertEqual(self.curve(trace, "GPU 0 memory used"), {8: 100, 11: 500, 21: 400})
        self.assertEqual(self.curve(trace, "GPU 0 utilisation"), {8: 0, 11: 50, 21: 50})
        slices = [(e["name"], e["ts"], e["dur"]) for e in trace["traceEvents"]
                  if e["ph"] == "X" and e["name"] in ("a", "prefill", "decode")]
        self.assertEqual(slices[:3], [("a", 2e6, 10e6), ("prefill", 2e6, 1e6),
                                      ("decode", 3e6, 9e6)])
        names = [e["args"]["name"] for e in trace["traceEvents"] if e["name"] == "process_name"]
        self.assertEqual(names, ["Run 20260225_110000", "Requests", "Server", "GPUs"])

    def test_many_requests_in_lanes(self):
        folder = self.measured_folder()
        rows = [(i * 0.37 % 40, 1 + i * 7 % 11) for i in range(300)]
        (folder / "request_trace.csv").write_text(f"{REQUESTS},{APPENDED}\n" + "".join(
            f"r{i},8,8,{2 + i % 3},{at(10 + begin)},{at(10 + begin + length)},"
            f"{'ok' if i % 5 else 'error:http_500'},8,8,low,0,{at(10 + begin - 0.001 * (i % 3))},"
            f"{at(10 + begin + length / 2)},0,200,1,\n"
            for i, (begin, length) in enumerate(rows)))
        trace = self.trace(folder)
        self.check_lanes(trace)
        parts = {"wait": 0, "prefill": 0, "decode": 0}
        for event in trace["traceEvents"]:
            if event["name"] in parts:
                parts[event["name"]] += event["dur"]
        self.assertEqual(parts["wait"], sum(1000 * (i % 3) for i in range(300)))
        self.assertEqual(parts["prefill"] + parts["decode"],
                         sum(length for _, length in rows) * 1e6)
        failed = [e for e in trace["traceEvents"] if e.get("cat") == "error:http_500"
                  and "args" in e]
        self.assertEqual(len(failed), 60)
        self.assertTrue(all(e["name"].startswith("error:http_500 r") for e in failed))

    def test_of_the_original_scripts(self):
        trace = self.trace(self.original_folder())
        self.check_lanes(trace)
        self.assertEqual(trace["otherData"]["utc_start"], at(8))
        self.assertEqual([e["name"] for e in trace["traceEvents"] if e["ph"] == "X"],
                         ["concurrency 2", "a", "error:timeout b"])

    def test_hostile_names_stay_text(self):
        folder = self.original_folder()
        hostile = '"</script>\\u0000\x01\x1b[31m\udcff\u20ac'
        (folder / "request_trace.csv").write_text(
            f"{REQUESTS}\n" + '"' + hostile.replace('"', '""') +
            f'",640,64,2,{at(10)},{at(20)},"error:""x\\",640,64\n',
            encoding="utf-8", errors="surrogateescape")
        manifest = json.loads((folder / "manifest.json").read_text())
        (folder / "manifest.json").write_text(json.dumps(manifest | {"run_id": hostile[:-2]}))
        trace = self.trace(folder)
        request = [e for e in trace["traceEvents"] if e["pid"] == 2 and e["ph"] == "X"]
        self.assertEqual(request[0]["args"]["req_id"],
                         '"</script>\\u0000 [31m\ufffd\u20ac')
        self.assertEqual(request[0]["cat"], 'error:"x\\')

    def test_simulated_runs_say_so(self):
        folder = self.measured_folder()
        manifest = json.loads((folder / "manifest.json").read_text())
        (folder / "manifest.json").write_text(json.dumps(manifest | {"simulated": True}))
        for event in self.trace(folder)["traceEvents"]:
            if event["name"] == "process_name":
                self.assertIn("(SIMULATED)", event["args"]["name"])

    def test_what_is_missing_is_left_out(self):
        folder = self.measured_folder()
        os.remove(folder / "gpu_mem_trace.csv")
        names = {e["name"] for e in self.trace(folder, exit_code=1)["traceEvents"]}
        self.assertIn("engine 0 running", names)
        self.assertFalse([name for name in names if name.startswith("GPU")])

    def test_to_stdout_with_the_words_on_stderr(self):
        ended = self.report(self.measured_folder(), "--trace-out", "-")
        self.assertIn("traceEvents", json.loads(ended.stdout))
        self.assertIn("verdict ", ended.stderr)
        ended = self.report(self.root, "--trace-out", "-", "--joined", "-", exit_code=2)
        self.assertIn("only one of them can go to stdout", ended.stderr)

    def test_not_writable(self):
        ended = self.report(self.original_folder(), "--trace-out", "/proc/none/x", exit_code=3)
        self.assertIn("/proc/none/x: cannot write", ended.stderr)
        ended = self.report(self.original_folder("full"), "--trace-out", "/dev/full", exit_code=3)
        self.assertIn("/dev/full: cannot write", ended.stderr)


if __name__ == "__main__":
    unittest.main()
