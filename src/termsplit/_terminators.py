"""What a terminator is: checking it, finding it, and holding back what may be its beginning."""

from __future__ import annotations

import functools
import re
from collections.abc import Generator
from typing import TYPE_CHECKING, Protocol

from ._events import TerminatorFound

if TYPE_CHECKING:
    from typing import TypeAlias

__all__ = ["AnyOf", "Limited", "Terminator"]


class AnyOf:
    r"""A terminator of several: the leftmost match ends the record, of those at one place the longest.

    A match that could still grow, or be beaten by a longer one that began before it, waits for the
    next byte or for the end of the stream; so which one it was never depends on the chunks.

    Args:
        *alternatives: one or more terminators, each `bytes` and not empty.

    Raises:
        TypeError: an alternative is not `bytes`.
        ValueError: there is none, or one is empty.

    >>> from termsplit import Splitter
    >>> lines = Splitter(AnyOf(b"\r\n", b"\n"))
    >>> list(lines.feed(b"unix\ndos\r\n"))
    [DataReceived(b'unix'), TerminatorFound(b'\n'), DataReceived(b'dos'), TerminatorFound(b'\r\n')]
    """

    __slots__ = ("alternatives", "pattern")

    def __init__(self, *alternatives: bytes) -> None:
        if not alternatives:
            raise ValueError("expected one alternative or more, got none")
        for alternative in alternatives:
            check_bytes(alternative)
        self.alternatives = alternatives
        self.pattern = AlternativesPattern(alternatives)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, AnyOf) and self.alternatives == other.alternatives

    def __hash__(self) -> int:
        return hash(self.alternatives)

    def __repr__(self) -> str:
        return f"AnyOf({', '.join(map(repr, self.alternatives))})"


class Limited:
    """A terminator with a limit of its own, in place of the connection's ``max_size``.

    It bounds streamed records (events, callbacks) as well, which have no limit otherwise.

    Args:
        terminator: `bytes`, `int`, None or `AnyOf`.
        max_size: the longest record allowed, in bytes; None for no limit.

    Raises:
        TypeError, ValueError: as for the terminator itself; ``max_size`` is not an int, or negative.

    >>> from termsplit import Splitter
    >>> splitter = Splitter(Limited(b";", 3))
    >>> splitter.receive_data(b"one;four;two;")
    True
    >>> list(splitter.records(too_long="skip"))
    [b'one', RecordSkipped(4), b'two']
    """

    __slots__ = ("max_size", "terminator")

    def __init__(self, terminator: bytes | int | AnyOf | None, max_size: int | None) -> None:
        # Made for every message, where each has its length before it: so what is surely right is seen at once.
        if type(terminator) is not int or terminator < 0:
            check_terminator(terminator)
            if isinstance(terminator, Limited):
                raise TypeError(f"expected a terminator without a limit, got {terminator!r}")
        if type(max_size) is not int or max_size < 0:
            check_max_size(max_size)
        self.terminator = terminator
        self.max_size = max_size

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Limited)
            and type(other.terminator) is type(self.terminator)
            and (other.terminator, other.max_size) == (self.terminator, self.max_size)
        )

    def __hash__(self) -> int:
        return hash((self.terminator, self.max_size))

    def __repr__(self) -> str:
        return f"Limited({self.terminator!r}, {self.max_size!r})"


Terminator: TypeAlias = bytes | int | AnyOf | Limited | None
"""What ends a record; `Splitter.set_terminator` says what each means."""


def check_terminator(terminator: object) -> None:
    """Raise TypeError or ValueError unless ``terminator`` is one."""
    if isinstance(terminator, int) and not isinstance(terminator, bool):
        if terminator < 0:
            raise ValueError(f"expected a count of 0 or more bytes, got {terminator}")
    elif terminator is not None and not isinstance(terminator, (AnyOf, Limited)):
        check_bytes(terminator, "bytes, int, None, AnyOf or Limited")


