"""A raw-bytes HTTP server that answers as a test's script says.

    with ScriptedServer({"/v1/models": models(["tiny"]),
                         "/v1/chat/completions": plain_completion(21, 8)}) as server:
        run_tool("request_runner", workload, "-o", out, "--base-url", server.url + "/v1")
        server.requests[0].json["max_tokens"], server.max_in_flight

What answers can be: answers.py. Certificates for tls=: certificates.py.
"""

import collections
import json
import select
import socket
import ssl
import sys
import threading
import time
from dataclasses import dataclass, field

from support.answers import *  # noqa: F403: a test imports both from here
from support.answers import (EndOfConnection, Step, completion_as_asked, error, models)

MAX_REQUEST = 128 << 20


@dataclass
class Request:
    number: int  # of all requests, from 0
    connection: int  # its connection's number, from 0
    arrived: float  # time.monotonic() when it had been read whole
    method: str
    path: str  # with its query
    headers: dict  # names in lower case
    body: bytes
    head: bytes = field(repr=False)
    attempt: int = 0  # how many with this X-Request-Id came before
    ended: float | None = None  # when its answer's steps were done
    client_left: bool = False  # the peer was gone before that

    @property
    def json(self):
        return json.loads(self.body)


class ScriptedServer:
    """on_connect: an answer (see above, the connection's number in .number) carried out before
    anything is read. accept=False: connecting hangs. idle_timeout: seconds until a connection
    without a request is closed. tls: a certificate, or an SSLContext. Everything ends after
    `lifetime` seconds at the latest."""

    def __init__(self, answers, *, on_connect=None, accept=True, idle_timeout=None, tls=None,
                 port=0, lifetime=120.0):
        self.answers, self.on_connect, self.idle_timeout = answers, on_connect, idle_timeout
        self.requests: list[Request] = []
        self._attempts = collections.Counter()
        self.connections = self.in_flight = self.max_in_flight = 0
        self.closing, self.released = threading.Event(), threading.Event()
        self._lock, self._changed = threading.Lock(), threading.Condition()
        self._open: list[tuple[threading.Thread, Connection]] = []
        self._failures: list[BaseException] = []
        self._deadline = time.monotonic() + lifetime
        self._tls = None
        if isinstance(tls, ssl.SSLContext):
            self._tls = tls
        elif tls:
            self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._tls.load_cert_chain(tls.certificate, tls.key)
        self._listener = socket.create_server(("127.0.0.1", port), backlog=1024 if accept else 0)
        self.port = self._listener.getsockname()[1]
        self.url = f"http{'s' if tls else ''}://127.0.0.1:{self.port}"
        self._fillers = [] if accept else self._fill_backlog()
        self._acceptor = threading.Thread(target=self._accept, daemon=True)
        if accept:
            self._acceptor.start()

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        self.stop()
        if self._failures and kind is None:
            raise self._failures[0]

    def release(self):
        """Ends every hang(), also those to come."""
        self.released.set()

    def stop(self):
        self.closing.set()
        self.released.set()
        for filler in self._fillers:
            filler.close()
        if self._acceptor.is_alive():
            self._acceptor.join(5)
        self._listener.close()
        for thread, connection in self._open:
            connection.abort()
            thread.join(5)

    def wait_for(self, condition, timeout=10.0):
        """Until condition(server) holds, looked at after each request's arrival and end."""
        with self._changed:
            if not self._changed.wait_for(lambda: condition(self), timeout):
                raise AssertionError(f"not within {timeout} s; requests: {self.requests}")

    def answer_for(self, request):
        answer = self.answers
        while not isinstance(answer, (bytes, Step, list)):
            if isinstance(answer, dict):
                path = request.path.split("?")[0]
                answer = answer.get(path, answer.get("*", error(404)))
            else:
                answer = answer(request)
        return answer

    def note(self, request, begins):
        with self._changed:
            if begins:
                request.number = len(self.requests)
                name = request.headers.get("x-request-id")
                request.attempt = self._attempts[name]
                self._attempts[name] += 1
                self.requests.append(request)
            else:
                request.ended = time.monotonic()
            self.in_flight += 1 if begins else -1
            self.max_in_flight = max(self.max_in_flight, self.in_flight)
            self._changed.notify_all()

    def _fill_backlog(self):
        fillers = []
        while len(fillers) < 16:
            filler = socket.socket()
            filler.settimeout(0.2)
            fillers.append(filler)
            try:
                filler.connect(("127.0.0.1", self.port))
            except TimeoutError:
                return fillers
        raise RuntimeError("the backlog does not fill up")

    def _accept(self):
        self._listener.settimeout(0.05)
        while not self.closing.is_set() and time.monotonic() < self._deadline:
            try:
                accepted, _ = self._listener.accept()
            except TimeoutError:
                continue
            accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection = Connection(self, accepted, self.connections)
            self.connections += 1
            thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
            self._open = [pair for pair in self._open if pair[0].is_alive()]
            self._open.append((thread, connection))
            thread.start()

    def _serve(self, connection):
        try:
            connection.socket.settimeout(max(0.1, self._deadline - time.monotonic()))
            if self._tls:
                connection.socket = self._tls.wrap_socket(connection.socket, server_side=True)
            connection.serve()
        except (EndOfConnection, OSError):  # ssl.SSLError is an OSError
            pass
        except BaseException as problem:  # a script's own mistake: the test hears of it
            self._failures.append(problem)
        finally:
            connection.socket.close()


