"""Keys and header values reach the server and nothing else."""

import json
import os
import tempfile
import unittest
from pathlib import Path

from integration.profile_case import ProfileCase, answers, descendants, held
from support.answers import error
from support.certificates import make_certificate
from support.run_tool import finish, open_folder
from support.scripted_server import ScriptedServer

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
                server.wait_for(lambda s: s.in_flight == 2)
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
                posts = [r for r in server.requests if r.method == "POST"]
                self.assertEqual({r.headers["authorization"] for r in posts},
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
