"""What an answer says: status, JSON, usage, events."""

from fault import Fault
from framing_faults import BODY, BOTH, EVENT_STREAM, EVENTS, HEAD_CHUNKED
from support.answers import *  # noqa: F403
from support.answers import (chunk, close, cut, endless, error, hang, reset, response, split, sse,
                             sse_events)

HTML = {"content_type": "text/html"}
NO_JSON = "the answer is not a JSON object"
NO_FINISH = "the stream ended without finish_reason"
SHORT = ("--timeout", "0.5")
LATE = "no whole answer after 0.5 s"
STREAMED = ("streamed",)


def refused(code, words, *answer, **more):
    return Fault(f"status {code}, {words[0]}", error(code, *answer), f"error:http_{code}",
                 words[1], code, **more)


def page(code, title):
    return refused(code, ("a page of a proxy", f"<h1>{code} {title}</h1>"),
                   f"<html>\r\n<body>\n<h1>{code} {title}</h1></body></html>".encode(), "text/html",
                   how=BOTH)


STATUSES = [
    refused(400, ("vLLM's error object", "scripted 400")),
    refused(401, ("a flat error", "Unauthorized"), {"error": "Unauthorized"}),
    refused(404, ("FastAPI's `detail`", "Not Found"), {"detail": "Not Found"}),
    refused(422, ("an error of older servers", "flat"), {"object": "error", "message": "flat"}),
    refused(429, ("plain text", "slow down, please"), b"slow down,\r\nplease", "text/plain"),
    page(401, "Unauthorized"), page(404, "Not Found"), page(429, "Too Many Requests"),
    page(500, "Internal Server Error"), page(502, "Bad Gateway"),
    page(503, "Service Unavailable"), page(504, "Gateway Time-out"),
    refused(500, ("an empty body", "HTTP status 500 with an empty body"), b""),
    refused(503, ("bytes that are not UTF-8, and control characters", "\ufffd\ufffd [31m \"a\", b"),
            b"\xff\xfe\x00\x1b[31m\x07 \"a\",\r\n\tb"),
    refused(500, ("JSON 30,000 levels deep", "[[[["), b"[" * 30_000 + b"]" * 30_000),
    Fault("status 599", response(b"", 599), "error:http_599", "HTTP status 599 with an empty body",
          599),
    Fault("status 201 with a completion", response(BODY, 201), "error:http_201", '"choices"', 201),
    *[Fault(f"status {code}, a redirect", response(b"", code, headers=b"location: /v1/other\r\n"),
            f"error:http_{code}", f"HTTP status {code} with an empty body", code,
            note="not followed") for code in (301, 302, 307, 308)],
    Fault("an error body without end", [b"HTTP/1.1 500 E\r\n\r\n", endless(b"x" * 1000)],
          "error:http_500", "x" * 300, 500),
    Fault("an error body of 1 GB", [response(b"", 503, length=10**9), endless(b"y" * 5000)],
          "error:http_503", "y" * 300, 503),
    Fault("an error body, cut", [response(b"half", 500, length=100), close()], "error:http_500",
          "half", 500),
    Fault("an error body that stops", [response(b"half", 503, length=100), hang()],
          "error:http_503", "half", 503, flags=SHORT, note="when `--timeout` is over"),
    Fault("an error body compressed by gzip",
          response(b"\x1f\x8b\x08\0", 500, headers=b"content-encoding: gzip\r\n"),
          "error:http_500", "HTTP status 500, the body is compressed (content-encoding: gzip)",
          500),
]


def choice(text):
    return b'{"choices":[{"text":"x","finish_reason":"stop","more":%b}]}' % text


def unusable(path, body, words=NO_JSON, **more):
    return Fault(path, body if isinstance(body, list) else response(body),
                 "error:bad_response", words, **more)