def check_bytes(terminator: object, expected: str = "bytes") -> None:
    if not isinstance(terminator, bytes):
        got = f"{type(terminator).__name__}: {terminator!r}"
        if isinstance(terminator, Generator):
            got += "; another grammar is run by `yield from`"
        raise TypeError(f"expected a terminator of type {expected}, got {got}")
    if not terminator:
        raise ValueError("expected a terminator of one byte or more, got b''")


def check_max_size(max_size: object) -> None:
    if max_size is None:
        return
    if not isinstance(max_size, int) or isinstance(max_size, bool):
        raise TypeError(f"expected max_size to be an int or None, got {type(max_size).__name__}")
    if max_size < 0:
        raise ValueError(f"expected max_size to be 0 or more bytes, got {max_size}")


class Pattern(Protocol):
    """How the splitter finds terminators made of bytes."""

    @property
    def longest(self) -> int:
        """The length of the longest match, in bytes."""
        ...

    @property
    def last_byte(self) -> int:
        """The byte that comes whenever a record becomes complete; -1 if there is none such."""
        ...

    @property
    def inner_bytes(self) -> bytes:
        """The bytes that the beginning of a match may end in."""
        ...

    @property
    def found(self) -> TerminatorFound | None:
        """The event of every match, where all matches are alike."""
        ...

    def search(
        self, buffer: bytes, start: int, stop: int, final: bool
    ) -> tuple[int, int, TerminatorFound] | None:
        """Where the first match in ``buffer[start:stop]`` begins and ends, if later bytes can't change it."""
        ...

    def held_back(self, buffer: bytes, start: int) -> int:
        """The length of the longest suffix of ``buffer[start:]`` that is the beginning of a match."""
        ...

    def cut(self, window: bytes) -> tuple[list[bytes], list[TerminatorFound] | None, int]:
        """The whole records in ``window``, their terminators where these differ, and where the rest begins."""
        ...


# On so few bytes the split of bytes is as fast as that of a compiled expression, or faster.
_SHORT = 512
# And on any number of bytes, when so many records end in the first of them; worth a look where there are so many.
_MANY = 16
_WORTH_A_LOOK = 4 * 1024
# So near, times the square of its length, the find of bytes is as fast as any other way.
_NEAR_PER_SQUARE = 32
# For a terminator so long, the find of bytes skips ahead, and is as fast as any other way wherever it stands.
_LONG = 16


class LiteralPattern:
    """One byte string."""

    __slots__ = (
        "_borders",
        "_expression",
        "_first",
        "found",
        "inner_bytes",
        "last_byte",
        "literal",
        "longest",
    )

    def __init__(self, literal: bytes) -> None:
        self.literal = literal
        self.longest = len(literal)
        self.last_byte = literal[-1]
        self.found = TerminatorFound(literal)
        self._first = literal[:1]
        self.inner_bytes = literal[:-1]
        # Made when first needed: the table of borders and the compiled expression.
        self._borders: list[int] = []
        self._expression: re.Pattern[bytes] | None = None

    def search(
        self, buffer: bytes, start: int, stop: int, final: bool
    ) -> tuple[int, int, TerminatorFound] | None:
        """Where the first match begins and ends.

        To find one byte far away is a hundred times as fast as to find two: so beyond the nearest bytes, look for the
        last one, and see whether the others stand before it. Where that byte turns out to be common, a compiled
        expression is the better tool.
        """
        literal, step = self.literal, self.longest
        near = start + _NEAR_PER_SQUARE * step * step
        if near >= stop or step >= _LONG:
            index = buffer.find(literal, start, stop)
            return None if index < 0 else (index, index + step, self.found)
        index = buffer.find(literal, start, near)
        at = near - 1
        while index < 0:
            before, at = at, buffer.find(self.last_byte, at + 1, stop)
            if at < 0:
                return None
            if buffer.startswith(literal, at + 1 - step):
                index = at + 1 - step
            elif at - before < _SHORT:
                match = self._compiled().search(buffer, at + 2 - step, stop)
                return None if match is None else (*match.span(), self.found)
        return index, index + step, self.found

    def held_back(self, buffer: bytes, start: int) -> int:
        literal = self.literal
        if not buffer or buffer[-1] not in self.inner_bytes:
            return 0
        begin = buffer.find(self._first, max(start, len(buffer) - self.longest + 1))
        if begin == len(buffer) - 1:
            return 1
        if begin < 0:
            return 0
        # Knuth, Morris, Pratt: `matched` is the longest prefix that ends at each byte in turn.
        borders = self._borders = self._borders or _borders(literal)
        matched = 0
        for byte in buffer[begin:]:
            while matched and literal[matched] != byte:
                matched = borders[matched - 1]
            if literal[matched] == byte:
                matched += 1
        return matched

    def cut(self, window: bytes) -> tuple[list[bytes], None, int]:
        records = self.split(window)
        return records, None, len(window) - len(records.pop())

    def split(self, window: bytes) -> list[bytes]:
        """What ``bytes.split`` gives, as fast as it can be had: the whole records, and the rest."""
        literal, size = self.literal, len(window)
        if (
            size < _SHORT
            or self.longest == 1
            or (size > _WORTH_A_LOOK and window.count(literal, 0, _SHORT) > _MANY)
        ):
            return window.split(literal)
        return (self._expression or self._compiled()).split(window)

    def _compiled(self) -> re.Pattern[bytes]:
        if self._expression is None:
            self._expression = re.compile(re.escape(self.literal))
        return self._expression


