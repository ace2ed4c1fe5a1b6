"""A grammar and the encoder that goes with it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from termsplit._parser import Parse

__all__ = ["Framing"]

T = TypeVar("T")


@dataclass(frozen=True)
class Framing(Generic[T]):
    r"""How messages stand in a byte stream: a grammar and its encoder, as a pair.

    Parsing ``encode(a) + encode(b)`` gives ``a`` and ``b``.

    Args:
        grammar: the generator function to run with `Parser`, which returns one message.
        encode: gives the bytes of one message; raises ValueError for a message that the grammar could
            not give back.

    >>> from termsplit import MalformedRecord, Parser
    >>> def parse_pair():
    ...     line = yield b"\n"
    ...     key, equals, value = line.partition(b"=")
    ...     if not equals:
    ...         raise MalformedRecord("key=value", line)
    ...     return key, value
    >>> def encode_pair(pair):
    ...     key, value = pair
    ...     if b"=" in key or b"\n" in key + value:
    ...         raise ValueError(f"expected no newline, and no = in the key, got {pair!r}")
    ...     return key + b"=" + value + b"\n"
    >>> pairs = Framing(parse_pair, encode_pair)
    >>> list(Parser(pairs.grammar).feed(pairs.encode((b"colour", b"red"))))
    [(b'colour', b'red')]
    """

    grammar: Callable[[], Parse[T]]
    encode: Callable[[T], bytes]


def check_size(data: bytes, max_size: int | None, what: str = "a message") -> None:
    """Raise ValueError if ``data`` is longer than ``max_size``."""
    if max_size is not None and len(data) > max_size:
        raise ValueError(f"expected {what} of at most {max_size} bytes, got {len(data)}")