BODIES = [
    unusable("HTML with status 200", [response(b"<html>sign in</html>", **HTML)], how=BOTH),
    unusable("an empty body", b""),
    unusable("an error object with status 200", b'{"error":{"message":"boom"}}', "boom"),
    unusable("an error object with quotes and line ends", b'{"error":"a \\"b\\",\\nc\\u0000;"}',
             'a "b", c ;'),
    unusable("an object without choices", b"{}", "the answer holds no choices"),
    unusable("no choice in it", b'{"choices":[]}', "the answer holds no choices"),
    unusable("an array", b"[1,2]"),
    unusable("cut JSON", BODY[:-9]),
    unusable("something behind the JSON", BODY + b"x"),
    unusable("NaN in it", choice(b"NaN")),
    unusable("100,000 arrays in each other", b"[" * 100_000 + b"]" * 100_000),
    unusable("100,000 objects in each other",
             choice(b'{"a":' * 100_000 + b"1" + b"}" * 100_000)),
    unusable("bytes that are not UTF-8", choice(b'"\xff\xfe"')),
    unusable("UTF-16", BODY.decode().encode("utf-16")),
    unusable("a byte order mark", b"\xef\xbb\xbf" + BODY),
    Fault("a number of a million digits", response(choice(b"1" * 1_000_000)), tokens=None),
    Fault("a string of 15 MiB", response(choice(b'"' + b"x" * (15 << 20) + b'"')), tokens=None),
    unusable("a key of 15 MiB", choice(b'{"' + b"x" * (15 << 20) + b'":1}')),
    Fault("a body of 17 MiB", response(choice(b"1" + b" " * (17 << 20))), "error:too_large",
          "the answer is larger than 16 MiB"),
    Fault("a body without end", [response(b'{"choices":[{"text":"', length=None),
                                 endless(b"x" * 65536)], "error:too_large",
          "the answer is larger than 16 MiB"),
    Fault("a body without end, of empty arrays", [response(b'{"choices":[', length=None),
                                                  endless(b"[]," * 20_000)], "error:too_large",
          "the answer is larger than 16 MiB"),
]


def counted(path, usage, *tokens):
    body = b'{"choices":[{"text":"x","finish_reason":"stop"}]%b}' % usage
    return [Fault(path, response(body), tokens=tokens or None),
            Fault(path, sse([b"data: " + body + b"\n\n"]), tokens=tokens or None, how=STREAMED)]


def both_tokens(value):
    return b',"usage":{"prompt_tokens":%b,"completion_tokens":%b}' % (value, value)


USAGE = [
    *counted("no usage", b""),
    *counted("null", b',"usage":null'),
    *counted("an array", b',"usage":[1,2]'),
    *counted("negative numbers", both_tokens(b"-1")),
    *counted("fractions", both_tokens(b"1.5")),
    *counted("numbers in quotes", both_tokens(b'"5"')),
    *counted("nulls", both_tokens(b"null")),
    *counted("numbers beyond 64 bits", both_tokens(b"99999999999999999999")),
    *counted("zeros", both_tokens(b"0"), "0", "0", None),
    *counted("cached tokens", b',"usage":{"prompt_tokens":7,"completion_tokens":3,'
                              b'"prompt_tokens_details":{"cached_tokens":2}}', "7", "3", "2"),
]


def streamed(path, events, status="ok", words="", **more):
    """events: of a whole stream, or steps behind its head."""
    answer = sse(events) if all(isinstance(each, bytes) for each in events) else events
    return Fault(path, answer, status, words, how=STREAMED, **more)


def as_one(data):
    return split(sse([data]), 7)


ALL = b"".join(EVENTS)
TOKEN = sse_events(1, 2)[1]
DONE = EVENTS[-1]
FAILED = sse_events(21, 8, error_after=3)
IN_TWO_LINES = [event.replace(b',"choices"', b'\ndata: ,"choices"') for event in EVENTS]

