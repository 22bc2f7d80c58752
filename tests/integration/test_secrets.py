"""Keys and header values reach the server and nothing else."""

import base64
import itertools
import json
import os
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

from integration.profile_case import ProfileCase, answers, descendants, held, limited, posts, loaded
from support.answers import error, models, response
from support.certificates import make_certificate
from support.metrics import CONFIG, metrics
from support.run_tool import finish, open_folder, read_csv, run_tool, tool_path
from support.scripted_server import ScriptedServer
from support.wrapper import lone_wrapper

SECRETS = {"file": "sk-from-file-1234", "environment": "sk-from-env-5678",
           "header": "header-value-9abc"}


class Secrets(ProfileCase):
    def secret_file(self, name, text):
        folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        open_folder(folder)
        path = folder / name
        path.write_text(text)
        path.chmod(0o644)
        return path

    def command_lines(self, pid):
        lines = b""
        for process in [pid, *descendants(pid)]:
            lines += Path(f"/proc/{process}/cmdline").read_bytes()
        return lines

    def assert_no_secret(self, where, data):
        for name, secret in SECRETS.items():
            self.assertNotIn(secret.encode(), data, f"{name} in {where}")

    def watched_run(self, *flags, env=None):
        """A run whose command lines are looked at while requests are in flight."""
        with ScriptedServer(answers(held)) as server:
            with self.running(server, *flags, env=env) as (process, pid):
                server.wait_for(loaded)
                lines = self.command_lines(pid)
                self.assertIn(b"request_runner", lines)
                server.release()
                ended = finish(process)
        folder = Path(ended.stdout.strip())
        self.assert_no_secret("a command line", lines)
        self.assert_no_secret("stdout or stderr", (ended.stdout + ended.stderr).encode())
        for path in folder.rglob("*"):
            if path.is_file():
                self.assert_no_secret(path, path.read_bytes())
        return server, ended, folder

    def test_key_and_header_files(self):
        key = self.secret_file("key", SECRETS["file"] + "\n")
        header = self.secret_file("headers", f"X-Tenant: {SECRETS['header']}\n")
        server, _, folder = self.watched_run("--api-key-file", key, "--header-file", header)
        for request in server.requests:
            self.assertEqual(request.headers["authorization"], "Bearer " + SECRETS["file"])
            self.assertEqual(request.headers["x-tenant"], SECRETS["header"])
        options = json.loads((folder / "manifest.json").read_text())["options"]
        self.assertEqual((options["api_key_file"], options["header_file"]), (str(key), str(header)))

    def test_key_from_the_environment(self):
        for variable in ("OPENAI_API_KEY", "VLLM_API_KEY"):
            with self.subTest(variable):
                server, _, _ = self.watched_run(env={variable: SECRETS["environment"]})
                self.assertEqual({r.headers["authorization"] for r in posts(server)},
                                 {"Bearer " + SECRETS["environment"]})

    def test_a_server_that_repeats_the_key(self):
        def tell(request):
            return error(400, {"error": {"message": "bad key " + request.headers["authorization"]}})

        key = self.secret_file("key", SECRETS["file"])
        with ScriptedServer(answers(tell)) as server:
            ended, folder = self.profile(server, "--api-key-file", key)
        self.assertEqual(ended.returncode, 1)
        self.assert_no_secret("stderr", ended.stderr.encode())
        for path in folder.rglob("*"):
            if path.is_file():
                self.assert_no_secret(path, path.read_bytes())

    def test_refusals_do_not_repeat_it(self):
        def refuse(request):
            return error(401, {"error": "no: " + request.headers["authorization"]})

        with ScriptedServer({"*": refuse}) as server:
            ended, _ = self.profile(server, env={"OPENAI_API_KEY": SECRETS["environment"]})
        self.assert_one_error(ended, 3, "401", "not accepted")
        self.assert_no_secret("stderr", ended.stderr.encode())


class Refused(ProfileCase):
    URLS = {"http://user:pw-in-url-77@127.0.0.1:9/v1": "pw-in-url-77",
            "https://127.0.0.1:9/metrics?token=tok-in-url-88": "tok-in-url-88"}
    FLAGS = {"run_memory_profile": ["--base-url", "--metrics-url"],
             "request_runner": ["--base-url"], "server_metrics_sampler": ["--metrics-url"],
             "workload_gen": ["--calibrate"], "gpu_mem_sampler": ["--simulator-url"]}

    def test_a_url_with_a_secret_is_shown_nowhere(self):
        for tool, flags in self.FLAGS.items():
            for flag in flags:
                for url, secret in self.URLS.items():
                    for more in ([], ["--print-config"]):
                        with self.subTest(tool, flag=flag, more=more):
                            ended = run_tool(tool, flag, url, *more)
                            self.assertEqual(ended.returncode, 2, ended.stderr)
                            self.assertIn("must not hold", ended.stderr)
                            self.assertNotIn(secret, ended.stdout + ended.stderr)


