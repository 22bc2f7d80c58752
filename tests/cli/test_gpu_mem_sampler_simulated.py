"""gpu_mem_sampler --backend simulated: the GPUs of a simulator, over HTTP."""

import json
import os
import signal
import time
import unittest

from cli.test_gpu_mem_sampler import NO_GPU, Case
from integration.profile_case import closed_port
from support.answers import error, hang, response
from support.run_tool import finish, read_csv, run_tool, start_tool
from support.scripted_server import ScriptedServer

GIB = 2**30


def gpu(index, **more):
    return {"gpu_idx": index, "name": "Simulated H100 80GB", "uuid": f"SIM-{index}",
            "total_bytes": 80 * GIB, "reserved_bytes": 600 * 2**20, "weights_bytes": 15 * GIB,
            "kv_pool_bytes": 50 * GIB, "activations_bytes": GIB, "used_bytes": 66 * GIB + 1,
            "busy_s": 0.0, "pid": 4242} | more


def page(*gpus, speed=1.0):
    return response(json.dumps({"speed": speed, "gpus": gpus}).encode())


class Simulated(Case):
    def simulated(self, server, *args, **more):
        url = server if isinstance(server, str) else server.url
        return self.sample("--backend", "simulated", "--simulator-url", url, *args, **more)

    def test_rows_and_account(self):
        start = time.monotonic()
        def half_busy(_request):  # 0.5 s of steps in every second
            return page(gpu(0, busy_s=(time.monotonic() - start) / 2), gpu(1))
        with ScriptedServer({"/simulator/gpus": half_busy}) as server:
            result = self.simulated(server.url + "/v1", "--interval-ms", "100", "--duration", "1")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("simulated: 2 GPUs", result.stderr)
        _, rows = read_csv(self.trace)
        self.assertGreaterEqual(len(rows), 10)
        self.assertEqual([row["gpu_idx"] for row in rows[:4]], ["0", "1", "0", "1"])
        for row in rows:  # rounded up, as the drivers' tools do
            self.assertEqual((row["used_mib"], row["total_mib"]), (str(66 * 1024 + 1), "81920"))
        self.assertEqual([row["util_pct"] for row in rows[:2]], [None, None])
        busy = [int(row["util_pct"]) for row in rows[2:] if row["gpu_idx"] == "0"]
        self.assertTrue(30 <= sum(busy) / len(busy) <= 70, busy)
        self.assertEqual({row["util_pct"] for row in rows[2:] if row["gpu_idx"] == "1"}, {"0"})
        account = self.account()
        self.assertIs(account["simulated"], True)
        self.assertEqual((account["backend"], account["lost_gpus"]), ("simulated", []))
        self.assertEqual(account["gpus"][1],
                         {"gpu_idx": 1, "name": "Simulated H100 80GB", "uuid": "SIM-1",
                          "pci_bus_id": None, "driver_version": "simulated", "total_mib": 81920,
                          "reserved_mib": 600})
        self.assertEqual([process["pid"] for process in account["processes"]], [4242, 4242])
        self.assertEqual({request.path for request in server.requests}, {"/simulator/gpus"})

    def test_chosen_gpus_in_their_order(self):
        with ScriptedServer({"/simulator/gpus": page(gpu(0), gpu(1), gpu(2))}) as server:
            result = self.simulated(server, "--gpus", "2,0", "--duration", "0.3")
            self.assertEqual(result.returncode, 0, result.stderr)
            missing = self.simulated(server, "--gpus", "3", "--duration", "0.3")
        _, rows = read_csv(self.trace)
        self.assertEqual(rows, [])  # of the second run, which replaced the first one's
        self.assert_error(missing, 3, "no GPU 3", "2 (Simulated H100 80GB)")

    def test_list_gpus(self):
        with ScriptedServer({"/simulator/gpus": page(gpu(0))}) as server:
            result = run_tool("gpu_mem_sampler", "--list-gpus", "--backend", "simulated",
                              "--simulator-url", server.url)
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        self.assertIn("Simulated H100 80GB,SIM-0,,simulated,81920,600", result.stdout)

    def test_simulator_that_counts_anew_was_started_anew(self):
        counts = iter([5.0, 9.0, 0.1, 0.1])
        with ScriptedServer({"/simulator/gpus":
                             lambda _: page(gpu(0, busy_s=next(counts, 0.1)))}) as server:
            result = self.simulated(server, "--interval-ms", "50", "--duration", "0.3")
        self.assertEqual(result.returncode, 0, result.stderr)
        _, rows = read_csv(self.trace)
        self.assertIsNone(rows[1]["util_pct"])  # the reading after the probe's and the first
        self.assertEqual(rows[2]["util_pct"], "0")

    def test_a_fast_pace_is_kept(self):
        with ScriptedServer({"/simulator/gpus": page(gpu(0))}) as server:
            self.simulated(server, "--interval-ms", "10", "--duration", "1")
        ticks = self.account()["ticks"]
        self.assertEqual(ticks["due"], ticks["taken"] + ticks["missed"])
        self.assertGreater(ticks["taken"], 60, ticks)

    def test_gone_in_mid_run(self):
        with ScriptedServer({"/simulator/gpus": page(gpu(0))}) as server:
            with start_tool("gpu_mem_sampler", "-o", self.trace, "--stats-out", self.stats,
                            "--backend", "simulated", "--simulator-url", server.url,
                            "--interval-ms", "50", env=NO_GPU) as process:
                server.wait_for(lambda s: len(s.requests) > 5)
                server.stop()
                time.sleep(0.5)
                os.kill(process.pid, signal.SIGINT)
                ended = finish(process, 5)
        self.assertEqual(ended.returncode, 0, ended.stderr)
        _, rows = read_csv(self.trace)
        self.assertIsNotNone(rows[0]["used_mib"])
        self.assertIsNone(rows[-1]["used_mib"])
        self.assertEqual(ended.stderr.count("warning: "), 1, ended.stderr)
        self.assertIn("cells stay empty", ended.stderr)
        self.assertEqual(self.account()["lost_gpus"], [0])

    def test_an_answer_that_does_not_come_does_not_hold_up_the_end(self):
        first = iter([page(gpu(0))] * 2)
        with ScriptedServer({"/simulator/gpus": lambda _: next(first, [hang()])}) as server:
            with start_tool("gpu_mem_sampler", "-o", self.trace, "--backend", "simulated",
                            "--simulator-url", server.url, "--interval-ms", "50",
                            env=NO_GPU) as process:
                server.wait_for(lambda s: len(s.requests) >= 3)
                begin = time.monotonic()
                os.kill(process.pid, signal.SIGINT)
                ended = finish(process, 5)
        self.assertEqual(ended.returncode, 0, ended.stderr)
        self.assertLess(time.monotonic() - begin, 1.5)  # an answer is waited for for 2 s

    def test_servers_that_are_no_simulator(self):
        for answer, words in ((error(404), ("answered 404", "is it a vllm_simulator")),
                              (response(b"{}"), ("no GPU in it",)),
                              (response(b"<html>"), ("no JSON",))):
            with self.subTest(words), ScriptedServer({"*": answer}) as server:
                self.assert_error(self.simulated(server), 3, "--backend simulated", *words)
        holder, port = closed_port()
        with holder:
            self.assert_error(self.simulated(f"http://127.0.0.1:{port}"), 3, "refused")

    def test_backend_and_url_go_together(self):
        for args, words in ((["--backend", "simulated"], "needs --simulator-url"),
                            (["--simulator-url", "http://127.0.0.1:1"], "--backend simulated"),
                            (["--backend", "none", "--simulator-url", "http://127.0.0.1:1"],
                             "--backend simulated"),
                            (["--backend", "simulated", "--simulator-url", "file:///x"],
                             "--simulator-url")):
            with self.subTest(args):
                self.assert_error(self.sample(*args), 2, words)
                self.assertFalse(self.trace.exists())


if __name__ == "__main__":
    unittest.main()