STREAMS = [
    Fault("lines that end with CR LF", as_one(ALL.replace(b"\n", b"\r\n")), how=STREAMED),
    Fault("lines that end with CR", as_one(ALL.replace(b"\n", b"\r")), how=STREAMED),
    streamed("`: keep-alive` between the events", [b": keep-alive\n\n" + e for e in EVENTS]),
    streamed("`event:`, `id:` and `retry:` fields",
             [b"event: message\nid: 7\nretry: 10\n" + e for e in EVENTS]),
    streamed("no blank behind `data:`", [e.replace(b"data: ", b"data:") for e in EVENTS]),
    streamed("data in several lines", IN_TWO_LINES),
    streamed("a byte order mark first", [b"\xef\xbb\xbfdata: " + BODY + b"\n\n", DONE]),
    streamed("text that looks like the protocol", [
        e.replace(b" w3", b'\\"error\\": {} \\n\\ndata: [DONE]\\n\\n') for e in EVENTS]),
    streamed("text that looks like the protocol, and no finish_reason", [
        e.replace(b" w3", b'\\"finish_reason\\": \\"stop\\"')
        for e in sse_events(21, 8, finish=False)], "error:stream_error", NO_FINISH),
    Fault("plain JSON in answer to `stream`", response(BODY), how=STREAMED),
    Fault("a stream in answer to a request without `stream`", sse(EVENTS)),
    Fault("another content type", response(ALL, content_type="text/plain"), "error:bad_response",
          NO_JSON, how=STREAMED),
    streamed("no `[DONE]`", EVENTS[:-1]),
    streamed("`[DONE]` twice", [*EVENTS, DONE]),
    streamed("closed behind `[DONE]`, the last chunk missing", cut(sse(EVENTS), -5)),
    streamed("silence behind `[DONE]`, the last chunk missing", cut(sse(EVENTS), -5, hang())),
    streamed("bytes without end behind `[DONE]`",
             [HEAD_CHUNKED, chunk(ALL), endless(chunk(b"x" * 30_000))]),
    streamed("an error event in mid-stream", FAILED, "error:stream_error", "scripted failure"),
    streamed("an error event first", sse_events(21, 8, error_after=0), "error:stream_error",
             "scripted failure"),
    streamed("an error event, then closed", cut(sse(FAILED), -24), "error:stream_error",
             "scripted failure"),
    streamed("an error event, then reset", cut(sse(FAILED), -24, reset()), "error:stream_error",
             "scripted failure"),
    streamed("an error event, then silence", cut(sse(FAILED), -24, hang()), "error:stream_error",
             "scripted failure", flags=SHORT, note="when `--timeout` is over"),
    streamed("no finish_reason", sse_events(21, 8, finish=False), "error:stream_error", NO_FINISH),
    streamed("neither finish_reason nor `[DONE]`", sse_events(21, 8, finish=False, done=False),
             "error:stream_error", NO_FINISH),
    streamed("no event at all", [], "error:stream_error", NO_FINISH),
    streamed("only a comment", [b": hello\n\n"], "error:stream_error", NO_FINISH),
    streamed("an event that is not JSON", [b"data: {nonsense\n\n", DONE], "error:stream_error",
             "an event of the stream is not JSON"),
    streamed("an event of 100,000 arrays in each other",
             [b"data: " + b"[" * 100_000 + b"]" * 100_000 + b"\n\n", DONE], "error:stream_error",
             "an event of the stream is not JSON"),
    streamed("an event that is not UTF-8", [b'data: {"choices":"\xff"}\n\n', DONE],
             "error:stream_error", "an event of the stream is not JSON"),
    streamed("usage missing", sse_events(21, 8, with_usage=False), tokens=None),
    streamed("reset behind finish_reason", cut(sse(EVENTS), -100, reset()), "error:disconnected",
             "Connection reset by peer"),
    streamed("a line without end", [HEAD_CHUNKED, b"40000000\r\ndata: ", endless(b"x" * 65536)],
             "error:too_large", "a line of the event stream is longer than 1 MiB"),
    streamed("an event of lines without end",
             [HEAD_CHUNKED, b"40000000\r\n", endless(b"data: x\n" * 5000)], "error:too_large",
             "a line of the event stream is longer than 1 MiB"),
    streamed("comments without end", [HEAD_CHUNKED, endless(chunk(b": keep-alive\n\n"), 0.01)],
             "error:timeout", LATE, flags=SHORT),
    streamed("tokens without end", [HEAD_CHUNKED, endless(chunk(TOKEN), 0.01)], "error:timeout",
             LATE, flags=SHORT),
    streamed("silence after some tokens", cut(sse(EVENTS), 900, hang()), "error:timeout", LATE,
             flags=SHORT),
]