class Exposed(ProfileCase):
    KEY = {"OPENAI_API_KEY": SECRETS["environment"]}
    ELSEWHERE = "http://" + 64 * "x" + ".test:9"  # too long a name for anything to be asked or sent

    def assert_warned(self, ended, *words):
        warnings = [line for line in ended.stderr.splitlines() if ": warning: " in line]
        for word in words:
            self.assertEqual(sum(word in line for line in warnings), 1, ended.stderr)
        self.assertNotIn(SECRETS["environment"], ended.stdout + ended.stderr)

    def test_a_key_over_plain_http_is_told_before_it_is_sent(self):
        trace = str(self.out / "out")
        for tool, *arguments in (
                ("run_memory_profile", "--base-url", self.ELSEWHERE + "/v1",
                 "--output-dir", self.out),
                ("server_metrics_sampler", "-o", trace, "--metrics-url",
                 self.ELSEWHERE + "/metrics"),
                ("workload_gen", "-o", trace, "--calibrate", self.ELSEWHERE + "/v1")):
            with self.subTest(tool):
                ended = run_tool(tool, *arguments, "--connect-timeout", "0.2", env=self.KEY)
                self.assert_warned(ended, self.ELSEWHERE + " unencrypted")

    def test_request_runner_tells_it_before_it_reads_its_workload(self):
        ended = run_tool("request_runner", self.out / "no workload", "-o", self.out / "rows",
                         "--base-url", self.ELSEWHERE + "/v1", env=self.KEY)
        self.assertEqual(ended.returncode, 3, ended.stderr)
        self.assertIn("no workload", ended.stderr)
        self.assert_warned(ended, self.ELSEWHERE + " unencrypted")

    def test_an_unchecked_certificate_is_told_once(self):
        made = make_certificate(self.out)
        with ScriptedServer(answers(), tls=made) as server:
            ended, _ = self.profile(server, "--insecure")
        self.assertEqual(ended.returncode, 0, ended.stderr)
        self.assert_warned(ended, "--insecure: the certificate of " + server.url)


