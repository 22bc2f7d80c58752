"""Connecting, TLS, and connections that are kept."""

import socket
import time
import unittest

from request_runner_case import *  # noqa: F403
from request_runner_case import RequestRunnerCase, ScriptedServer, line, lines
from support.certificates import make_certificate


class ConnectTest(RequestRunnerCase):
    def assert_all_rows(self, done, status, detail=""):
        self.assert_ended(done, 1)
        self.assertEqual(set(self.statuses().values()), {"error:" + status}, self.rows)
        for row in self.rows.values():
            self.assertIn(detail, row["error_detail"])
            self.assertIsNone(row["start_ts"])
            self.assertIsNone(row["in_flight_at_start"])
            self.assertIsNone(row["http_status"])
            self.assertTrue(row["scheduled_ts"] <= row["end_ts"])

    def test_refused(self):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
        done = self.run_on(f"http://127.0.0.1:{port}", lines(5, 2))
        self.assertEqual(len(self.rows), 5)
        self.assert_all_rows(done, "connect", "refused")

    def test_the_default_model_of_a_refusing_server_is_no_other_end(self):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
        done = self.run_on(f"http://127.0.0.1:{port}", lines(2), model="default")
        self.assert_all_rows(done, "connect", "refused")

    def test_unknown_name(self):
        self.assert_all_rows(self.run_on("http://no-such-host.invalid:8000", lines(3, 2)), "dns")

    def test_connect_timeout(self):
        with ScriptedServer(b"", accept=False) as server:
            done = self.run_on(server, lines(2, 2), "--connect-timeout", "0.5")
        self.assert_all_rows(done, "connect", "not connected after 0.5 s")
        self.assertTrue(0.4 < self.stats["load_s"] < 2)

    def test_the_whole_timeout_bounds_connecting_too(self):
        with ScriptedServer(b"", accept=False) as server:
            done = self.run_on(server, lines(1), "--timeout", "0.5")
        self.assert_all_rows(done, "timeout", "0.5 s")


