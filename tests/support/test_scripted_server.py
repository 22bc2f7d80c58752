"""The scripted server keeps to its script on the wire."""

import http.client
import socket
import ssl
import tempfile
import threading
import time
import unittest

from support.certificates import make_certificate
from support.scripted_server import *  # noqa: F403
from support.scripted_server import ScriptedServer


def exchange(server, request=b"GET / HTTP/1.1\r\n\r\n", timeout=5):
    """Everything the server sends until it closes."""
    with socket.create_connection(("127.0.0.1", server.port), timeout) as client:
        client.sendall(request)
        received = b""
        while data := client.recv(65536):
            received += data
        return received


def post(server, body=b"{}", context=None):
    kind = http.client.HTTPSConnection if context else http.client.HTTPConnection
    options = {"context": context} if context else {}
    connection = kind("127.0.0.1", server.port, timeout=5, **options)
    connection.request("POST", "/v1/chat/completions", body, {"X-Request-Id": "r1"})
    answer = connection.getresponse()
    data = answer.read()
    connection.close()
    return answer.status, data


class ScriptedServerTest(unittest.TestCase):
    def test_records_what_was_asked(self):
        with ScriptedServer({"/v1/chat/completions": plain_completion(21, 8)}) as server:
            status, body = post(server, b'{"max_tokens":8}')
            self.assertEqual(status, 200)
            self.assertEqual(json.loads(body)["usage"]["completion_tokens"], 8)
            self.assertEqual(server.requests[0].headers["x-request-id"], "r1")
            self.assertEqual(server.requests[0].json, {"max_tokens": 8})

    def test_stream_arrives_whole_however_it_is_split(self):
        whole = answer_bytes(sse_completion(21, 8))
        with ScriptedServer(in_order(sse_completion(21, 8), split(whole, 1), split(whole, 7, 1e-3))
                            ) as server:
            bodies = [post(server)[1] for _ in range(3)]
        self.assertEqual(bodies, [b"".join(sse_events(21, 8))] * 3)
        self.assertEqual(bodies[0].count(b'"content":" w'), 8)
        self.assertTrue(bodies[0].endswith(b"data: [DONE]\n\n"))

    def test_cut_close_delimited_and_reset(self):
        whole = answer_bytes(sse_completion(21, 8))
        with ScriptedServer(in_order(cut(whole, -20), [response(b"hi", length=None), close()],
                                     cut(whole, 50, reset()))) as server:
            self.assertEqual(exchange(server), whole[:-20])
            self.assertTrue(exchange(server).endswith(b"\r\n\r\nhi"))
            self.assertRaises(ConnectionResetError, exchange, server)

    def test_counts_in_flight_and_hangs_until_released(self):
        with ScriptedServer([hang(), plain_completion(1, 1)]) as server:
            clients = [threading.Thread(target=post, args=(server,)) for _ in range(3)]
            for client in clients:
                client.start()
            server.wait_for(lambda s: s.in_flight == 3)
            server.release()
            for client in clients:
                client.join(5)
            server.wait_for(lambda s: s.in_flight == 0)
            self.assertEqual(server.max_in_flight, 3)

    def test_sees_a_client_leave(self):
        with ScriptedServer(hang()) as server:
            self.assertRaises(TimeoutError, exchange, server, timeout=0.1)
            server.wait_for(lambda s: s.requests and s.requests[0].ended)
            self.assertTrue(server.requests[0].client_left)

    def test_closes_idle_connections(self):
        with ScriptedServer(plain_completion(1, 1), idle_timeout=0.2) as server:
            begin = time.monotonic()
            self.assertTrue(exchange(server).startswith(b"HTTP/1.1 200"))
            self.assertAlmostEqual(time.monotonic() - begin, 0.2, delta=0.15)

    def test_connecting_hangs(self):
        with ScriptedServer(b"", accept=False) as server:
            self.assertRaises(TimeoutError, socket.create_connection,
                              ("127.0.0.1", server.port), 0.3)

    def test_serves_tls_with_its_own_ca(self):
        with tempfile.TemporaryDirectory() as folder:
            made = make_certificate(folder)
            with ScriptedServer(plain_completion(2, 3), tls=made) as server:
                context = ssl.create_default_context(cafile=made.ca)
                self.assertEqual(post(server, context=context)[0], 200)
                self.assertRaises(ssl.SSLCertVerificationError, post, server,
                                  context=ssl.create_default_context())

    def test_a_mistake_in_a_script_is_raised(self):
        with self.assertRaises(ZeroDivisionError):
            with ScriptedServer(lambda request: 1 // 0) as server:
                self.assertEqual(exchange(server), b"")


if __name__ == "__main__":
    unittest.main()
