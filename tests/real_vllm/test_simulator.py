"""vllm_simulator beside a real vLLM with the same blocks and limits: docs/simulator.md."""

import tempfile
import unittest

from fidelity import (ONE_AT_A_TIME, WITH_ROOM, WITHOUT_ROOM, RealServer, SimulatedServer,
                      observe)

# When requests arrive as they like, vLLM's own counts differ from run to run: docs/simulator.md.
PREEMPTION_TOLERANCE = 0.5


class Fidelity(unittest.TestCase):
    maxDiff = 2000

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="memprof-fidelity-")
        cls.addClassCleanup(cls.folder.cleanup)
        cls.real = RealServer()
        cls.addClassCleanup(cls.real.down)
        cls.simulated = SimulatedServer(cls.folder.name)
        cls.addClassCleanup(cls.simulated.down)

    def both(self, options, held=False):
        return [observe(server, self.folder.name, *options, held=held)
                for server in (self.real, self.simulated)]

    def assert_equal_step_for_step(self, real, simulated):
        self.assertEqual(simulated.tokens, real.tokens)
        self.assertEqual(simulated.counters, real.counters)
        self.assertEqual(simulated.steps, real.steps)

    def test_a_one_request_at_a_time_is_exact(self):
        real, simulated = self.both(ONE_AT_A_TIME)
        self.assertGreater(real.counters["prefix_cache_hits"], 0)
        self.assert_equal_step_for_step(real, simulated)

    def test_b_requests_that_are_there_before_the_first_step_are_exact(self):
        for name, options in {**WITH_ROOM, **WITHOUT_ROOM}.items():
            with self.subTest(name):
                real, simulated = self.both(options, held=True)
                self.assertEqual(real.counters["num_preemptions"] > 0, name in WITHOUT_ROOM)
                self.assert_equal_step_for_step(real, simulated)

    def test_c_requests_that_come_as_they_like_preempt_alike(self):
        for name, options in WITHOUT_ROOM.items():
            with self.subTest(name):
                real, simulated = self.both(options)
                counts = [run.counters["num_preemptions"] for run in (real, simulated)]
                self.assertGreater(min(counts), 0)
                self.assertLessEqual(max(counts) - min(counts),
                                     max(4, PREEMPTION_TOLERANCE * max(counts)), counts)
                self.assertEqual({key: value[:2] for key, value in simulated.tokens.items()},
                                 {key: value[:2] for key, value in real.tokens.items()})
                self.assertGreaterEqual(min(real.peak_blocks, simulated.peak_blocks), 188)


if __name__ == "__main__":
    unittest.main()
