"""Ways to cut a stream into chunks that are hard on a parser."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import TypeAlias

__all__ = ["Cut", "bytewise", "halves", "whole", "with_empty"]

Cut: TypeAlias = Callable[[bytes], Iterable[bytes]]
"""What cuts a stream into chunks."""


def whole(data: bytes) -> Iterator[bytes]:
    """All in one chunk; none, if there is no data."""
    if data:
        yield data


def bytewise(data: bytes) -> Iterator[bytes]:
    """One byte at a time.

    >>> list(bytewise(b"abc"))
    [b'a', b'b', b'c']
    """
    for index in range(len(data)):
        yield data[index : index + 1]


def halves(data: bytes) -> Iterator[bytes]:
    """The first half, then the first half of the rest, down to the last byte.

    >>> list(halves(b"abcdefgh"))
    [b'abcd', b'ef', b'g', b'h']
    """
    while data:
        middle = max(len(data) // 2, 1)
        yield data[:middle]
        data = data[middle:]


def with_empty(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The same chunks with an empty one before, between and behind them.

    >>> list(with_empty(bytewise(b"ab")))
    [b'', b'a', b'', b'b', b'']
    """
    yield b""
    for chunk in chunks:
        yield chunk
        yield b""
