"""One program written for asynchat, run on asynchat itself and on what takes its place."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any

from .workloads import Collect, Stream, body_size


def program(base: Any, stream: Stream, collect: Collect, *, drop: bool) -> type[Any]:
    """The application: a subclass of ``base``, which has asynchat's verbs.

    It joins the pieces of each record, as asynchat's documentation has it. With ``drop`` it makes no records, and
    keeps only what it has to look at. An application is written once: every pass gets the same class.
    """
    return _program(base, stream.framing, stream.terminator, collect, drop)


# Bounded, as the lists that take the answers when these are checked would be kept with it.
@functools.lru_cache(maxsize=64)
def _program(base: Any, framing: str, terminator: bytes, collect: Collect, drop: bool) -> type[Any]:
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
        prefix: Any = terminator if framing == "http" else 4
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

    if framing != "lines":
        return Counted
    return Dropped if drop else Lines


def drive(
    base: Any, stream: Stream, chunks: list[bytes], collect: Collect, *, drop: bool = False
) -> None:
    """Run it on an async_chat: its event loop calls handle_read(), which calls recv()."""
    chat = program(_over_chunks(base), stream, collect, drop=drop)()
    chat.chunks = iter(chunks)
    chat.pieces = []
    chat.set_terminator(4 if stream.framing == "length" else stream.terminator)
    for _ in chunks:
        chat.handle_read()


@functools.cache
def _over_chunks(base: Any) -> type[Any]:
    class OverChunks(base):  # type: ignore[misc]
        chunks: Iterator[bytes]

        def recv(self, buffer_size: int) -> bytes:
            return next(self.chunks)

    return OverChunks
