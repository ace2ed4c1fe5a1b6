"""``termsplit trace``: a picture of a stream, from a recording or from a capture of its bytes."""

from __future__ import annotations

import argparse
import os
import sys
import warnings
from collections import deque
from typing import TYPE_CHECKING

from termsplit import AnyOf, DataReceived, Limited, Splitter, TerminatorFound
from termsplit.testing._entries import bytes_of, read_recording, terminator_of

from .canvas import canvas
from .painter import Painter

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from termsplit import Event, Terminator
    from termsplit.testing._entries import Entry

_CHUNK = 64 * 1024
# Only what is no recording has longer lines; it should not be read whole to find that out.
_LONGEST_LINE = 64 * 1024 * 1024
# Of a record that is not complete yet at most so many bytes wait to be drawn, and so many of them stay
# behind when they are: they may be its terminator.
_MOST_WAITING = 64 * 1024
_STAY_BEHIND = 4 * 1024


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "file", help="what termsplit.testing.record wrote; with --terminator, a file of any bytes"
    )
    parser.add_argument(
        "--terminator",
        action="append",
        type=_unescaped,
        metavar="BYTES",
        help=r"what ends a record, with Python's escapes: '\r\n'; may be given more than once",
    )
    parser.add_argument("--plain", action="store_true", help="no colours and no progress bar")


def run(arguments: argparse.Namespace) -> int:
    """Draw the picture; 2 if the file can't be read, or is no recording."""
    name: str = arguments.file
    capture: list[bytes] = arguments.terminator or []
    try:
        with (
            open(name, "rb") as file,
            canvas(os.fstat(file.fileno()).st_size, sides=not capture, plain=arguments.plain) as on,
        ):
            painter = Painter(on.write, on.width, on.marks)
            if capture:
                chunks = iter(lambda: file.read(_CHUNK), b"")
                trace_capture(map(on.seen, chunks), AnyOf(*capture), painter)
            else:
                lines = iter(lambda: file.readline(_LONGEST_LINE), b"")
                trace_recording(read_recording(map(on.seen, lines)), painter)
            sys.stdout.flush()
    except BrokenPipeError:
        # The reader has seen enough; what is still buffered must not fail at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (OSError, ValueError) as error:
        what = error.strerror if isinstance(error, OSError) else error
        hint = (
            "" if capture or isinstance(error, OSError) else "; of other bytes, give a --terminator"
        )
        print(f"termsplit trace: {name}: {what}{hint}", file=sys.stderr)
        return 2
    return 0


def trace_capture(chunks: Iterable[bytes], terminator: Terminator, painter: Painter) -> None:
    """Draw a stream whose chunks say nothing about where the network cut it."""
    offset = records = 0
    in_record = False
    for event in _events(chunks, terminator):
        if isinstance(event, DataReceived):
            painter.data("in", offset, event.data)
            offset += len(event.data)
            in_record = True
        elif isinstance(event, TerminatorFound) and isinstance(event.terminator, bytes):
            painter.terminator("in", offset, [event.terminator])
            offset += len(event.terminator)
            records += 1
            in_record = False
    rest = ", and the beginning of another" if in_record else ""
    painter.note("--", f"{offset} bytes: {records} record{'s' * (records != 1)}{rest}")


def _events(chunks: Iterable[bytes], terminator: Terminator) -> Iterator[Event]:
    splitter = Splitter(terminator)
    for chunk in chunks:
        yield from splitter.feed(chunk)
    splitter.receive_eof()
    yield from splitter.events()


def trace_recording(entries: Iterable[Entry], painter: Painter) -> None:
    """Draw what a recording says."""
    picture = _Picture(painter)
    for entry in entries:
        picture.draw(entry)
    picture.end()


