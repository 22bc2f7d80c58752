"""What becomes of connections: slow, silent, lost, refused, exhausted, TLS."""

import contextlib
import functools
import shutil
import socket
import ssl
import subprocess
import sys
import threading
import time
from pathlib import Path

from content_faults import LATE, SHORT
from fault import Fault, Stage, scripted
from framing_faults import BOTH, EVENTS, OK, PLAIN, STREAM, whole
from support.answers import *  # noqa: F403
from support.answers import (close, completion_as_asked, cut, endless, error, half_close, hang,
                             pause, plain_completion, repeated, reset, response, split, sse)
from support.certificates import make_certificate
from support.run_tool import is_sanitized
from support.scripted_server import ScriptedServer

GOING = [half_close(), pause(1), close()]  # closing at once resets what was not read
FEW = str(Path(__file__).with_name("few_resources.py"))


def server(**options):
    return functools.partial(scripted, **options)


@contextlib.contextmanager
def nobody(answers, folder):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    yield Stage(f"http://127.0.0.1:{port}")


def address(url, *flags):
    return lambda answers, folder: contextlib.nullcontext(Stage(url, flags))


SLOW = [
    Fault("no byte of an answer", hang(), "error:timeout", LATE, None, how=BOTH, flags=SHORT),
    Fault("silence in the status line", [b"HTTP/1.1 20", hang()], "error:timeout", LATE, None,
          flags=SHORT),
    Fault("silence in the head", cut(PLAIN, 60, hang()), "error:timeout", LATE, None, flags=SHORT),
    Fault("silence in the body", cut(PLAIN, -20, hang()), "error:timeout", LATE, flags=SHORT),
    Fault("a byte now and then, from the first on", lambda request: split(whole(request), 1, 0.1),
          "error:timeout", LATE, None, how=BOTH, flags=SHORT),
    Fault("a byte now and then, in the body",
          [PLAIN[:200], split(PLAIN[200:], 1, 0.1)], "error:timeout", LATE, flags=SHORT),
    Fault("a byte now and then, in an event",
          [STREAM[:900], split(STREAM[900:], 1, 0.1)], "error:timeout", LATE, how=("streamed",),
          flags=SHORT),
]

LOST = [
    Fault("closed without a byte", close(), "error:disconnected",
          "connection closed without an answer", None, how=BOTH),
    Fault("half closed without a byte", half_close(), "error:disconnected",
          "connection closed without an answer", None),
    Fault("reset without a byte", reset(), "error:disconnected", "Connection reset by peer", None),
    Fault("reset in the head", cut(PLAIN, 60, reset()), "error:disconnected",
          "Connection reset by peer", None),
    Fault("reset in the body", [PLAIN[:-20], pause(0.1), reset()], "error:disconnected",
          "Connection reset by peer"),
    Fault("reset in a stream", [STREAM[:900], pause(0.1), reset()], "error:disconnected",
          "Connection reset by peer", how=("streamed",)),
]