class Connection:
    def __init__(self, server, accepted, number):
        self.server, self.socket, self.number = server, accepted, number
        self._read = bytearray()

    def serve(self):
        if self.server.on_connect is not None:
            answer = self.server.on_connect
            self.perform(answer(self) if callable(answer) else answer)
        while not self.server.closing.is_set():
            request = self.read_request()
            self.server.note(request, begins=True)
            try:
                self.perform(self.server.answer_for(request))
            finally:
                request.client_left = self.peer_is_gone()
                self.server.note(request, begins=False)

    def perform(self, answer):
        for step in answer if isinstance(answer, list) else [answer]:
            if isinstance(step, bytes):
                self.socket.sendall(step)
            else:
                step.run(self)

    def read_request(self):
        if self.server.idle_timeout is not None and not self._read:
            if not self._is_readable(self.server.idle_timeout):
                raise EndOfConnection
        while (end := self._read.find(b"\r\n\r\n")) < 0:
            self._receive()
        head = bytes(self._read[:end])
        lines = head.decode("latin-1").split("\r\n")
        method, path, _ = lines[0].split(" ", 2)
        headers = {name.lower(): value.strip()
                   for name, _, value in (line.partition(":") for line in lines[1:])}
        total = end + 4 + int(headers.get("content-length", 0))
        while len(self._read) < total:
            self._receive()
        body = bytes(self._read[end + 4:total])
        del self._read[:total]
        return Request(-1, self.number, time.monotonic(), method, path, headers, body, head)

    def _receive(self):
        data = self.socket.recv(1 << 18)
        if not data or len(self._read) > MAX_REQUEST:
            raise EndOfConnection
        self._read += data

    def peer_is_gone(self):
        if self.socket.fileno() < 0 or isinstance(self.socket, ssl.SSLSocket):
            return self.socket.fileno() < 0
        try:  # a socket with a time-out waits in recv whatever its flags say
            return self._is_readable(0) and self.socket.recv(1, socket.MSG_PEEK) == b""
        except OSError:
            return True

    def _is_readable(self, seconds):
        poll = select.poll()
        poll.register(self.socket, select.POLLIN)
        return bool(poll.poll(seconds * 1000))

    def abort(self):
        try:
            self.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


DEFAULT_ANSWERS = {"/v1/models": models(["tiny"]), "*": completion_as_asked}


if __name__ == "__main__":  # python3 -m support.scripted_server ['cut(sse_completion(9, 9), 400)']
    with ScriptedServer(eval(sys.argv[1]) if len(sys.argv) > 1 else DEFAULT_ANSWERS,
                        lifetime=3600) as running:
        print(running.url, flush=True)
        try:
            running.closing.wait(3600)
        except KeyboardInterrupt:
            pass
