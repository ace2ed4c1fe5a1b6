"""Parsers with the bugs that parsers have, and their sound brothers."""

from __future__ import annotations

from collections.abc import Iterator

from termsplit.testing import PushParser


class Lines:
    """Lines ended by CRLF, of at most ten bytes; sound."""

    limit = 10

    def __init__(self) -> None:
        self.buffer = b""
        self.skipping = False

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        self.buffer += chunk
        while not self.skipping or self.skip():
            line, terminator, rest = self.buffer.partition(b"\r\n")
            # A CR at the end may belong to the terminator.
            if len(line) - (not terminator and line.endswith(b"\r")) > self.limit:
                self.skipping = True
                raise ValueError(f"longer than {self.limit} bytes")
            if not terminator:
                return
            self.buffer = rest
            yield line

    def skip(self) -> bool:
        _, terminator, rest = self.buffer.partition(b"\r\n")
        if terminator:
            self.buffer = rest
            self.skipping = False
        return bool(terminator)

    def feed_eof(self) -> None:
        if self.buffer:
            raise EOFError(f"in the middle of a line: {self.buffer!r}")


def drive(parser: type[Lines]) -> PushParser[Lines]:
    return PushParser(
        parser,
        parser.feed,
        parser.feed_eof,
        leftovers=lambda lines: lines.buffer,
        goes_on=True,
    )


class SplitTerminator(Lines):
    """Looks for the terminator in each chunk alone."""

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        *lines, tail = chunk.split(b"\r\n")
        for line in lines:
            yield self.buffer + line
            self.buffer = b""
        self.buffer += tail


class LimitByChunk(Lines):
    """Applies the limit to what happens to be buffered, and so only to unfinished lines."""

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        self.buffer += chunk
        *lines, self.buffer = self.buffer.split(b"\r\n")
        yield from lines
        if len(self.buffer) > self.limit:
            raise ValueError(f"longer than {self.limit} bytes")


class TailIsALine(Lines):
    """Drops what is buffered of a line that is too long; what comes of it later is a line of its own."""

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        try:
            yield from super().feed(chunk)
        except ValueError:
            self.skipping = False
            _, _, self.buffer = self.buffer.partition(b"\r\n")
            raise


class ForgetsState(Lines):
    """Knows the header from the body only as long as both come at once."""

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        in_body = False
        for line in super().feed(chunk):
            yield (b"body: " if in_body else b"head: ") + line
            in_body = in_body or not line


class EofIsClean(Lines):
    """Takes the end of the stream for a clean one, unless the chunk in hand ended in the middle."""

    in_the_middle = False

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        self.in_the_middle = bool(chunk) and not chunk.endswith(b"\r\n")
        yield from super().feed(chunk)

    def feed_eof(self) -> None:
        if self.in_the_middle:
            raise EOFError("in the middle of a line")
