"""Connecting, and connections that are kept. What goes wrong there: tests/faults."""

import socket
import ssl
import subprocess
import time
import unittest

from request_runner_case import *  # noqa: F403
from request_runner_case import RequestRunnerCase, ScriptedServer, line, lines
from support.certificates import make_certificate

# Takes everything that OpenSSL still knows.
LENIENT = """
openssl_conf = defaults
[defaults]
ssl_conf = ssl
[ssl]
system_default = all
[all]
MinProtocol = TLSv1
CipherString = ALL:@SECLEVEL=0
"""


class ConnectTest(RequestRunnerCase):
    def test_the_default_model_of_a_refusing_server_is_no_other_end(self):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
        done = self.run_on(f"http://127.0.0.1:{port}", lines(2), model="default")
        self.assert_ended(done, 1)
        self.assertEqual(set(self.statuses().values()), {"error:connect"})

    def test_nothing_is_sent_to_a_server_of_an_unknown_authority(self):
        with ScriptedServer(completion_as_asked, tls=make_certificate(self.folder)) as server:
            self.assert_ended(self.run_on(server, lines(3, 2)), 1)
            self.assertEqual(server.requests, [])
        self.assertEqual(set(self.statuses().values()), {"error:tls"})

    def test_tls_1_1_is_refused_where_the_system_would_take_it(self):
        certificate = make_certificate(self.folder)
        lenient = {"OPENSSL_CONF": str(self.file("openssl.cnf", LENIENT))}
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate.certificate, certificate.key)
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
        with ScriptedServer(completion_as_asked, tls=context) as server:
            another = subprocess.run(
                ["openssl", "s_client", "-connect", f"127.0.0.1:{server.port}"], env=lenient,
                input="", capture_output=True, text=True, timeout=30, check=False)
            self.assertIn("Protocol  : TLSv1.1", another.stdout)
            done = self.run_on(server, lines(1), "--ca-file", certificate.ca, env=lenient)
            self.assert_ended(done, 1)
            self.assertEqual(server.requests, [])
        self.assertEqual(set(self.statuses().values()), {"error:tls"})

    def test_a_ca_file_that_is_none(self):
        for path in (self.folder / "absent", self.file("bad.pem", "no certificate")):
            done = self.run_on("https://127.0.0.1:1", lines(1), "--ca-file", path)
            self.assert_refused(done, 3, "--ca-file", str(path))


class KeptConnectionsTest(RequestRunnerCase):
    def test_connections_are_reused(self):
        for flags in ((), ("--stream",)):
            with ScriptedServer(completion_as_asked) as server:
                self.assert_ended(self.run_on(server, lines(40, 4), *flags), 0)
                self.assertLessEqual(server.connections, 4)
            self.assertEqual(self.stats["connections_opened"], server.connections)
            self.assertEqual(self.stats["repeats"], 0)

    def test_connections_are_reused_after_an_error_status(self):
        with ScriptedServer(error(503)) as server:
            self.assert_ended(self.run_on(server, lines(10)), 1)
            self.assertEqual(server.connections, 1)

    def test_connections_are_reused_across_groups(self):
        requests = lines(2, 1) + [line("s", 2)]
        with ScriptedServer(completion_as_asked) as server:
            self.assert_ended(self.run_on(server, requests, "--group-pause-s", "0.3"), 0)
            self.assertEqual(server.connections, 1)

    def test_a_pause_longer_than_the_servers_patience(self):
        requests = lines(2, 2) + [line("s", 3)]
        with ScriptedServer(completion_as_asked, idle_timeout=0.3) as server:
            self.assert_ended(self.run_on(server, requests, "--group-pause-s", "1"), 0)
        self.assertEqual(set(self.statuses().values()), {"ok"})
        self.assertEqual((self.stats["connections_opened"], self.stats["repeats"]), (3, 0))

    def test_connections_idle_for_over_4_s_are_not_reused(self):
        requests = lines(1) + [line("s", 2)]
        with ScriptedServer(completion_as_asked) as server:
            self.assert_ended(self.run_on(server, requests, "--group-pause-s", "4.2"), 0)
            self.assertEqual(server.connections, 2)

    def test_a_stream_whose_framing_ends_late_keeps_its_connection(self):
        *events, end = sse_completion(21, 4)
        with ScriptedServer([*events, pause(0.03), end]) as server:
            self.assert_ended(self.run_on(server, lines(20), "--stream"), 0)
            self.assertEqual(server.connections, 1)
        self.assertEqual(set(self.statuses().values()), {"ok"})


class StressTest(RequestRunnerCase):
    def test_200_streams_at_once_byte_by_byte(self):
        whole = split(sse_completion(21, 8, cached=16), 1)
        requests = lines(400, 200)
        with ScriptedServer(lambda request: [pause(0.2), whole]) as server:
            begin = time.monotonic()
            done = self.run_on(server, requests, "--stream", timeout=60)
            self.assertGreater(server.max_in_flight, 100)
        # By the client's count: the server's threads note an answer's end after the client does.
        # That the level is never passed by the server's count, test_request_runner_schedule shows.
        self.assertLessEqual(max(int(row["in_flight_at_start"]) for row in self.rows.values()), 200)
        self.assert_ended(done, 0)
        self.assertLess(time.monotonic() - begin, 60)
        self.assertEqual(len(self.rows), 400)
        for row in self.rows.values():
            self.assertEqual((row["status"], row["prompt_tokens"], row["completion_tokens"],
                              row["cached_tokens"]), ("ok", "21", "8", "16"))
            self.assertTrue(row["scheduled_ts"] <= row["start_ts"] <= row["first_token_ts"]
                            <= row["end_ts"])
            self.assertTrue(1 <= int(row["in_flight_at_start"]) <= 200)


if __name__ == "__main__":
    unittest.main()
