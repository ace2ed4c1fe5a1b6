"""Where the rows of a picture go: to a terminal, in colours, or as plain text to a pipe."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import NamedTuple

from .painter import ASCII_MARKS, MARKS, Marks, Row

# A pipe has no width.
_WIDTH_OF_A_PIPE = 100
_STYLES = {
    "data": "",
    "passed": "dim strike",
    "terminator": "bold cyan",
    "cut": "bold yellow",
    "note": "italic",
    "error": "bold red",
}
_SIDES = {"in": "green", "out": "magenta", "!!": "bold red"}


class Canvas(NamedTuple):
    """What a picture is drawn on.

    Attributes:
        write: takes a row.
        width: of the text of a row, in columns.
        marks: those that can be written.
        seen: takes a piece of the file that was read, for the progress bar, and gives it back.
    """

    write: Callable[[Row], object]
    width: int
    marks: Marks
    seen: Callable[[bytes], bytes]


@contextmanager
def canvas(size: int, *, sides: bool, plain: bool) -> Generator[Canvas, None, None]:
    """A canvas on standard output: coloured if that is a terminal, and rich is installed.

    Where it is, and there is a terminal to show it on, a progress bar is shown meanwhile.

    Args:
        size: of the file that is drawn, in bytes; 0 if it is not known.
        sides: whether the rows say on which side they are.
        plain: no colours, and no progress bar.
    """
    digits = max(8, len(str(size)))

    def heads(row: Row) -> tuple[str, str]:
        offset = "" if row.offset is None else row.offset
        return f"{row.side:<3} " if sides else "", f"{offset:>{digits}}  "

    def write_plain(row: Row) -> None:
        sys.stdout.write("".join((*heads(row), *(run.text for run in row.runs), "\n")))

    margin = (4 if sides else 0) + digits + 2
    columns = shutil.get_terminal_size((_WIDTH_OF_A_PIPE, 24)).columns
    # Room for the marks at the end of a row.
    width = columns - margin - 2
    marks = _marks(sys.stdout.encoding)
    try:
        if plain or not (sys.stdout.isatty() or sys.stderr.isatty()):
            raise ImportError
        from rich.console import Console
        from rich.progress import Progress
        from rich.text import Text
    except ImportError:
        yield Canvas(write_plain, width, marks, bytes)
        return
    coloured = sys.stdout.isatty()
    console = Console(stderr=not coloured, highlight=False)

    # A print draws the bar anew, so the rows of one piece are printed together.
    rows: list[Text] = []

    def write_coloured(row: Row) -> None:
        side, offset = heads(row)
        text = Text.assemble((side, _SIDES.get(row.side, "dim")), (offset, "dim"))
        for run in row.runs:
            text.append(run.text, _STYLES[run.kind])
        rows.append(text)

    def print_rows() -> None:
        if rows:
            console.print(Text("\n").join(rows), soft_wrap=True)
            rows.clear()

    with Progress(
        console=console, transient=True, redirect_stdout=False, redirect_stderr=False
    ) as progress:
        task = progress.add_task("", total=size or None)

        def seen(piece: bytes) -> bytes:
            print_rows()
            progress.advance(task, len(piece))
            return piece

        try:
            yield Canvas(write_coloured if coloured else write_plain, width, marks, seen)
        finally:
            print_rows()


def _marks(encoding: str) -> Marks:
    try:
        "".join(MARKS).encode(encoding)
    except UnicodeEncodeError:
        return ASCII_MARKS
    return MARKS
