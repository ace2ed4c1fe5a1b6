"""The protocol of the demo: the HTTP request handler of asynchat's documentation, made whole.

Written once, as callbacks; every backend runs this class unchanged.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from http import HTTPStatus
from http.client import HTTPException, parse_headers

from termsplit import Chat, Limited, RecordTooLong

MAX_HEAD = 16 * 1024
MAX_BODY = 10 * 1024 * 1024
BIG_SIZE = 50_000_000

_BIG_PIECE = bytes(range(250)) * 200


class HTTPRequestHandler(Chat):
    """Reads a head up to the blank line, then a body counted by its Content-Length, and answers.

    ``GET /`` greets, ``GET /big`` is answered by a producer of `BIG_SIZE` bytes, ``POST`` with the size and the
    SHA-256 of what was posted.
    """

    def __init__(self) -> None:
        super().__init__()
        self.pieces: list[bytes] = []
        self.expect_head()

    def expect_head(self) -> None:
        self.reading_head = True
        self.set_terminator(Limited(b"\r\n\r\n", MAX_HEAD))

    def collect_incoming_data(self, data: bytes) -> None:
        self.pieces.append(data)

    def found_terminator(self) -> None:
        record = b"".join(self.pieces)
        self.pieces.clear()
        if self.reading_head:
            self.handle_head(record)
        else:
            self.expect_head()
            self.answer(record)

    def record_too_long(self, error: RecordTooLong) -> None:
        self.refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)

    def handle_head(self, head: bytes) -> None:
        """Take note of what is asked for, and wait for the body."""
        request_line, _, lines = head.partition(b"\r\n")
        try:
            self.method, self.target, version = request_line.decode("ascii").split(" ")
            fields = parse_headers(io.BytesIO(lines + b"\r\n\r\n"))
            size = int(fields.get("Content-Length", "0"))
            if size < 0 or not version.startswith("HTTP/1."):
                raise ValueError(f"size {size}, version {version}")
        except (ValueError, HTTPException):
            self.refuse(HTTPStatus.BAD_REQUEST)
            return
        if "Transfer-Encoding" in fields:
            self.refuse(HTTPStatus.NOT_IMPLEMENTED)
        elif size > MAX_BODY:
            self.refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        else:
            wish = fields.get("Connection", "keep-alive" if version == "HTTP/1.1" else "close")
            self.keep_alive = wish.lower() == "keep-alive"
            self.reading_head = False
            self.set_terminator(size)

    def answer(self, body: bytes) -> None:
        if self.method == "POST":
            self.respond(f"{len(body)} {hashlib.sha256(body).hexdigest()}\n".encode())
        elif self.method != "GET":
            self.refuse(HTTPStatus.NOT_IMPLEMENTED)
        elif self.target == "/big":
            self.push_head(BIG_SIZE, HTTPStatus.OK)
            self.push_producer(big_body())
            if not self.keep_alive:
                self.close_when_done()
        elif self.target == "/":
            self.respond(b"Hello from termsplit.\n")
        else:
            self.respond(b"There is no such page.\n", status=HTTPStatus.NOT_FOUND)

    def refuse(self, status: HTTPStatus) -> None:
        """Answer, and read no further: where the next request begins can't be known."""
        self.keep_alive = False
        self.respond(f"{status.value} {status.phrase}\n".encode(), status=status)

    def respond(self, body: bytes, status: HTTPStatus = HTTPStatus.OK) -> None:
        self.push_head(len(body), status)
        self.push(body)
        if not self.keep_alive:
            self.close_when_done()

    def push_head(self, size: int, status: HTTPStatus) -> None:
        connection = "keep-alive" if self.keep_alive else "close"
        self.push(
            f"HTTP/1.1 {status.value} {status.phrase}\r\n"
            f"Content-Length: {size}\r\n"
            f"Connection: {connection}\r\n\r\n".encode("ascii")
        )


def big_body() -> Iterator[bytes]:
    """`BIG_SIZE` bytes, a piece at a time."""
    for _ in range(BIG_SIZE // len(_BIG_PIECE)):
        yield _BIG_PIECE
