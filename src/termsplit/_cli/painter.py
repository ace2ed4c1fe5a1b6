"""A stream as rows of text: where they begin, what stands in them, and where they end."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from itertools import accumulate
from typing import NamedTuple

from termsplit.testing._picture import SPELT

# The longest spelling of a byte, \x00: what a row must have room for.
_LEAST_WIDTH = 4


class Marks(NamedTuple):
    """The characters that stand for no byte."""

    cut: str
    begin: str
    end: str


MARKS = Marks("│", "⟨", "⟩")
ASCII_MARKS = Marks("|", "<", ">")


class Run(NamedTuple):
    """Text of one kind: data, passed, terminator, cut, note or error."""

    text: str
    kind: str


class Row(NamedTuple):
    """A row of the picture.

    Attributes:
        side: "in", "out", or another word for what is no data.
        offset: of its first byte, in the stream of its side; None if it has no bytes.
        runs: its text.
    """

    side: str
    offset: int | None
    runs: list[Run]


class Painter:
    """Puts bytes and marks into rows of limited width, without keeping more than one.

    Args:
        write: is called with each row.
        width: of the text of a row, in columns. A row may end in a mark that exceeds it.
        marks: the characters to mark with.
    """

    def __init__(self, write: Callable[[Row], object], width: int, marks: Marks) -> None:
        self._write = write
        self._width = max(width, _LEAST_WIDTH)
        self._marks = marks
        self._row: Row | None = None
        self._next = 0  # the offset behind the row
        self._columns = 0

    def data(self, side: str, offset: int, data: bytes, kind: str = "data") -> None:
        """Draw bytes, behind those before them if they are of one side and follow on each other."""
        spelt = [SPELT[byte] for byte in data]
        self._open(side, offset)
        done = 0
        while done < len(spelt):
            some = spelt[done : done + self._width - self._columns]
            room = bisect_right(list(accumulate(map(len, some))), self._width - self._columns)
            if not room:
                self.end_row()
                self._open(side, offset + done)
                continue
            self._add("".join(some[:room]), kind)
            done += room
            self._next = offset + done

    def cut(self, side: str, offset: int) -> None:
        """Mark an edge between two chunks."""
        self._open(side, offset)
        self._add(self._marks.cut, "cut")

    def terminator(self, side: str, offset: int, pieces: list[bytes], without: str = "") -> None:
        """Draw what ended a record, and end the row.

        Args:
            side: as in `Row`.
            offset: of the terminator.
            pieces: its bytes, cut where the chunks are.
            without: what to say where there are no bytes.
        """
        spelt = ["".join(SPELT[byte] for byte in piece) for piece in pieces]
        if self._columns and self._columns + sum(map(len, spelt)) > self._width:
            self.end_row()
        self._open(side, offset)
        self._add(f"{self._marks.begin}{without}", "terminator")
        for index, text in enumerate(spelt):
            if index:
                self._add(self._marks.cut, "cut")
            self._add(text, "terminator")
        self._add(self._marks.end, "terminator")
        self.end_row()

    def note(self, side: str, text: str, kind: str = "note") -> None:
        """Write a row about what happened."""
        self.end_row()
        self._write(Row(side, None, [Run(text, kind)]))

    def end_row(self) -> None:
        """Write the row in progress, if there is one."""
        if self._row is not None:
            self._write(self._row)
            self._row = None

    def _open(self, side: str, offset: int) -> None:
        """Begin a row, unless the one in progress goes on there."""
        if self._row is None or (self._row.side, self._next) != (side, offset):
            self.end_row()
            self._row = Row(side, offset, [])
            self._next = offset
            self._columns = 0

    def _add(self, text: str, kind: str) -> None:
        assert self._row is not None
        self._row.runs.append(Run(text, kind))
        self._columns += len(text)
