"""What a ScriptedServer can answer: bytes, a Step, or a list of these.

Which answer a request gets: the same one for all; a dict by path ("*": any other);
in_order(a, b, c) by request number, the last for all after it; a function of the Request.
Steps done, the connection is kept for the next request.

    split(plain_completion(21, 8), 1)                      each byte alone
    split(sse_completion(21, 8), 7, 0.01)                  slow bytes
    cut(sse_completion(21, 8), -20)                        closed in mid-body (or reset())
    [response(b"{}", length=None), close()]                close-delimited
    response(b"{}", length=9)                              long Content-Length
    [HEAD_CHUNKED, b"zz\\r\\n"]                              bad chunk
    chunked([b"ab", b"c"], trailers=b"X-A: 1\\r\\n")
    sse(sse_events(21, 8, finish=False))                   no finish_reason (done=False: no [DONE])
    sse(sse_events(21, 8, error_after=3))                  error event, then [DONE]
    [b"HTTP/1.1 200 OK\\r\\n", endless(b"X: y\\r\\n")]         endless head
    error(500, b"x" * 100_000, "text/plain")
    in_order(plain_completion(1, 1), close())              the second request is lost
    repeated(reset(), completion_as_asked)                 each request is lost once
    hang()                                                 until server.release() or the peer's end
"""

import json
import socket
import ssl
import struct
from typing import Callable

HEAD_CHUNKED = (b"HTTP/1.1 200 OK\r\nserver: uvicorn\r\n"
                b"content-type: text/event-stream; charset=utf-8\r\n"
                b"transfer-encoding: chunked\r\n\r\n")
LAST_CHUNK = b"0\r\n\r\n"
MAX_ENDLESS = 64 << 20


class EndOfConnection(Exception):
    """A step ended the connection, or its peer did."""


class Step:
    def __init__(self, run: Callable):
        self.run = run  # run(connection)


# --- steps ---

def pause(seconds):
    return Step(lambda connection: connection.server.closing.wait(seconds))


def half_close():
    return Step(lambda connection: connection.socket.shutdown(socket.SHUT_WR))


def close(tidy=True):
    """tidy=False leaves TLS's close_notify out."""
    def run(connection):
        if tidy and isinstance(connection.socket, ssl.SSLSocket):
            connection.socket.settimeout(1)
            connection.socket.unwrap()
        raise EndOfConnection
    return Step(run)


def reset():
    def run(connection):
        connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        raise EndOfConnection
    return Step(run)


def hang():
    def run(connection):
        while not connection.server.released.wait(0.02):
            if connection.peer_is_gone():
                raise EndOfConnection
    return Step(run)