class _Picture:
    """What came in, as far as it is not drawn yet, and where it was cut."""

    def __init__(self, painter: Painter) -> None:
        self._painter = painter
        self._waiting = bytearray()
        self._offset = 0  # of the first byte of _waiting
        self._cuts: deque[int] = deque()  # offsets in _waiting, ascending
        self._terminator: Terminator = None
        self._ended = False

    def draw(self, entry: Entry) -> None:
        """Draw what an entry tells; what came in is drawn when it is known what it is."""
        painter, what = self._painter, entry["what"]
        if what == "recording":
            self._offset = entry["offset"]
            self._follow(entry)
        elif what == "received":
            self._receive(entry)
        elif what == "eof":
            self._ended = True
        elif what == "terminator":
            self._follow(entry)
        elif what == "record":
            self._draw_to(entry["offset"], "passed")
            self._draw_to(entry["offset"] + entry["size"], "data")
            self._draw_terminator(entry["end"], entry["size"])
        elif what == "skipped":
            self._draw_to(entry["end"], "passed")
            painter.note("!!", f"a record of {entry['size']} bytes was passed over", "error")
        elif what == "ended":
            self._end("" if entry["clean"] else ", within a record")
        elif what in ("error", "failed"):
            painter.note("!!", _printable(f"{entry['error']}: {entry['message']}"), "error")
        elif what == "detached":
            self._draw_to(entry["offset"] + entry["size"], "data")
            painter.note("--", f"{entry['size']} bytes were handed over")
        elif what == "sent":
            painter.data("out", entry["offset"], bytes_of(entry))
            painter.end_row()
        elif what == "closes":
            painter.note("--", "to be closed when all is sent")
        elif what == "discarded":
            painter.note("--", "what was queued was dropped")

    def end(self) -> None:
        """Draw what is left."""
        if self._ended:
            self._end("")
        self._draw_to(self._offset + len(self._waiting), "data")
        self._painter.end_row()

    def _end(self, how: str) -> None:
        self._draw_to(self._offset + len(self._waiting), "data")
        self._painter.note("--", f"end of the stream{how}")
        self._ended = False

    def _follow(self, entry: Entry) -> None:
        terminator = terminator_of(entry["terminator"])
        if terminator != self._terminator or type(terminator) is not type(self._terminator):
            self._terminator = terminator
            self._painter.note("--", f"terminator {terminator!r}")

    def _receive(self, entry: Entry) -> None:
        if entry["offset"]:
            self._cuts.append(entry["offset"])
        self._waiting += bytes_of(entry)
        if len(self._waiting) > _MOST_WAITING:
            self._draw_to(self._offset + len(self._waiting) - _STAY_BEHIND, "data")

    def _draw_to(self, end: int, kind: str) -> None:
        if end <= self._offset:
            return
        offset = self._offset
        for index, piece in enumerate(self._take(end)):
            if index:
                self._painter.cut("in", offset)
            self._painter.data("in", offset, piece, kind)
            offset += len(piece)

    def _draw_terminator(self, end: int, size: int) -> None:
        bare = self._terminator
        if isinstance(bare, Limited):
            bare = bare.terminator
        without = "" if end > self._offset else f"{size} bytes" if bare == size else "end"
        self._painter.terminator("in", self._offset, self._take(end), without)

    def _take(self, end: int) -> list[bytes]:
        """The waiting bytes up to the offset ``end``, cut where the chunks are."""
        pieces: list[bytes] = []
        while self._cuts and self._cuts[0] < end:
            pieces.append(self._take_piece(self._cuts.popleft()))
        pieces.append(self._take_piece(end))
        return pieces

    def _take_piece(self, end: int) -> bytes:
        size = max(0, end - self._offset)
        piece = bytes(self._waiting[:size])
        del self._waiting[:size]
        self._offset += len(piece)
        return piece


def _unescaped(text: str) -> bytes:
    """The bytes that ``text`` stands for in Python; other characters than ASCII's in UTF-8."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            data = text.encode().decode("unicode_escape").encode("latin-1")
    except (ValueError, DeprecationWarning) as error:
        raise argparse.ArgumentTypeError(
            f"expected bytes as Python escapes them, got {text!r}: {error}"
        ) from None
    if not data:
        raise argparse.ArgumentTypeError("expected a terminator of one byte or more, got none")
    return data


def _printable(text: str) -> str:
    # A recording is a file like any other, and a terminal obeys what is written to it.
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
