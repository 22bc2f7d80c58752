"""A running vllm_simulator for tests."""

import contextlib
import http.client
import json
import unittest

from support.run_tool import start_tool

SMALL = ("--num-gpu-blocks-override", "65", "--block-size", "16", "--max-model-len", "512",
         "--speed", "50")


@contextlib.contextmanager
def simulator(*options, **popen):
    """(process, port)"""
    with start_tool("vllm_simulator", *options, **popen) as process:
        line = process.stdout.readline()
        assert line.startswith("http://127.0.0.1:") and line.endswith("/v1\n"), line
        yield process, int(line.split(":")[2].split("/")[0])


class SimulatorCase(unittest.TestCase):
    OPTIONS = SMALL

    def setUp(self):
        self.process, self.port = self.enterContext(simulator(*self.OPTIONS))

    def enterContext(self, manager):  # unittest has it from Python 3.11 on
        value = manager.__enter__()
        self.addCleanup(manager.__exit__, None, None, None)
        return value

    def ask(self, method, path, body=None, headers=()):
        """(status, headers, text)"""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            payload = body if body is None or isinstance(body, (bytes, str)) else json.dumps(body)
            connection.request(method, path, payload,
                               {"Content-Type": "application/json", **dict(headers)})
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read().decode()
        finally:
            connection.close()

    def get_json(self, path):
        status, _, text = self.ask("GET", path)
        self.assertEqual(status, 200, text)
        return json.loads(text)

    def complete(self, prompt, max_tokens, **fields):
        status, _, text = self.ask("POST", "/v1/completions", {
            "prompt": prompt, "max_tokens": max_tokens, "min_tokens": max_tokens,
            "ignore_eos": True, "temperature": 0, **fields})
        self.assertEqual(status, 200, text)
        return json.loads(text)

    def metrics(self):
        _, _, text = self.ask("GET", "/metrics")
        values = {}
        for line in text.splitlines():
            if line and not line.startswith("#"):
                name, value = line.rsplit(" ", 1)
                name = name.split("{")[0].removeprefix("vllm:")
                values[name] = values.get(name, 0) + float(value)
        return values