class AlternativesPattern:
    """Several byte strings: the leftmost, and of those at one place the longest."""

    __slots__ = (
        "_events",
        "_expression",
        "_literals",
        "found",
        "inner_bytes",
        "last_byte",
        "longest",
    )

    def __init__(self, alternatives: tuple[bytes, ...]) -> None:
        # A regular expression takes the first alternative that fits: so the longest must come first.
        ordered = sorted(set(alternatives), key=len, reverse=True)
        self._expression = re.compile(b"(" + b"|".join(map(re.escape, ordered)) + b")")
        self._literals = [literal_pattern(alternative) for alternative in ordered]
        self._events = {pattern.literal: pattern.found for pattern in self._literals}
        self.longest = len(ordered[0])
        self.inner_bytes = b"".join(literal[:-1] for literal in ordered)
        lasts = {literal[-1] for literal in ordered}
        # A match inside a longer alternative waits for any byte that shows which of them it is.
        inside = any(one in other[:-1] for one in ordered for other in ordered)
        self.last_byte = lasts.pop() if len(lasts) == 1 and not inside else -1
        self.found = None

    def search(
        self, buffer: bytes, start: int, stop: int, final: bool
    ) -> tuple[int, int, TerminatorFound] | None:
        match = self._expression.search(buffer, start, stop)
        if match is None:
            return None
        index = match.start()
        may_change = not final and index + self.longest > len(buffer)
        if may_change and len(buffer) - self.held_back(buffer, start) <= index:
            return None
        return index, match.end(), self._events[match[0]]

    def held_back(self, buffer: bytes, start: int) -> int:
        return max(pattern.held_back(buffer, start) for pattern in self._literals)

    def cut(self, window: bytes) -> tuple[list[bytes], list[TerminatorFound], int]:
        parts = self._expression.split(window)
        end = len(window) - len(parts.pop())
        # A match so near the edge that more bytes could change it is left for the next cut.
        while parts and end - len(parts[-1]) + self.longest > len(window):
            end -= len(parts.pop()) + len(parts.pop())
        return parts[::2], [self._events[literal] for literal in parts[1::2]], end


# Terminators may be the peer's choice (a MIME boundary), so what is kept of them is bounded.
@functools.lru_cache(maxsize=256)
def literal_pattern(literal: bytes) -> LiteralPattern:
    check_bytes(literal)
    return LiteralPattern(literal)


def _borders(literal: bytes) -> list[int]:
    """For each prefix of ``literal``, the longest proper prefix that is also its suffix."""
    borders = [0] * len(literal)
    matched = 0
    for i in range(1, len(literal)):
        while matched and literal[matched] != literal[i]:
            matched = borders[matched - 1]
        if literal[matched] == literal[i]:
            matched += 1
        borders[i] = matched
    return borders
