"""The demo's protocol, fed with bytes."""

from __future__ import annotations

import hashlib

import pytest

from termsplit._cli.http import BIG_SIZE, MAX_BODY, MAX_HEAD, HTTPRequestHandler


def answers(*chunks: bytes) -> bytes:
    handler = HTTPRequestHandler()
    sent = bytearray()
    for chunk in chunks:
        handler.feed(chunk)
        while data := handler.connection.data_to_send():
            sent += data
            handler.connection.data_sent(len(data))
    return bytes(sent)


GET = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
GREETING = b"Hello from termsplit.\n"


def test_get() -> None:
    head, _, body = answers(GET).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK\r\nContent-Length: 22\r\n")
    assert body == GREETING


def test_the_cut_does_not_matter() -> None:
    post = b"POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello"
    data = GET + post + GET
    whole = answers(data)
    assert whole.count(GREETING) == 2
    assert f"5 {hashlib.sha256(b'hello').hexdigest()}\n".encode() in whole
    assert answers(*[data[i : i + 1] for i in range(len(data))]) == whole
    for cut in range(len(data)):
        assert answers(data[:cut], data[cut:]) == whole


def test_an_empty_body_is_no_body() -> None:
    post = b"POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n"
    assert b"0 " + hashlib.sha256(b"").hexdigest().encode() in answers(post)
    assert answers(post + GET).count(b"HTTP/1.1 200 OK") == 2


def test_the_large_answer_comes_from_a_producer() -> None:
    handler = HTTPRequestHandler()
    handler.feed(b"GET /big HTTP/1.1\r\nConnection: close\r\n\r\n")
    assert handler.connection.buffered < 1000
    size = 0
    while data := handler.connection.data_to_send():
        size += len(data)
        handler.connection.data_sent(len(data))
    assert size > BIG_SIZE
    assert handler.connection.must_close


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"GET /nowhere HTTP/1.1\r\n\r\n", b"404"),
        (b"PUT / HTTP/1.1\r\n\r\n", b"501"),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", b"501"),
        (b"nonsense\r\n\r\n", b"400"),
        (b"GET / SPDY/1\r\n\r\n", b"400"),
        (b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", b"400"),
        (b"POST / HTTP/1.1\r\nContent-Length: many\r\n\r\n", b"400"),
        (b"POST / HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % (MAX_BODY + 1), b"413"),
    ],
)
def test_what_it_will_not_serve(request_: bytes, status: bytes) -> None:
    assert answers(request_).startswith(b"HTTP/1.1 " + status)


def test_a_head_too_long_is_refused_at_once_and_nothing_behind_it_is_served() -> None:
    answer = answers(b"GET / HTTP/1.1\r\nX: " + b"x" * MAX_HEAD, b"\r\n\r\n" + GET)
    assert answer.startswith(b"HTTP/1.1 431 ")
    assert answer.count(b"HTTP/1.1 ") == 1


def test_nothing_is_served_after_connection_close() -> None:
    last = b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n"
    assert answers(last + GET).count(b"HTTP/1.1 ") == 1
