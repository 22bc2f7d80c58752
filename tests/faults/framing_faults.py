"""How an answer is put into bytes, and what stands before its body."""

from fault import Fault, number_of
from support.answers import *  # noqa: F403
from support.answers import (HEAD_CHUNKED, answer_bytes, chunk, chunked, close, completion_as_asked,
                             cut, endless, hang, pause, plain_completion, response, split,
                             sse_completion, sse_events)

BOTH = ("plain", "streamed")
PLAIN = answer_bytes(plain_completion(21, 8))
BODY = PLAIN.partition(b"\r\n\r\n")[2]
STREAM = answer_bytes(sse_completion(21, 8))
EVENTS = sse_events(21, 8)
EVENT_STREAM = {"content_type": "text/event-stream"}
OK = b"HTTP/1.1 200 OK\r\n"
NOT_HTTP = "not an HTTP response"


def whole(request):
    return answer_bytes(completion_as_asked(request))


def head_with(*lines, first=b"HTTP/1.1 200 OK"):
    return b"\r\n".join([first, b"content-type: application/json", *lines, b"", b""])


def sized(*lines):
    """A good answer with more lines in its head."""
    return head_with(b"content-length: %d" % len(BODY), *lines) + BODY


PIECES = [
    Fault("each byte in a write of its own", lambda request: split(whole(request), 1), how=BOTH),
    Fault("in two pieces, cut at every byte in turn",
          lambda request: [PLAIN[:number_of(request)], pause(0.002), PLAIN[number_of(request):]],
          bad=len(PLAIN) - 1, at_once=16),
    Fault("in two pieces, cut at every byte in turn",
          lambda request: [STREAM[:number_of(request)], pause(0.002), STREAM[number_of(request):]],
          bad=len(STREAM) - 1, at_once=16, how=("streamed",)),
    Fault("closed after every byte in turn",
          lambda request: cut(PLAIN, number_of(request) + 1), "error:disconnected",
          "connection closed in the middle of the response ", bad=PLAIN.index(b"\r\n\r\n") + 3,
          at_once=8, http=None, note="all bytes of the head but the last"),
    Fault("closed after every byte in turn",
          lambda request: cut(PLAIN, len(PLAIN) - len(BODY) + number_of(request)),
          "error:disconnected", "connection closed in the middle of the response body",
          bad=len(BODY), at_once=8, note="all bytes of the body but the last"),
    Fault("closed after every byte in turn",
          lambda request: cut(STREAM, len(HEAD_CHUNKED) + number_of(request)),
          "error:disconnected", "connection closed in the middle of the response body",
          bad=STREAM.index(b"data: [DONE]") - len(HEAD_CHUNKED), at_once=8, how=("streamed",),
          note="until `[DONE]`"),
    Fault("all events of a stream in one chunk", chunked([b"".join(EVENTS)]), how=("streamed",)),
    Fault("each byte of a stream a chunk",
          chunked([bytes([byte]) for byte in b"".join(EVENTS)]), how=("streamed",)),
]

LENGTHS = [
    Fault("HTTP/1.0, the body ends with the connection",
          [head_with(first=b"HTTP/1.0 200 OK") + BODY, close()]),
    Fault("HTTP/1.1 without a length, the body ends with the connection",
          [response(b"".join(EVENTS), length=None, **EVENT_STREAM), close()], how=("streamed",)),
    Fault("the same, cut", [response(BODY[:-9], length=None), close()], "error:bad_response",
          "the answer is not a JSON object"),
    Fault("the same, cut", [response(b"".join(EVENTS[:4]), length=None, **EVENT_STREAM), close()],
          "error:stream_error", "the stream ended without finish_reason", how=("streamed",)),
    Fault("Content-Length too short", response(BODY, length=len(BODY) - 5), "error:bad_response",
          "the answer is not a JSON object", note="the connection is not used again"),
    Fault("Content-Length too long, then closed", [response(BODY, length=len(BODY) + 5), close()],
          "error:disconnected", "connection closed in the middle of the response body"),
    Fault("Content-Length too long, then silence", [response(BODY, length=len(BODY) + 5), hang()],
          "error:timeout", "no whole answer after 0.5 s", flags=("--timeout", "0.5")),
    Fault("Content-Length negative", head_with(b"content-length: -5"), "error:bad_response",
          f"{NOT_HTTP}: bad Content-Length", None),
    Fault("Content-Length of 25 digits", head_with(b"content-length: " + b"9" * 25),
          "error:bad_response", f"{NOT_HTTP}: bad Content-Length", None),
    Fault("two Content-Lengths that differ", sized(b"content-length: 7"), "error:bad_response",
          f"{NOT_HTTP}: multiple Content-Length", None),
    Fault("Content-Length and Transfer-Encoding", [
        head_with(b"content-length: 5", b"transfer-encoding: chunked"), chunk(BODY), b"0\r\n\r\n"],
          "error:bad_response", f"{NOT_HTTP}: bad Transfer-Encoding", None),
    Fault("status 204 with a body behind it", [b"HTTP/1.1 204 No Content\r\n\r\n" + BODY],
          "error:http_204", "HTTP status 204 with an empty body", 204),
]

