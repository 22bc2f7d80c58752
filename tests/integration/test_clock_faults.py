"""run_memory_profile on a machine that is suspended, or whose clock is set, in mid-run.

The clocks of all its processes are shifted by tests/support/shifted_clock while they run."""

import json
import struct
import unittest
from pathlib import Path

from integration.profile_case import FAKE_GPUS, ProfileCase, answers, held, loaded
from support.run_tool import bin_dir, finish, is_sanitized, read_csv
from support.scripted_server import ScriptedServer

LIBRARY = bin_dir().parent / "shifted_clock" / "shifted_clock.so"
SECOND = 10**9


# Sanitizers must be the first library of a process.
@unittest.skipUnless(LIBRARY.exists() and not is_sanitized(), "no shifted clock")
class ClockFaults(ProfileCase):
    def setUp(self):
        super().setUp()
        self.shift = self.out / "shift"
        self.set_shift(0, 0)
        self.shift.chmod(0o644)

    def set_shift(self, boot, utc):
        with open(self.shift, "r+b" if self.shift.exists() else "wb") as file:
            file.write(struct.pack("qq", boot, utc))

    def shifted_run(self, boot, utc):
        """A run whose clocks are shifted while its first requests are in flight."""
        with ScriptedServer(answers(held)) as server:
            env = FAKE_GPUS | {"LD_PRELOAD": str(LIBRARY), "SHIFTED_CLOCK": str(self.shift)}
            with self.running(server, "--gpu-interval-ms", "50", env=env) as (process, _):
                server.wait_for(loaded)
                self.set_shift(boot, utc)
                server.release()
                ended = finish(process)
        folder = Path(ended.stdout.strip())
        manifest = self.assert_files_parse(folder)
        summary = json.loads((folder / "summary.json").read_text())
        times = [row["timestamp"] for row in read_csv(folder / "gpu_mem_trace.csv")[1]]
        self.assertEqual(times, sorted(times))
        rows = read_csv(folder / "request_trace.csv")[1]
        self.assertEqual([row["status"] for row in rows], ["ok"] * 4)
        for row in rows:
            self.assertLessEqual(row["start_ts"], row["end_ts"])
        return ended, manifest, {reason["code"]: reason for reason in summary["verdict"]["reasons"]}

    def test_a_suspended_machine(self):
        ended, manifest, reasons = self.shifted_run(30 * SECOND, 30 * SECOND)
        self.assertAlmostEqual(manifest["suspended_s"], 30, delta=0.01)
        self.assertAlmostEqual(reasons["suspended"]["value"], 30, delta=0.01)
        self.assertEqual(reasons["suspended"]["severity"], "invalid")
        self.assertNotIn("clock_stepped", reasons)
        self.assertIn("warning: this machine was suspended for 30.0 s", ended.stderr)
        self.assertGreaterEqual(manifest["samplers"]["gpu_mem_sampler"]["ticks"]["missed"], 500)
        self.assertIn("ticks_missed", reasons)

    def test_a_clock_that_is_set(self):
        for seconds in (3600, -3600):
            with self.subTest(seconds):
                self.set_shift(0, 0)
                ended, manifest, reasons = self.shifted_run(0, seconds * SECOND)
                self.assertEqual(manifest["suspended_s"], 0)
                self.assertAlmostEqual(reasons["clock_stepped"]["value"], seconds * 1000, delta=500)
                self.assertNotIn("suspended", reasons)
                self.assertLess(manifest["results"]["duration_s"], 60)
                self.assertIn("The wall clock moved", ended.stderr)


if __name__ == "__main__":
    unittest.main()
