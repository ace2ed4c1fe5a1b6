"""Messages whose length is known before they begin."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from typing import Literal, cast

from termsplit._batched import EachRecord, LengthFirst
from termsplit._bytes import as_bytes
from termsplit._engine import DEFAULT_MAX_SIZE
from termsplit._errors import MalformedRecord, RecordTooLong
from termsplit._parser import Parse
from termsplit._terminators import Limited, check_max_size

from ._framing import Framing, check_size

__all__ = ["fixed_size", "length_prefixed", "netstrings", "varint_prefixed"]

# Enough for any length of 64 bits.
_NETSTRING_DIGITS = 20
_VARINT_BYTES = 10

# What the struct module calls an unsigned integer of so many bytes.
_CODES = {1: "B", 2: "H", 4: "I", 8: "Q"}

_is_netstring_length = re.compile(rb"0|[1-9][0-9]*").fullmatch


def netstrings(*, max_size: int | None = DEFAULT_MAX_SIZE) -> Framing[bytes]:
    """Messages with their length in decimal digits before them: ``5:hello,``.

    `Netstrings <https://cr.yp.to/proto/netstrings.txt>`_ by D. J. Bernstein: no leading zeros, and a comma behind.

    Args:
        max_size: the longest message, in bytes; None for no limit.

    Raises:
        TypeError, ValueError: a bad ``max_size``.

    >>> from termsplit import Parser
    >>> framing = netstrings()
    >>> framing.encode(b"hello")
    b'5:hello,'
    >>> list(Parser(framing.grammar).feed(b"5:hello,0:,"))
    [b'hello', b'']
    """
    check_max_size(max_size)
    colon = Limited(b":", _NETSTRING_DIGITS)
    limit = None if max_size is None else max_size + 1

    def grammar() -> Parse[bytes]:
        length = yield colon
        if not _is_netstring_length(length):
            raise MalformedRecord("a length in decimal digits", length)
        try:
            message = yield Limited(int(length) + 1, limit)
        except RecordTooLong as error:
            raise RecordTooLong(error.limit - 1, error.offset) from None
        if message[-1:] != b",":
            raise MalformedRecord("a comma behind the message", message, len(message) - 1)
        return message[:-1]

    def encode(message: bytes) -> bytes:
        message = as_bytes(message)
        check_size(message, max_size)
        return b"%d:%b," % (len(message), message)

    return Framing(grammar, encode)


def length_prefixed(
    width: int = 4,
    byteorder: Literal["big", "little"] = "big",
    *,
    counts_itself: bool = False,
    max_size: int | None = DEFAULT_MAX_SIZE,
) -> Framing[bytes]:
    r"""Messages with their length before them, as an unsigned integer of fixed width.

    Args:
        width: of the length, in bytes, 1 to 8.
        byteorder: of the length, as for `int.from_bytes`; "big" is the network's.
        counts_itself: whether the length counts its own bytes as well as those of the message.
        max_size: the longest message, in bytes; None for no limit but that of the width.

    Raises:
        TypeError, ValueError: a bad argument.

    >>> from termsplit import Parser
    >>> framing = length_prefixed(2)
    >>> framing.encode(b"hello")
    b'\x00\x05hello'
    >>> list(Parser(framing.grammar).feed(b"\x00\x05hello\x00\x00"))
    [b'hello', b'']
    """
    if not 1 <= width <= 8:
        raise ValueError(f"expected a width of 1 to 8 bytes, got {width}")
    if byteorder not in ("big", "little"):
        raise ValueError(f"expected the byteorder 'big' or 'little', got {byteorder!r}")
    check_max_size(max_size)
    own = width if counts_itself else 0
    longest = 256**width - 1 - own

    def encode(message: bytes) -> bytes:
        message = as_bytes(message)
        check_size(message, longest if max_size is None else min(longest, max_size))
        return (len(message) + own).to_bytes(width, byteorder) + message

    return Framing(_LengthPrefixed(width, byteorder, own, max_size), encode)


class _LengthPrefixed(LengthFirst):
    def __init__(
        self, width: int, byteorder: Literal["big", "little"], own: int, max_size: int | None
    ) -> None:
        self.width = width
        self._byteorder: Literal["big", "little"] = byteorder
        self._own = own
        self._max_size = max_size
        self._length_at: Callable[[bytes, int], tuple[int, ...]] = (
            struct.Struct((">" if byteorder == "big" else "<") + _CODES[width]).unpack_from
            if width in _CODES
            else lambda data, start: (int.from_bytes(data[start : start + width], byteorder),)
        )

    def __call__(self) -> Parse[bytes]:
        prefix = yield self.width
        length = int.from_bytes(prefix, self._byteorder) - self._own
        if length < 0:
            raise MalformedRecord(f"a length that counts its own {self.width} bytes", prefix)
        return (yield Limited(length, self._max_size))

    def cut(self, data: bytes, start: int, stop: int) -> tuple[list[bytes], int]:
        width, own, length_at = self.width, self._own, self._length_at
        stop = min(stop, len(data))
        longest = own + (stop if self._max_size is None else self._max_size)
        messages: list[bytes] = []
        append = messages.append
        while (begin := start + width) <= stop:
            (length,) = length_at(data, start)
            end = begin + length - own
            if not begin <= end <= stop or length > longest:
                break
            append(data[begin:end])
            start = end
        return messages, start

    def size_at(self, data: bytes, start: int) -> int:
        (length,) = self._length_at(data, start)
        size: int = length - self._own
        return -1 if self._max_size is not None and size > self._max_size else size

    def body(self, size: int) -> Limited:
        return Limited(size, self._max_size)

    def length_of(self, body: Limited) -> bytes:
        size = cast("int", body.terminator)
        return (size + self._own).to_bytes(self.width, self._byteorder)


def varint_prefixed(*, max_size: int | None = DEFAULT_MAX_SIZE) -> Framing[bytes]:
    r"""Messages with their length before them, as a varint: seven bits to a byte, the lowest first.

    It is how `Protocol Buffers <https://protobuf.dev/programming-guides/techniques/#streaming>`_ are streamed (its
    ``writeDelimitedTo``; `varints <https://protobuf.dev/programming-guides/encoding/#varints>`_ are told there). A
    length may take up to ten bytes, also when it would fit into fewer, and must be below 2**64.

    Args:
        max_size: the longest message, in bytes; None for no limit.

    Raises:
        TypeError, ValueError: a bad ``max_size``.

    >>> from termsplit import Parser
    >>> framing = varint_prefixed()
    >>> framing.encode(bytes(300))[:3]
    b'\xac\x02\x00'
    >>> list(Parser(framing.grammar).feed(b"\x05hello\x00"))
    [b'hello', b'']
    """
    check_max_size(max_size)

    def grammar() -> Parse[bytes]:
        byte = yield 1
        length = byte[0]
        if length > 0x7F:
            length &= 0x7F
            for shift in range(7, 7 * _VARINT_BYTES, 7):
                byte = yield 1
                length |= (byte[0] & 0x7F) << shift
                if byte[0] <= 0x7F:
                    break
            if byte[0] > 0x7F or length >= 1 << 64:
                raise MalformedRecord("the last byte of a length below 2**64", byte)
        return (yield Limited(length, max_size))

    def encode(message: bytes) -> bytes:
        message = as_bytes(message)
        check_size(message, max_size)
        prefix = bytearray()
        length = len(message)
        while length > 0x7F:
            prefix.append(length & 0x7F | 0x80)
            length >>= 7
        prefix.append(length)
        return bytes(prefix) + message

    return Framing(grammar, encode)


def fixed_size(size: int) -> Framing[bytes]:
    """Messages of one size, with nothing between them.

    Args:
        size: of each message, in bytes, 1 or more.

    Raises:
        ValueError: ``size`` is below 1.

    >>> from termsplit import Parser
    >>> list(Parser(fixed_size(3).grammar).feed(b"onetwothr"))
    [b'one', b'two', b'thr']
    """
    if size < 1:
        raise ValueError(f"expected a size of 1 byte or more, got {size}")

    def encode(message: bytes) -> bytes:
        message = as_bytes(message)
        if len(message) != size:
            raise ValueError(f"expected a message of {size} bytes, got {len(message)}")
        return message

    return Framing(EachRecord(Limited(size, size)), encode)