def endless(data, delay=0.0):
    """Over and over until the peer is gone, 64 MiB at most."""
    def run(connection):
        for _ in range(MAX_ENDLESS // len(data)):
            connection.socket.sendall(data)
            if delay:
                connection.server.closing.wait(delay)
    return Step(run)


def split(answer, every, delay=0.0):
    """The answer's bytes in writes of `every` bytes, its own pauses left out."""
    data = answer_bytes(answer)

    def run(connection):
        for at in range(0, len(data), every):
            connection.socket.sendall(data[at:at + every])
            if delay:
                connection.server.closing.wait(delay)
    return Step(run)


def cut(answer, length, then=None):
    """Its first `length` bytes (negative: all but the last ones), then close() or `then`."""
    return [answer_bytes(answer)[:length], then or close()]


def answer_bytes(answer):
    parts = answer if isinstance(answer, list) else [answer]
    return b"".join(part for part in parts if isinstance(part, bytes))


def in_order(*answers):
    return lambda request: answers[min(request.number, len(answers) - 1)]


def repeated(*answers):
    """By how often a request with this X-Request-Id has come."""
    return lambda request: answers[min(request.attempt, len(answers) - 1)]


# --- whole answers ---

def response(body=b"", status=200, content_type="application/json", length=-1, headers=b""):
    """length: what Content-Length says; None: no such header."""
    length_line = f"content-length: {len(body) if length == -1 else length}\r\n"
    return (f"HTTP/1.1 {status} Status\r\nserver: uvicorn\r\ncontent-type: {content_type}\r\n"
            f"{'' if length is None else length_line}").encode() + headers + b"\r\n" + body


def error(status, body=None, content_type="application/json"):
    """vLLM's error object by default; `body`: bytes, or an object for JSON."""
    if body is None:
        body = {"error": {"message": f"scripted {status}", "type": "Error", "param": None,
                          "code": status}}
    return response(body if isinstance(body, bytes) else compact(body), status, content_type)


def models(ids, max_model_len=4096):
    return response(compact({"object": "list", "data": [
        {"id": name, "object": "model", "owned_by": "vllm", "root": name,
         "max_model_len": max_model_len} for name in ids]}))


def plain_completion(prompt_tokens, completion_tokens, cached=None, chat=True, model="tiny"):
    choice = {"index": 0, "logprobs": None, "finish_reason": "length", "stop_reason": None}
    text = "word " * completion_tokens
    choice |= {"message": {"role": "assistant", "content": text}} if chat else {"text": text}
    return response(compact({
        "id": "chatcmpl-1" if chat else "cmpl-1",
        "object": "chat.completion" if chat else "text_completion", "created": 1795490530,
        "model": model, "choices": [choice],
        "usage": usage(prompt_tokens, completion_tokens, cached), "metrics": None}))


def sse_events(prompt_tokens, completion_tokens, cached=None, chat=True, *, finish=True,
               with_usage=True, done=True, error_after=None, model="tiny"):
    """vLLM 0.32's events. error_after=n: an error event in place of all after n tokens."""
    base = {"id": "chatcmpl-1" if chat else "cmpl-1",
            "object": "chat.completion.chunk" if chat else "text_completion",
            "created": 1795490530, "model": model}

    def event(choices, **more):
        return b"data: " + compact(base | {"choices": choices} | more) + b"\n\n"

    def choice(text, reason=None, **delta):
        content = {"delta": delta | {"content": text}} if chat else {"text": text}
        return {"index": 0} | content | {"logprobs": None, "finish_reason": reason,
                                         "stop_reason": None}

    events = [event([choice("", role="assistant")])] if chat else []
    for n in range(completion_tokens if error_after is None else error_after):
        last = finish and n == completion_tokens - 1
        events.append(event([choice(f" w{n}", "length" if last else None)]))
    if error_after is not None:
        failure = {"error": {"message": "scripted failure", "type": "InternalServerError",
                             "param": None, "code": 500}}
        events.append(b"data: " + compact(failure) + b"\n\n")
    elif with_usage:
        events.append(event([], usage=usage(prompt_tokens, completion_tokens, cached)))
    return events + ([b"data: [DONE]\n\n"] if done else [])


def sse(events, delay=0.0):
    """Each event a chunk, with a pause before each but the first."""
    steps = [HEAD_CHUNKED]
    for n, event in enumerate(events):
        steps += ([pause(delay)] if delay and n else []) + [chunk(event)]
    return steps + [LAST_CHUNK]


def sse_completion(prompt_tokens, completion_tokens, cached=None, chat=True, delay=0.0):
    return sse(sse_events(prompt_tokens, completion_tokens, cached, chat), delay)


def chunked(parts, trailers=b""):
    return [HEAD_CHUNKED, *map(chunk, parts), b"0\r\n" + trailers + b"\r\n"]


def chunk(data):
    return b"%x\r\n%b\r\n" % (len(data), data)


def usage(prompt_tokens, completion_tokens, cached=None):
    details = None if cached is None else {"cached_tokens": cached}
    return {"prompt_tokens": prompt_tokens, "total_tokens": prompt_tokens + completion_tokens,
            "completion_tokens": completion_tokens, "prompt_tokens_details": details}


def compact(value):
    return json.dumps(value, separators=(",", ":")).encode()


def completion_as_asked(request):
    """What a server would do with it: streamed or not, as many tokens as asked for."""
    asked = request.json
    kind = sse_completion if asked.get("stream") else plain_completion
    return kind(21, asked.get("max_tokens", 16), chat="/chat/" in request.path)