ONCE_MORE = {"connections_opened": 2, "repeats": 1}
ONE_BY_ONE = {"at_once": 1}  # so that bad0 finds the connection of good1
KEPT = [
    Fault("closed after each answer, announced",
          [response(PLAIN.partition(b"\r\n\r\n")[2], headers=b"connection: close\r\n"), close()],
          bad=5, account={"connections_opened": 6, "repeats": 0}, **ONE_BY_ONE),
    Fault("closed after each answer, unannounced", lambda request: [whole(request), close()],
          how=BOTH, bad=8, **ONE_BY_ONE),
    Fault("a kept connection closed under the request", repeated(close(), completion_as_asked),
          how=BOTH, account=ONCE_MORE, note="sent once more, on a new connection", **ONE_BY_ONE),
    Fault("a kept connection reset under the request", repeated(reset(), completion_as_asked),
          how=BOTH, account=ONCE_MORE, note="sent once more, on a new connection", **ONE_BY_ONE),
    Fault("the same, and the new connection too", repeated(reset(), reset(), completion_as_asked),
          "error:disconnected", "Connection reset by peer", None, note="sent no third time",
          account={"connections_opened": 3, "repeats": 1}, **ONE_BY_ONE),
    Fault("a kept connection closed after a byte of the answer",
          repeated([b"H", close()], completion_as_asked), "error:disconnected",
          "connection closed in the middle of the response head", None, note="not sent again",
          account={"repeats": 0}, **ONE_BY_ONE),
    Fault("a kept connection closed a second after the request",
          repeated([pause(1.2), close()], completion_as_asked), "error:disconnected",
          "connection closed without an answer", None, note="not sent again: the server had it",
          account={"repeats": 0}, **ONE_BY_ONE),
    Fault("a new connection closed under the request", repeated(close(), completion_as_asked),
          "error:disconnected", "connection closed without an answer", None, note="not sent again",
          account={"repeats": 0}, at_once=5),
    Fault("surplus bytes right behind an answer", PLAIN + b"surplus", bad=3, **ONE_BY_ONE,
          account={"connections_opened": 4, "repeats": 0},
          note="the connection is not used again"),
    Fault("a second answer right behind the first", PLAIN + PLAIN, **ONE_BY_ONE,
          account={"connections_opened": 2, "repeats": 0},
          note="the connection is not used again"),
    Fault("bytes without a request on an idle connection",
          [PLAIN, pause(0.1), b"HTTP/1.1 408 Request Timeout\r\n\r\n"], at_once=(1, 2, 3),
          flags=("--group-pause-s", "0.5"), account={"repeats": 0},
          note="the connection is not used again"),
]


@contextlib.contextmanager
def restarted(answers, folder):
    """Gone once the first group has its rows; back once the second has."""
    trace, over = folder / "trace.csv", threading.Event()

    def rows():
        return trace.read_text().count("\n") - 1 if trace.exists() else 0

    def wait_for_rows(count):
        while rows() < count and not over.wait(0.01):
            pass

    first = ScriptedServer(answers)

    def restart():
        wait_for_rows(1)
        first.stop()
        wait_for_rows(3)
        with ScriptedServer(answers, port=first.port):
            over.wait(60)

    operator = threading.Thread(target=restart)
    operator.start()
    try:
        yield Stage(first.url)
    finally:
        over.set()
        operator.join(10)
        first.stop()


def no_namespace():
    if shutil.which("unshare") is None or subprocess.run(
            ["unshare", "-rn", "true"], capture_output=True, timeout=20).returncode != 0:
        return "no network namespace of one's own here"
    return None


def no_descriptors_to_check_with():
    return "UBSan looks at memory through a pipe" if is_sanitized() else None


def few(kind):
    """The tool with little of it: few_resources.py has the server, where it needs one."""
    @contextlib.contextmanager
    def stage(answers, folder):
        if kind == "ports":
            yield Stage("http://127.0.0.1:41000",
                        prefix=("unshare", "-rn", sys.executable, FEW, kind))
        else:
            with ScriptedServer(answers) as running:
                yield Stage(running.url, prefix=(sys.executable, FEW, kind))
    return stage


@contextlib.contextmanager
def deaf(answers, folder):
    """Takes connections and reads nothing of them."""
    with ScriptedServer(answers, on_connect=hang()) as running:
        yield Stage(running.url)


CONNECTING = [
    Fault("connection refused", None, "error:connect", "Connection refused", None, harmed="all",
          how=BOTH, stage=nobody),
    Fault("no such name", None, "error:dns", "Host not found", None, harmed="all",
          stage=address("http://" + 64 * "x" + ":8000")),
    Fault("a full accept queue", None, "error:connect", "not connected after 0.5 s", None,
          harmed="all", stage=server(accept=False), flags=("--connect-timeout", "0.5")),
    Fault("a full accept queue", None, "error:timeout", LATE, None, harmed="all",
          stage=server(accept=False), flags=SHORT, note="`--timeout` counts from a request's turn"),
    Fault("accepted, and nothing read of a request of 4 MB", None, "error:timeout", LATE, None,
          harmed="all", stage=deaf, flags=SHORT, prompt="x" * (4 << 20)),
    Fault("answered 413 before a request of 4 MB was read, then closed", None, "error:http_413",
          "scripted 413", 413, harmed="all", stage=server(on_connect=[error(413), *GOING]),
          prompt="x" * (4 << 20)),
    Fault("the server is started anew in mid-run", None, "error:connect", "Connection refused",
          None, stage=restarted, bad=2, at_once=(1, 2, 3), flags=("--group-pause-s", "0.7")),
    Fault("no local port is left", None, "error:connect", "Cannot assign requested address", None,
          harmed="some", bad=12, at_once=16, stage=few("ports"), absent=no_namespace),
    Fault("descriptors run out", None, "error:connect", "Too many open files", None,
          harmed="some", bad=12, at_once=16, stage=few("descriptors"),
          absent=no_descriptors_to_check_with),
    Fault("a limit of descriptors below what the load needs", None, words="raise `ulimit -n`",
          harmed="all", exit=3, stage=few("limit"), note="refused before the first request"),
]


