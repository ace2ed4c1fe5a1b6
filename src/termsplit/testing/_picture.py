"""Pictures in plain text: where a stream is cut, and how two results differ."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import zip_longest
from typing import TypeVar

_T = TypeVar("_T")

__all__ = ["draw_cuts", "draw_difference"]

# In columns.
_ROW = 64
_ITEM = 86
# What there is more of is told in numbers.
_MOST_ROWS = 6
_MOST_ALIKE = 2
_MOST_DIFFERENT = 6

_MARK = "│"
_ESCAPES = {ord("\\"): "\\\\", 9: "\\t", 10: "\\n", 13: "\\r"}
SPELT = [
    _ESCAPES.get(byte) or (chr(byte) if 32 <= byte < 127 else f"\\x{byte:02x}")
    for byte in range(256)
]


def draw_cuts(data: bytes, edges: Sequence[int]) -> str:
    r"""Show ``data`` with a mark at every edge and the edge's offset below; of long data, the rows with edges.

    Args:
        data: the whole stream.
        edges: where it is cut; one that stands twice makes an empty chunk.

    >>> print(draw_cuts(b"one\r\ntwo\r\n", [4]))
      0  one\r│\ntwo\r\n
              4
    """
    counted = Counter(edges)
    rows = _rows(data)
    shown = set(range(len(rows)))
    if len(rows) > _MOST_ROWS:
        ends = [end for _, end in rows]
        shown = {0}
        for edge in sorted(counted):
            # The rows on both sides of the edge, which may be one.
            shown |= {bisect_left(ends, edge), min(bisect_right(ends, edge), len(rows) - 1)}
            if len(shown) >= _MOST_ROWS:
                break
    margin = len(str(rows[max(shown)][0])) + 2
    lines: list[str] = []
    hidden = hidden_cuts = 0

    def hide() -> None:
        nonlocal hidden, hidden_cuts
        if hidden:
            cuts = f", {hidden_cuts} cuts" if hidden_cuts else ""
            lines.append(f"{'':{margin}}  ({hidden} bytes{cuts})")
        hidden = hidden_cuts = 0

    for i, (begin, end) in enumerate(rows):
        if i not in shown:
            hidden += end - begin
            hidden_cuts += sum(counted[offset] for offset in range(begin, end))
            continue
        hide()
        row, offsets = _draw_row(data, begin, end, counted)
        lines.append(f"{begin:{margin}}  {row}")
        if offsets:
            lines.append(f"{'':{margin}}  {offsets}")
    hide()
    return "\n".join(lines)


def _rows(data: bytes) -> list[tuple[int, int]]:
    rows: list[tuple[int, int]] = []
    begin = columns = 0
    for offset, byte in enumerate(data):
        columns += len(SPELT[byte])
        if columns > _ROW:
            rows.append((begin, offset))
            begin, columns = offset, len(SPELT[byte])
    return [*rows, (begin, len(data))]


def _draw_row(data: bytes, begin: int, end: int, counted: Counter[int]) -> tuple[str, str]:
    """The bytes of a row with the marks of its edges, and a line with the offsets of those that have room."""
    row = offsets = ""
    # An edge between two rows stands before the second.
    for offset in range(begin, end + (end == len(data))):
        if counted[offset]:
            if not offsets or len(offsets) < len(row):
                offsets = f"{offsets:{len(row)}}{offset}"
            row += _MARK * counted[offset]
        if offset < end:
            row += SPELT[data[offset]]
    return row, offsets


def draw_difference(
    whole: Sequence[object],
    cut: Sequence[object],
    same: Callable[[object, object], bool],
    labels: tuple[str, str] = ("whole", "cut"),
) -> str:
    """Show two sequences of results, where they are alike and where they are not.

    Args:
        whole: what the whole gave.
        cut: what the cut gave.
        same: tells whether two items are alike.
        labels: what the two are called, in at most five letters.
    """
    before = _alike(whole, cut, same)
    after = _alike(whole[before:][::-1], cut[before:][::-1], same)
    mine, theirs = whole[before : len(whole) - after], cut[before : len(cut) - after]
    # Each is shown from a little before the place where it parts from its counterpart.
    places = [
        _alike(repr(one), repr(other), str.__eq__) for one, other in zip(mine, theirs, strict=False)
    ]
    lines = _list("both", whole[:before][-_MOST_ALIKE:])
    if before > _MOST_ALIKE:
        lines.insert(0, f"both   ({before - _MOST_ALIKE} more, alike)")
    lines += _list(labels[0], mine, _MOST_DIFFERENT, places) or [f"{labels[0]:5}  (nothing)"]
    lines += _list(labels[1], theirs, _MOST_DIFFERENT, places) or [f"{labels[1]:5}  (nothing)"]
    lines += _list("both", whole[len(whole) - after :])
    return "\n".join(lines)


def _list(
    label: str, items: Sequence[object], most: int = _MOST_ALIKE, places: Sequence[int] = ()
) -> list[str]:
    lines = [
        f"{label:5}  {_shorten(repr(item), place)}"
        for item, place in zip_longest(items[:most], places[: min(most, len(items))], fillvalue=0)
    ]
    if len(items) > most:
        lines.append(f"{label:5}  ({len(items) - most} more)")
    return lines


def _alike(one: Sequence[_T], other: Sequence[_T], same: Callable[[_T, _T], bool]) -> int:
    """How many of the first items are alike."""
    count = 0
    for mine, theirs in zip(one, other, strict=False):
        if not same(mine, theirs):
            break
        count += 1
    return count


def _shorten(text: str, place: int = 0) -> str:
    """Cut ``text`` down to a row in which ``place`` is seen."""
    begin = max(0, min(place - _ITEM // 3, len(text) - _ITEM)) if len(text) > _ITEM else 0
    end = begin + _ITEM
    head = f"({begin} characters) … " if begin else ""
    tail = f" … ({len(text) - end} characters)" if end < len(text) else ""
    return head + text[begin:end] + tail
