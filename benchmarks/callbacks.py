"""One program written for asynchat, run on asynchat itself and on what takes its place."""

from __future__ import annotations

from typing import Any

from .workloads import Collect, Stream, body_size


def program(base: type[Any], stream: Stream, collect: Collect, *, drop: bool) -> type[Any]:
    """The application: a subclass of ``base``, which has asynchat's verbs.

    It joins the pieces of each record, as asynchat's documentation has it. With ``drop`` it makes no records, and
    keeps only what it has to look at.
    """
    terminator = stream.terminator

    class Lines(base):  # type: ignore[misc]
        pieces: list[bytes]

        def collect_incoming_data(self, data: bytes) -> None:
            self.pieces.append(data)

        def found_terminator(self) -> None:
            record = b"".join(self.pieces)
            self.pieces = []
            if collect:
                collect(record)

    class Dropped(Lines):
        def collect_incoming_data(self, data: bytes) -> None:
            if collect:
                self.pieces.append(data)

        def found_terminator(self) -> None:
            if collect:
                super().found_terminator()

    class Counted(base):  # type: ignore[misc]
        """Two records a message, of which the first says how long the second is."""

        pieces: list[bytes]
        prefix: Any = terminator if stream.framing == "http" else 4
        in_body = False

        def collect_incoming_data(self, data: bytes) -> None:
            if collect or not (drop and self.in_body):
                self.pieces.append(data)

        def found_terminator(self) -> None:
            record = b"".join(self.pieces)
            self.pieces = []
            if self.in_body:
                self.in_body = False
                self.set_terminator(self.prefix)
                if collect:
                    collect(record)
                return
            self.in_body = True
            if self.prefix == 4:
                self.set_terminator(int.from_bytes(record, "big"))
            else:
                self.set_terminator(body_size(record))
                if collect:
                    collect(record)

    if stream.framing != "lines":
        return Counted
    return Dropped if drop else Lines


def drive(
    base: type[Any], stream: Stream, chunks: list[bytes], collect: Collect, *, drop: bool = False
) -> None:
    """Run it on an async_chat: its event loop calls handle_read(), which calls recv()."""
    source = iter(chunks)

    class OverChunks(program(base, stream, collect, drop=drop)):  # type: ignore[misc]
        def recv(self, buffer_size: int) -> bytes:
            return next(source)

    chat = OverChunks()
    chat.pieces = []
    chat.set_terminator(4 if stream.framing == "length" else stream.terminator)
    for _ in chunks:
        chat.handle_read()
