"""What the demo asks a server, and checks of its answers; the other side is `http.client`, or a bare socket."""

from __future__ import annotations

import contextlib
import hashlib
import socket
from collections.abc import Callable, Generator
from http.client import HTTPConnection, HTTPResponse
from typing import TypeAlias

from .http import BIG_SIZE, MAX_HEAD, big_body

Address: TypeAlias = tuple[str, int]

GREETING = b"Hello from termsplit.\n"
_TIMEOUT = 30.0
_POSTED = bytes(range(256)) * 400
_REQUEST = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
_LAST_REQUEST = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


class WrongAnswer(Exception):
    """The server's answer is not the one that was due."""


def get(address: Address) -> str:
    with _http(address) as connection:
        connection.request("GET", "/")
        return _checked(connection.getresponse(), GREETING)


def post(address: Address) -> str:
    with _http(address) as connection:
        connection.request("POST", "/", _POSTED)
        return _checked(connection.getresponse(), _receipt(_POSTED))


def post_nothing(address: Address) -> str:
    with _http(address) as connection:
        connection.request("POST", "/", headers={"Content-Length": "0"})
        came_back = _checked(connection.getresponse(), _receipt(b""))
        # The next request on the same connection shows that the empty body was its end.
        connection.request("GET", "/")
        _checked(connection.getresponse(), GREETING)
        return came_back


def pipelined(address: Address) -> str:
    with socket.create_connection(address, _TIMEOUT) as peer:
        peer.sendall(_REQUEST + _LAST_REQUEST)
        return _checked_greetings(peer, 2)


def byte_by_byte(address: Address) -> str:
    with socket.create_connection(address, _TIMEOUT) as peer:
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in _LAST_REQUEST:
            peer.sendall(bytes([byte]))
        return _checked_greetings(peer, 1)


def big(address: Address) -> str:
    expected = hashlib.sha256()
    for piece in big_body():
        expected.update(piece)
    with _http(address) as connection:
        connection.request("GET", "/big")
        response = connection.getresponse()
        _check(response.status == 200, f"status {response.status}")
        size, digest = 0, hashlib.sha256()
        while piece := response.read(1 << 20):
            size += len(piece)
            digest.update(piece)
    _check(size == BIG_SIZE, f"{size} bytes")
    _check(digest.digest() == expected.digest(), "other bytes")
    return f"200, {size:,} bytes"


def head_too_long(address: Address) -> str:
    with _http(address) as connection:
        connection.request("GET", "/", headers={"X-Long": "x" * MAX_HEAD})
        response = connection.getresponse()
        response.read()
        _check(response.status == 431, f"status {response.status}")
        return f"{response.status}, end"


EXCHANGES: dict[str, Callable[[Address], str]] = {
    "GET": get,
    f"POST of {len(_POSTED) // 1024} KiB": post,
    "POST of nothing": post_nothing,
    "two, pipelined": pipelined,
    "GET, byte by byte": byte_by_byte,
    f"{BIG_SIZE // 1_000_000} MB by a producer": big,
    f"head above {MAX_HEAD // 1024} KiB": head_too_long,
}
"""By what is asked: what asks it, and tells what came back."""


@contextlib.contextmanager
def _http(address: Address) -> Generator[HTTPConnection]:
    with contextlib.closing(HTTPConnection(*address, timeout=_TIMEOUT)) as connection:
        yield connection


def _receipt(body: bytes) -> bytes:
    return f"{len(body)} {hashlib.sha256(body).hexdigest()}\n".encode()


def _checked(response: HTTPResponse, expected: bytes) -> str:
    body = response.read()
    _check(response.status == 200, f"status {response.status}")
    _check(body == expected, repr(body))
    text = body.decode().strip()
    return f"200, {text[:17]}…"


def _checked_greetings(peer: socket.socket, count: int) -> str:
    answers = b"".join(iter(lambda: peer.recv(65536), b""))
    _check(answers.count(b"HTTP/1.1 200 OK\r\n") == count, repr(answers))
    _check(answers.count(b"\r\n\r\n" + GREETING) == count, repr(answers))
    return "200, " * count + "end"


def _check(condition: bool, got: str) -> None:
    if not condition:
        raise WrongAnswer(f"got {got}")