class Hostile(ProfileCase):
    """A server that repeats what it was sent, in every place where it has a say."""

    def setUp(self):
        super().setUp()
        self.key, self.tenant = SECRETS["environment"], SECRETS["header"]
        self.coded = base64.b64encode(f"Bearer {self.key}".encode()).decode()
        self.calls, self.salts = itertools.count(), set()
        header = self.out / "headers"
        header.write_text(f"X-Tenant: {self.tenant}\n")
        header.chmod(0o644)
        self.header = ("--header-file", header)

    def chat(self, request):
        """A redirect, then two refusals: with the headers' values, and with the salt."""
        salt = request.json.get("cache_salt", "no salt")
        self.salts.add(salt)
        where = f"http://{request.headers['host']}/stolen?k={self.key}&t={self.tenant}"
        return [response(f"see {where}".encode(), 302, "text/plain",
                         headers=f"Location: {where}\r\n".encode()),
                error(400, {"error": {"message": f"{self.key} {self.coded} {self.tenant}"}}),
                error(400, {"error": {"message": f"cache_salt: {salt} is refused"}}),
                ][next(self.calls) % 3]

    def table(self):
        names = ["tiny", self.key, "x-" + self.coded, "Bearer%20" + self.key, self.tenant]
        page = metrics(engines=(self.key, self.tenant), config=CONFIG | {"cache_dtype": self.coded})
        version = json.dumps({"version": f"0.32 {self.key} {self.coded} {self.tenant}"})
        return {"/v1/models": models(names), "/metrics": page, "/v1/chat/completions": self.chat,
                "/version": response(version.encode())}

    def assert_nowhere(self, *ended, files):
        """Neither in words nor in what was written; the headers' file is the user's own."""
        seen = [("words", (each.stdout + each.stderr).encode()) for each in ended]
        seen += [(path, path.read_bytes()) for path in self.out.rglob("*")
                 if path.is_file() and path.name != "headers"]
        self.assertGreater(len(seen), files)
        for where, data in seen:
            for secret in (self.key, self.coded.rstrip("=")[:-1], self.tenant, *self.salts):
                self.assertNotIn(secret.encode(), data, where)

    def test_what_it_repeats_gets_nowhere(self):
        environment = {"OPENAI_API_KEY": self.key}
        with ScriptedServer(self.table()) as server:
            ended, folder = self.profile(server, *self.header, env=environment)
            sampled = run_tool("server_metrics_sampler", "-o", self.out / "rows", "--raw",
                               self.out / "raw", "--metrics-url", server.url + "/metrics",
                               "--duration", "0.3", *self.header, env=environment)
        self.assertEqual(ended.returncode, 1, ended.stderr)
        self.assertEqual(len(self.salts), 1)
        self.assertTrue(next(iter(self.salts)).startswith("memprof-"), self.salts)
        self.assertNotIn("/stolen", [request.path.split("?")[0] for request in server.requests])
        rows = read_csv(folder / "request_trace.csv")[1]
        self.assertEqual({row["http_status"] for row in rows}, {"302", "400"})
        self.assertTrue(any("***" in (row["error_detail"] or "") for row in rows), rows)
        other = self.out / "other"
        shutil.copytree(folder, other)
        reported = run_tool("memory_report", folder, "--html", self.out / "page", "--joined",
                            self.out / "joined", "--trace-out", self.out / "events")
        compared = run_tool("memory_report", folder, other, "--html", self.out / "compared")
        for each in (reported, compared):
            self.assertIn(each.returncode, (0, 1), each.stderr)
        for written in ("page", "joined", "events", "compared"):
            self.assertGreater((self.out / written).stat().st_size, 0, written)
        self.assert_nowhere(ended, sampled, reported, compared, files=25)

    def test_nor_by_a_tool_alone(self):
        refused = error(503, {"error": {"message": f"{self.key} {self.coded} {self.tenant}"}})
        table = {"/v1/models": models([self.key]), "/metrics": refused, "/tokenize": refused,
                 "/v1/chat/completions": refused}
        workload = self.out / "workload"
        workload.write_text(json.dumps({"req_id": "r", "prompt": "p", "input_len": 1,
                                        "output_len": 1, "concurrency_group": 1}) + "\n")
        workload.chmod(0o644)
        with ScriptedServer(table) as server:
            ended = [run_tool(tool, *arguments, *self.header, "--stats-out", self.out / tool,
                              env={"OPENAI_API_KEY": self.key})
                     for tool, *arguments in (
                         ("request_runner", workload, "-o", self.out / "rows", "--base-url",
                          server.url + "/v1"),
                         ("server_metrics_sampler", "-o", self.out / "readings", "--metrics-url",
                          server.url + "/metrics", "--duration", "0.3"),
                         ("workload_gen", "-o", self.out / "lines", "--calibrate",
                          server.url + "/v1"))]
        for each in ended:
            self.assertIn(each.returncode, (1, 3), each.stderr)
        self.assertIn("repeats what was sent as a secret", ended[0].stderr)
        for each in ended[1:]:
            self.assertIn("***", each.stderr)
        self.assert_nowhere(*ended, files=4)

    def test_nor_when_the_wrapper_starts_it(self):
        wrapper, tool = lone_wrapper(self.out / "checkout")
        tool.symlink_to(tool_path(tool.name))
        with ScriptedServer(self.table()) as server:
            ended = subprocess.run(
                [*limited(), wrapper, *self.arguments(server, *self.header)], capture_output=True,
                text=True, timeout=60, env=os.environ | {"OPENAI_API_KEY": self.key})
        self.assertEqual(ended.returncode, 1, ended.stderr)
        self.assertEqual({request.headers["authorization"] for request in posts(server)},
                         {"Bearer " + self.key})
        self.assert_nowhere(ended, files=10)

    def test_nor_by_the_smoke_test(self):
        ended = run_tool("smoke_test", timeout=90, prefix=limited(80), cwd=self.out,
                         env={"OPENAI_API_KEY": self.key, "TMPDIR": str(self.out)})
        self.assertEqual(ended.returncode, 0, ended.stdout + ended.stderr)
        self.assertNotIn(self.key, ended.stdout + ended.stderr)


class Tls(ProfileCase):
    def test_certificate_is_checked_unless_told(self):
        made = make_certificate(self.out)
        for name in ("ca", "certificate", "key"):
            os.chmod(getattr(made, name), 0o644)
        with ScriptedServer(answers(), tls=made) as server:
            self.assertTrue(server.url.startswith("https://"))
            ended, _ = self.profile(server)
            self.assert_one_error(ended, 3, server.url, "tls")
            ended, folder = self.profile(server, "--ca-file", made.ca)
            self.assertEqual(ended.returncode, 0, ended.stderr)
            manifest = json.loads((folder / "manifest.json").read_text())
            self.assertIs(manifest["server"]["insecure_tls"], False)
            ended, folder = self.profile(server, "--insecure")
            self.assertEqual(ended.returncode, 0, ended.stderr)
            manifest = json.loads((folder / "manifest.json").read_text())
            self.assertIs(manifest["server"]["insecure_tls"], True)


if __name__ == "__main__":
    unittest.main()