CHUNKS = [
    Fault("chunk extensions", [
        head_with(b"transfer-encoding: chunked"),
        b'%x;name="value";flag\r\n%b\r\n0;last\r\n\r\n' % (len(BODY), BODY)]),
    Fault("a chunk extension without end", [HEAD_CHUNKED, b"1;", endless(b"x" * 65536)],
          "error:too_large", "chunk header or trailer larger than 64 KiB"),
    Fault("trailers", chunked(EVENTS, b"x-checksum: 1\r\nserver-timing: total;dur=1\r\n"),
          how=("streamed",)),
    Fault("trailers without end", [head_with(b"transfer-encoding: chunked"), chunk(BODY), b"0\r\n",
                                   endless(b"x-more: " + b"y" * 1000 + b"\r\n")],
          "error:too_large", "chunk header or trailer larger than 64 KiB"),
    Fault("a chunk size that is no number", [HEAD_CHUNKED, b"zz\r\nzz\r\n"], "error:bad_response",
          f"{NOT_HTTP}: bad chunk"),
    Fault("a negative chunk size", [HEAD_CHUNKED, b"-5\r\nhello\r\n"], "error:bad_response",
          f"{NOT_HTTP}: bad chunk"),
    Fault("a chunk size beyond 64 bits", [HEAD_CHUNKED, b"1" + b"0" * 16 + b"\r\nhello\r\n"],
          "error:bad_response", f"{NOT_HTTP}: bad chunk"),
    Fault("a chunk longer than it said", [HEAD_CHUNKED, b"5\r\n" + BODY + b"\r\n"],
          "error:bad_response", f"{NOT_HTTP}: bad chunk"),
]

HEADS = [
    Fault("100 Continue and 103 Early Hints before the answer", [
        b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n",
        sized()]),
    Fault("interim answers without end", endless(b"HTTP/1.1 100 Continue\r\n\r\n" * 100),
          "error:too_large", "response head larger than 64 KiB", None),
    Fault("101, a protocol nobody asked for", [
        b"HTTP/1.1 101 Switching Protocols\r\nupgrade: h2c\r\n\r\n", hang()], "error:http_101",
          "HTTP status 101 with an empty body", 101),
    Fault("a head without end", [OK, endless(b"x-more: " + b"y" * 500 + b"\r\n")],
          "error:too_large", "response head larger than 64 KiB", None),
    Fault("a status line without end", [b"HTTP/1.1 200 ", endless(b"x" * 1000)],
          "error:too_large", "response head larger than 64 KiB", None),
    Fault("a header line without end", [OK + b"x-more: ", endless(b"x" * 1000)],
          "error:too_large", "response head larger than 64 KiB", None),
    Fault("a head of 60 KiB", sized(*[b"x-more: " + b"y" * 1000] * 60)),
    Fault("a NUL in a header", sized(b"x-more: a\0b"), "error:bad_response",
          f"{NOT_HTTP}: bad value", None),
    Fault("control characters in a header", sized(b"x-more: \x1b[31m\x07"), "error:bad_response",
          f"{NOT_HTTP}: bad value", None),
    Fault("bytes beyond ASCII in a header", sized(b"x-more: \xff\xfe\x80")),
    Fault("a header without a colon", sized(b"nonsense"), "error:bad_response",
          f"{NOT_HTTP}: bad field", None),
    Fault("lines that end with LF alone", [sized().replace(b"\r\n", b"\n"), close()],
          "error:disconnected", "connection closed in the middle of the response head", None),
    Fault("a body compressed by gzip, unasked", response(
        b"\x1f\x8b\x08\0\0\0\0\0\0\xff\xab\xae\5\0", headers=b"content-encoding: gzip\r\n"),
          "error:bad_response", "the body is compressed (content-encoding: gzip)"),
    Fault("a stream compressed by gzip, unasked", [
        HEAD_CHUNKED[:-2] + b"content-encoding: gzip\r\n\r\n", chunk(b"\x1f\x8b\x08"), LAST_CHUNK],
          "error:bad_response", "the body is compressed (content-encoding: gzip)",
          how=("streamed",)),
    Fault("SSH's banner", b"SSH-2.0-OpenSSH_9.2\r\n", "error:bad_response", NOT_HTTP, None),
    Fault("a body without a head (HTTP/0.9)", b"<html>hello</html>", "error:bad_response",
          NOT_HTTP, None),
    Fault("HTTP/2: its settings frame", b"\0\0\x12\x04\0\0\0\0\0\0\x03\0\0\0\x80\0\4\0\1\0\0\0\5",
          "error:bad_response", NOT_HTTP, None),
    Fault("HTTP/2: its preface", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "error:bad_response",
          NOT_HTTP, None),
    Fault("a status line of HTTP/2.0", sized().replace(b"HTTP/1.1", b"HTTP/2.0"),
          "error:bad_response", f"{NOT_HTTP}: bad version", None),
    Fault("a TLS alert on a plain connection", b"\x15\x03\x03\x00\x02\x02\x46",
          "error:bad_response", NOT_HTTP, None),
]