def tls(flags=("CA",), url="https://127.0.0.1:PORT", version=None, **certificate):
    """A TLS server; in flags, CA is its certificate authority's file."""
    @contextlib.contextmanager
    def stage(answers, folder):
        made = make_certificate(folder, **certificate)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(made.certificate, made.key)
        if version:
            context.set_ciphers("ALL:@SECLEVEL=0")
            context.minimum_version = context.maximum_version = version
        given = ("--ca-file", made.ca) if flags == ("CA",) else flags
        with ScriptedServer(answers, tls=context) as running:
            yield Stage(url.replace("PORT", str(running.port)), given)
    return stage


def tls_fault(path, words, **more):
    return Fault(path, None, "error:tls", words, None, harmed="all", **more)


def plain_port(answer):
    @contextlib.contextmanager
    def stage(answers, folder):
        with ScriptedServer(answers, on_connect=answer) as running:
            yield Stage(running.url.replace("http:", "https:"))
    return stage


TLS = [
    Fault("a certificate of a known authority", completion_as_asked, how=BOTH, stage=tls()),
    tls_fault("a certificate of an unknown authority", "unable to get local issuer certificate",
              stage=tls(flags=())),
    tls_fault("an expired certificate", "certificate has expired", stage=tls(days=-1)),
    tls_fault("a certificate for another host", "hostname mismatch",
              stage=tls(url="https://localhost:PORT")),
    tls_fault("a certificate for another address", "IP address mismatch",
              stage=tls(host="127.0.0.2")),
    tls_fault("TLS 1.1", "tlsv1 alert protocol version", stage=tls(version=ssl.TLSVersion.TLSv1_1)),
    Fault("a certificate for a host's name", completion_as_asked,
          stage=tls(url="https://localhost:PORT", host="localhost")),
    Fault("TLS 1.2", completion_as_asked, stage=tls(version=ssl.TLSVersion.TLSv1_2)),
    Fault("any certificate, with `--insecure`", completion_as_asked,
          stage=tls(flags=("--insecure",), url="https://localhost:PORT", days=-1)),
    tls_fault("a plain server, which answers 400", "wrong version number",
              stage=plain_port([error(400), *GOING])),
    tls_fault("a plain server, which closes", "stream truncated", stage=plain_port(GOING)),
    Fault("a plain server, which waits", None, "error:connect", "not connected after 0.5 s", None,
          harmed="all", stage=plain_port(hang()), flags=("--connect-timeout", "0.5")),
    Fault("plain HTTP to a TLS server", None, "error:disconnected", "", None, harmed="all",
          stage=tls(flags=(), url="http://127.0.0.1:PORT")),
    Fault("closed without TLS's goodbye, behind a whole answer",
          lambda request: [whole(request), close(tidy=False)], how=BOTH, stage=tls(), bad=4),
    Fault("closed without TLS's goodbye, in the body", cut(PLAIN, -20, close(tidy=False)),
          "error:disconnected", "connection closed in the middle of the response body",
          stage=tls()),
    Fault("closed without TLS's goodbye, in a body without a length",
          [response(b"".join(EVENTS[:5]), length=None, content_type="text/event-stream"),
           close(tidy=False)], "error:stream_error", "the stream ended without finish_reason",
          how=("streamed",), stage=tls()),
    Fault("reset in a TLS body", [PLAIN[:-20], pause(0.1), reset()], "error:disconnected",
          "Connection reset by peer", stage=tls()),
]
