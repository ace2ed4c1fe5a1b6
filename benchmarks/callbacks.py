"""One program written for asynchat, run on asynchat itself and on what takes its place."""

from __future__ import annotations

from typing import Any

from .workloads import Collect, Stream, body_size


def program(base: type[Any], stream: Stream, collect: Collect) -> type[Any]:
    """The application: a subclass of ``base``, which has asynchat's verbs.

    It keeps what it has to look at, and what the check wants to see; other data is dropped at once.
    """
    terminator = stream.terminator

    class Lines(base):  # type: ignore[misc]
        def collect_incoming_data(self, data: bytes) -> None:
            if collect:
                self.pieces.append(data)

        def found_terminator(self) -> None:
            if collect:
                collect(b"".join(self.pieces))
                self.pieces.clear()

    class Counted(base):  # type: ignore[misc]
        """Two records a message, of which the first says how long the second is."""

        prefix: Any = terminator if stream.framing == "http" else 4
        in_body = False

        def collect_incoming_data(self, data: bytes) -> None:
            if collect or not self.in_body:
                self.pieces.append(data)

        def found_terminator(self) -> None:
            if self.in_body:
                self.in_body = False
                self.set_terminator(self.prefix)
                if collect:
                    collect(b"".join(self.pieces))
                    self.pieces.clear()
                return
            head = b"".join(self.pieces)
            self.pieces.clear()
            self.in_body = True
            if self.prefix == 4:
                self.set_terminator(int.from_bytes(head, "big"))
            else:
                self.set_terminator(body_size(head))
                if collect:
                    collect(head)

    return Lines if stream.framing == "lines" else Counted


def drive(base: type[Any], stream: Stream, chunks: list[bytes], collect: Collect) -> None:
    """Run it on an async_chat: its event loop calls handle_read(), which calls recv()."""
    source = iter(chunks)

    class OverChunks(program(base, stream, collect)):  # type: ignore[misc]
        def recv(self, buffer_size: int) -> bytes:
            return next(source)

    chat = OverChunks()
    chat.pieces = []
    chat.set_terminator(4 if stream.framing == "length" else stream.terminator)
    for _ in chunks:
        chat.handle_read()
