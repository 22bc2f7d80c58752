"""vllm_simulator from outside: its flags, its answers, its numbers, its end."""

import json
import signal
import socket
import tempfile
import time
import unittest
from pathlib import Path

from simulator_case import SMALL, SimulatorCase, simulator
from support.run_tool import finish, run_tool


class Flags(unittest.TestCase):
    def assert_usage(self, options, words):
        done = run_tool("vllm_simulator", *options)
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertIn(words, done.stderr)
        self.assertEqual(done.stdout, "")

    def test_what_cannot_be_simulated_is_said(self):
        self.assert_usage(("--preset", "tpu"), "--preset: there is no tpu")
        self.assert_usage(("--num-gpu-blocks-override", "100", "--max-model-len", "4096"),
                          "--max-model-len: a request of 4096 tokens does not fit into 100")
        self.assert_usage(("--num-gpu-blocks-override", "99999999"), "more than the GPU has left")
        self.assert_usage(("--gpu-memory-utilization", "0.1"), "no memory is left")
        self.assert_usage(("--port", "70000"), "--port")
        self.assert_usage(("--speed", "0"), "--speed")

    def test_a_port_in_use_or_a_missing_key_is_the_environments_fault(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            done = run_tool("vllm_simulator", "--port", taken.getsockname()[1])
        self.assertEqual(done.returncode, 3, done.stderr)
        done = run_tool("vllm_simulator", "--api-key-file", "/nowhere/key")
        self.assertEqual(done.returncode, 3, done.stderr)
        self.assertIn("/nowhere/key", done.stderr)

    def test_the_context_shrinks_to_what_few_blocks_hold(self):
        with simulator("--num-gpu-blocks-override", "100") as (_, port):
            case = SimulatorCase()
            case.port = port
            self.assertEqual(case.get_json("/v1/models")["data"][0]["max_model_len"], 99 * 16)

    def test_prefix_caching_and_details_can_be_off(self):
        with simulator(*SMALL, "--no-enable-prefix-caching",
                       "--no-enable-prompt-tokens-details") as (_, port):
            case = SimulatorCase()
            case.port = port
            for _ in range(2):
                usage = case.complete(list(range(300, 340)), 4)["usage"]
            self.assertIsNone(usage["prompt_tokens_details"])
            self.assertEqual(case.metrics()["prefix_cache_queries_total"], 0)

    def test_answers_end_by_themselves_at_the_stop_rate(self):
        with simulator(*SMALL, "--stop-rate", "0.2") as (_, port):
            case = SimulatorCase()
            case.port = port
            free = case.complete([300, 301], 200, ignore_eos=False, min_tokens=5)
            self.assertEqual(free["choices"][0]["finish_reason"], "stop")
            self.assertTrue(5 < free["usage"]["completion_tokens"] < 200)
            exact = case.complete([300, 301], 200)
            self.assertEqual(exact["choices"][0]["finish_reason"], "length")
            self.assertEqual(exact["usage"]["completion_tokens"], 200)
            self.assertEqual(case.metrics()["request_success_total"], 2)

    def test_too_many_requests_are_refused(self):
        with simulator(*SMALL, "--max-num-queued-reqs", "2") as (_, port):
            case = SimulatorCase()
            case.port = port
            body = {"prompt": [[300], [301], [302]], "max_tokens": 1}
            status, _, text = case.ask("POST", "/v1/completions", body)
            self.assertEqual(status, 503)
            self.assertIn("busy", json.loads(text)["error"]["message"])
            self.assertEqual(case.metrics()["admission_rejections_total"], 1)
            case.complete([300], 1)

    def test_a_key_is_asked_for(self):
        with tempfile.NamedTemporaryFile("w") as file:
            file.write("sk-secret\n")
            file.flush()
            with simulator(*SMALL, "--api-key-file", file.name) as (_, port):
                case = SimulatorCase()
                case.port = port
                self.assertEqual(case.ask("GET", "/v1/models")[0], 401)
                wrong = {"Authorization": "Bearer sk-secre"}
                self.assertEqual(case.ask("GET", "/v1/models", headers=wrong)[0], 401)
                right = {"Authorization": "Bearer sk-secret"}
                self.assertEqual(case.ask("GET", "/v1/models", headers=right)[0], 200)
                self.assertEqual(case.ask("GET", "/metrics")[0], 200)


class Answers(SimulatorCase):
    def test_a_prompt_sent_again_is_a_hit_and_so_is_its_answer(self):
        prompt = list(range(300, 350))
        first = self.complete(prompt, 30, return_token_ids=True)
        self.assertEqual(first["usage"]["prompt_tokens_details"]["cached_tokens"], 0)
        again = self.complete(prompt, 30)
        self.assertEqual(again["choices"][0]["text"], first["choices"][0]["text"])
        self.assertEqual(again["usage"]["prompt_tokens_details"]["cached_tokens"], 48)
        answer = first["choices"][0]["token_ids"]
        longer = self.complete(prompt + answer, 5)
        # 50 + 30 tokens, of which the last one's KV was never written: 79 // 16 blocks.
        self.assertEqual(longer["usage"]["prompt_tokens_details"]["cached_tokens"], 64)
        self.assertEqual(longer["usage"]["prompt_tokens"], 80)
        salted = self.complete(prompt, 5, cache_salt="other")
        self.assertEqual(salted["usage"]["prompt_tokens_details"]["cached_tokens"], 0)

    def test_text_comes_back_as_the_same_tokens(self):
        first = self.complete("make find work " * 20, 30)
        text = "make find work " * 20 + first["choices"][0]["text"]
        second = self.complete(text, 1)
        cached = second["usage"]["prompt_tokens_details"]["cached_tokens"]
        self.assertGreaterEqual(cached, (first["usage"]["total_tokens"] - 2) // 16 * 16 - 16)

    def test_the_context_ends_an_answer_silently(self):
        answer = self.ask("POST", "/v1/completions", {"prompt": [300] * 500, "max_tokens": 100})
        self.assertEqual(json.loads(answer[2])["usage"]["completion_tokens"], 12)
        self.assertEqual(self.ask("POST", "/v1/completions", {
            "prompt": [300] * 500, "max_tokens": 100, "min_tokens": 100})[0], 400)

    def test_the_counters_are_the_sums_of_the_answers(self):
        answers = [self.complete([300 + i] * 40, 20) for i in range(3)]
        now = self.metrics()
        self.assertEqual(now["generation_tokens_total"], 60)
        self.assertEqual(now["prompt_tokens_total"],
                         sum(answer["usage"]["prompt_tokens"] for answer in answers))
        self.assertEqual(now["request_prompt_tokens_count"], 3)
        self.assertEqual(now["time_to_first_token_seconds_count"], 3)
        self.assertEqual(now["inter_token_latency_seconds_count"], 57)
        self.assertEqual(now["iteration_tokens_total_sum"], 120 + 60)
        self.assertEqual(now["num_requests_running"], 0)
        self.assertEqual(now["kv_cache_usage_perc"], 0)

    def test_several_prompts_and_answers_in_one_request(self):
        many = self.complete([[300] * 20, [301] * 30], 8, n=2, temperature=1)
        self.assertEqual(len(many["choices"]), 4)
        self.assertEqual(many["usage"]["completion_tokens"], 32)
        self.assertEqual(many["usage"]["prompt_tokens"], 50)
        self.assertNotEqual(many["choices"][0]["text"], many["choices"][1]["text"])
        self.assertEqual(self.metrics()["request_params_n_sum"], 4)

    def test_a_stream_has_a_piece_for_each_token(self):
        _, headers, text = self.ask("POST", "/v1/chat/completions", {
            "messages": [{"role": "user", "content": "hello"}], "max_tokens": 7, "min_tokens": 7,
            "stream": True, "stream_options": {"include_usage": True}})
        self.assertEqual(headers["content-type"], "text/event-stream; charset=utf-8")
        events = [line[6:] for line in text.splitlines() if line.startswith("data: ")]
        self.assertEqual(events[-1], "[DONE]")
        usage = json.loads(events[-2])["usage"]
        self.assertEqual(usage["completion_tokens"], 7)
        pieces = [json.loads(event)["choices"][0]["delta"].get("content")
                  for event in events[:-2]]
        self.assertEqual(len([piece for piece in pieces if piece]), 7)

    def test_what_is_asked_wrongly_is_refused(self):
        self.assertEqual(self.ask("GET", "/nothing")[0], 404)
        self.assertEqual(self.ask("GET", "/v1/completions")[0], 405)
        self.assertEqual(self.ask("DELETE", "/v1/models")[0], 405)
        self.assertEqual(self.ask("POST", "/v1/models", {})[0], 405)
        self.assertEqual(self.ask("POST", "/v1/completions", "{")[0], 400)
        self.assertEqual(self.ask("POST", "/v1/completions", {"prompt": "a"},
                                  {"Content-Type": "text/plain"})[0], 400)
        self.assertEqual(self.ask("POST", "/v1/completions", {"prompt": "a", "model": "x"})[0],
                         404)

    def test_an_id_of_the_clients_own_stays_valid_json(self):
        _, _, text = self.ask("POST", "/v1/completions", {"prompt": "a", "max_tokens": 1},
                              {"X-Request-Id": "caf\u00e9\"".encode("latin-1")})
        self.assertEqual(json.loads(text)["id"], "cmpl-caf\u00e9\"")

    def test_a_load_can_be_put_together_before_its_first_step(self):
        self.assertEqual(self.ask("POST", "/pause?mode=abort")[0], 400)
        self.assertEqual(self.ask("POST", "/pause?mode=keep")[0], 200)
        with socket.create_connection(("127.0.0.1", self.port), timeout=20) as connection:
            body = json.dumps({"prompt": [300], "max_tokens": 3})
            connection.sendall(f"POST /v1/completions HTTP/1.1\r\nHost: x\r\nContent-Type: "
                               f"application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}"
                               .encode())
            time.sleep(0.3)
            self.assertEqual(self.metrics()["generation_tokens_total"], 0)
            self.assertEqual(self.ask("POST", "/resume")[0], 200)
            self.assertIn(b"200 OK", connection.recv(100))

    def test_it_says_what_it_is(self):
        self.assertIn("memprof", self.get_json("/version")["simulator"])
        self.assertEqual(self.ask("GET", "/health")[0], 200)
        self.assertEqual(self.get_json("/v1/models")["data"][0]["id"], "llama-3.1-8b")
        page = self.get_json("/simulator/gpus")
        gpu = page["gpus"][0]
        parts = ("weights", "activations", "runtime", "graphs", "kv_pool")
        self.assertEqual(gpu["used_bytes"], sum(gpu[f"{part}_bytes"] for part in parts))
        self.assertEqual(gpu["kv_pool_bytes"], 65 * 16 * page["kv_bytes_per_token"])
        before = gpu["busy_s"]
        self.complete([300], 100)
        self.assertGreater(self.get_json("/simulator/gpus")["gpus"][0]["busy_s"], before)

    def test_the_filter_of_metrics(self):
        path = "/metrics/?name[]=vllm:num_preemptions_total&name[]=vllm:kv_cache_usage_perc"
        status, headers, text = self.ask("GET", path)
        self.assertEqual(status, 200)
        self.assertIn("version=0.0.4", headers["content-type"])
        samples = [line for line in text.splitlines() if not line.startswith("#")]
        self.assertEqual(len(samples), 2)


class Pressure(SimulatorCase):
    def start_streams(self, count, max_tokens):
        sockets = []
        for i in range(count):
            body = json.dumps({"prompt": [300 + i] * 60, "max_tokens": max_tokens,
                               "min_tokens": max_tokens, "ignore_eos": True, "stream": True})
            connection = socket.create_connection(("127.0.0.1", self.port), timeout=20)
            connection.sendall(f"POST /v1/completions HTTP/1.1\r\nHost: x\r\nContent-Type: "
                               f"application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}"
                               .encode())
            sockets.append(connection)
        return sockets

    def wait_for(self, true, seconds=20):
        deadline = time.monotonic() + seconds
        while not true(self.metrics()):
            self.assertLess(time.monotonic(), deadline, self.metrics())
            time.sleep(0.02)

    def test_too_few_blocks_preempt(self):
        sockets = self.start_streams(8, 200)
        self.addCleanup(lambda: [connection.close() for connection in sockets])
        self.wait_for(lambda now: now["generation_tokens_total"] == 1600)
        now = self.metrics()
        self.assertGreater(now["num_preemptions_total"], 0)
        self.assertEqual(now["request_num_preemptions_sum"], now["num_preemptions_total"])

    def test_clients_that_go_away_free_their_blocks(self):
        for connection in self.start_streams(4, 400):
            connection.recv(100)
            connection.close()
        self.wait_for(lambda now: now["num_requests_running"] + now["num_requests_waiting"] == 0
                      and now["kv_cache_usage_perc"] == 0)
        self.assertLess(self.metrics()["generation_tokens_total"], 1600)


class End(unittest.TestCase):
    def test_a_signal_is_a_normal_end_and_fails_what_is_under_way(self):
        with tempfile.TemporaryDirectory() as folder:
            account = Path(folder) / "account.json"
            with simulator("--speed", "0.5", "--stats-out", account) as (process, port):
                case = Pressure()
                case.port = port
                stream = case.start_streams(1, 400)[0]
                got = stream.recv(300)
                process.send_signal(signal.SIGTERM)
                while piece := stream.recv(65536):
                    got += piece
                stream.close()
                done = finish(process)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn(b'"error"', got)
            self.assertIn(b"data: [DONE]", got)
            said = json.loads(account.read_text())
            self.assertEqual(said["requests"], 1)
            self.assertEqual(said["aborted"], 1)
            self.assertGreater(said["steps"], 0)

    def test_a_machine_that_does_not_keep_up_is_told(self):
        with tempfile.TemporaryDirectory() as folder:
            account = Path(folder) / "account.json"
            with simulator("--speed", "1000", "--step-ms", "0.001", "--sequence-us", "0",
                           "--stats-out", account) as (process, port):
                case = SimulatorCase()
                case.port = port
                case.complete([300], 200)
                process.send_signal(signal.SIGINT)
                done = finish(process)
            self.assertIn("did not keep up with --speed 1000", done.stderr)
            self.assertEqual(len(json.loads(account.read_text())["process"]["warnings"]), 1)

    def test_a_machine_that_is_held_up_is_told(self):
        with simulator("--speed", "0.5") as (process, port):
            case = Pressure()
            case.port = port
            stream = case.start_streams(1, 200)[0]
            case.wait_for(lambda now: now["generation_tokens_total"] > 0)
            process.send_signal(signal.SIGSTOP)
            time.sleep(1.5)
            process.send_signal(signal.SIGCONT)
            case.wait_for(lambda now: now["generation_tokens_total"] == 200)
            stream.close()
            process.send_signal(signal.SIGINT)
            done = finish(process)
        self.assertIn("was held up 1 times", done.stderr)

    def test_its_log_reads_like_vllms(self):
        with simulator(*SMALL, "--enable-logging-iteration-details") as (process, port):
            case = SimulatorCase()
            case.port = port
            case.complete([300] * 20, 3)
            process.send_signal(signal.SIGINT)
            log = finish(process).stderr
        self.assertIn("Model loading took 14.96 GiB memory", log)
        self.assertIn("GPU KV cache size: 1,040 tokens", log)
        self.assertIn("Overriding num_gpu_blocks=", log)
        self.assertIn("Iteration(1): 1 context requests, 20 context tokens, 0 generation requests, "
                      "0 generation tokens", log)


if __name__ == "__main__":
    unittest.main()