class TlsTest(RequestRunnerCase):
    def setUp(self):
        super().setUp()
        self.made = make_certificate(self.folder)

    def answered(self, *flags, url=None, made=None, code=0):
        with ScriptedServer(completion_as_asked, tls=made or self.made) as server:
            self.assert_ended(self.run_on((url or server.url).replace("PORT", str(server.port)),
                                          lines(3, 2), *flags), code)
            self.requests = len(server.requests)
        return set(self.statuses().values())

    def details(self):
        return " ".join(row["error_detail"] or "" for row in self.rows.values())

    def test_a_trusted_certificate(self):
        self.assertEqual(self.answered("--ca-file", self.made.ca), {"ok"})
        self.assertEqual(self.answered("--ca-file", self.made.ca, "--stream"), {"ok"})
        self.assertEqual(self.stats["connections_opened"], 2)

    def test_an_untrusted_certificate(self):
        self.assertEqual(self.answered(code=1), {"error:tls"})
        self.assertIn("certificate", self.details())
        self.assertEqual(self.requests, 0)

    def test_insecure_checks_nothing(self):
        self.assertEqual(self.answered("--insecure"), {"ok"})
        self.assertEqual(self.answered("--insecure", url="https://localhost:PORT"), {"ok"})

    def test_another_host_name(self):
        self.assertEqual(self.answered("--ca-file", self.made.ca, url="https://localhost:PORT",
                                       code=1), {"error:tls"})
        self.assertIn("hostname mismatch", self.details())
        made = make_certificate(self.folder, "localhost")
        self.assertEqual(self.answered("--ca-file", made.ca, made=made,
                                       url="https://localhost:PORT"), {"ok"})

    def test_plain_on_a_tls_port_and_the_reverse(self):
        self.assertNotIn("ok", self.answered(url="http://127.0.0.1:PORT", code=1))
        with ScriptedServer(completion_as_asked) as server:
            done = self.run_on(server.url.replace("http:", "https:"), lines(1), "--insecure",
                               "--timeout", "2")
            self.assert_ended(done, 1)
        self.assertIn(self.statuses()["r0"], ("error:tls", "error:timeout"))

    def test_a_ca_file_that_is_none(self):
        for path in (self.folder / "absent", self.file("bad.pem", "no certificate")):
            done = self.run_on("https://127.0.0.1:1", lines(1), "--ca-file", path)
            self.assert_refused(done, 3, "--ca-file", str(path))

    def test_no_close_notify_is_no_harm(self):
        with ScriptedServer([plain_completion(1, 8), close(tidy=False)], tls=self.made) as server:
            self.assert_ended(self.run_on(server, lines(4, 2), "--ca-file", self.made.ca), 0)
        self.assertEqual(set(self.statuses().values()), {"ok"})


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

    def test_a_server_that_closes_each_time(self):
        answer = response(answer_bytes(plain_completion(1, 8)).partition(b"\r\n\r\n")[2],
                          headers=b"connection: close\r\n")
        with ScriptedServer([answer, close()]) as server:
            self.assert_ended(self.run_on(server, lines(6, 2)), 0)
            self.assertEqual(server.connections, 6)
        self.assertEqual((self.stats["connections_opened"], self.stats["repeats"]), (6, 0))

    def test_a_request_lost_on_a_kept_connection_is_sent_once_more(self):
        with ScriptedServer(in_order(plain_completion(1, 8), close(), plain_completion(1, 8))
                            ) as server:
            self.assert_ended(self.run_on(server, lines(3)), 0)
            self.assertEqual([r.headers["x-request-id"] for r in server.requests],
                             ["r0", "r1", "r1", "r2"])
        self.assertEqual((self.stats["repeats"], self.stats["connections_opened"]), (1, 2))
        self.assertGreaterEqual(self.rows["r1"]["start_ts"], self.rows["r1"]["scheduled_ts"])

    def test_it_is_sent_no_third_time(self):
        with ScriptedServer(in_order(plain_completion(1, 8), close(), reset(),
                                     plain_completion(1, 8))) as server:
            self.assert_ended(self.run_on(server, lines(3)), 1)
            self.assertEqual(len(server.requests), 4)
        self.assertEqual(self.statuses(), {"r0": "ok", "r1": "error:disconnected", "r2": "ok"})
        self.assertEqual(self.stats["repeats"], 1)

    def test_no_repeat_after_a_byte_of_the_answer_or_a_second(self):
        for lost in ([b"HTTP/1.1 ", close()], [pause(1.2), close()]):
            with ScriptedServer(in_order(plain_completion(1, 8), lost, plain_completion(1, 8))
                                ) as server:
                self.assert_ended(self.run_on(server, lines(3)), 1)
                self.assertEqual(len(server.requests), 3)
            self.assertEqual(self.statuses()["r1"], "error:disconnected")
            self.assertEqual(self.stats["repeats"], 0)

    def test_no_repeat_on_a_fresh_connection(self):
        with ScriptedServer(in_order(close(), plain_completion(1, 8))) as server:
            self.assert_ended(self.run_on(server, lines(2)), 1)
        self.assertEqual(self.statuses(), {"r0": "error:disconnected", "r1": "ok"})

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

    def test_bytes_after_the_answer_end_the_connection(self):
        # In one piece: what comes later cannot be told from the next answer.
        with ScriptedServer(plain_completion(1, 8) + b"surplus") as server:
            self.assert_ended(self.run_on(server, lines(3)), 0)
        self.assertEqual(set(self.statuses().values()), {"ok"})

    def test_a_stream_whose_framing_ends_late_keeps_its_connection(self):
        *events, end = sse_completion(21, 4)
        with ScriptedServer([*events, pause(0.03), end]) as server:
            self.assert_ended(self.run_on(server, lines(20), "--stream"), 0)
            self.assertEqual(server.connections, 1)
        self.assertEqual(set(self.statuses().values()), {"ok"})

    def test_bytes_on_an_idle_connection_end_it(self):
        requests = lines(1) + [line("s", 2)]
        with ScriptedServer([plain_completion(1, 8), pause(0.2), b"surplus"]) as server:
            self.assert_ended(self.run_on(server, requests, "--group-pause-s", "0.6"), 0)
            self.assertEqual(server.connections, 2)
        self.assertEqual(set(self.statuses().values()), {"ok"})
        self.assertEqual(self.stats["repeats"], 0)


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
