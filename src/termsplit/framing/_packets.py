"""Packets whose bytes are stuffed, so that the byte that ends one never stands in it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from termsplit._bytes import as_bytes
from termsplit._engine import DEFAULT_MAX_SIZE
from termsplit._errors import MalformedRecord
from termsplit._parser import Parse
from termsplit._terminators import Limited

from ._framing import Framing, check_size

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["cobs", "slip"]

# The most bytes that one code byte of COBS can stand for, itself not counted.
_COBS_GROUP = 254

_END, _ESC, _ESC_END, _ESC_ESC = b"\xc0", b"\xdb", b"\xdb\xdc", b"\xdb\xdd"
_find_bad_escape = re.compile(rb"\xdb(?![\xdc\xdd])").search


def cobs(*, max_size: int | None = DEFAULT_MAX_SIZE) -> Framing[bytes]:
    r"""Packets that end at a zero byte, their own zeros taken out by consistent overhead byte stuffing.

    S. Cheshire and M. Baker, `Consistent Overhead Byte Stuffing <https://doi.org/10.1109/90.769765>`_, IEEE/ACM
    Transactions on Networking 7 (2), 1999. A zero with no packet before it, sent to find the boundary again, is
    passed over; the stream must not end there.

    Args:
        max_size: the longest packet as it is sent, without the zero at its end, in bytes; None for no
            limit. Stuffing adds a byte, and one more for every 254.

    Raises:
        TypeError, ValueError: a bad ``max_size``.

    >>> from termsplit import Parser
    >>> framing = cobs()
    >>> framing.encode(b"\x00hello")
    b'\x01\x06hello\x00'
    >>> list(Parser(framing.grammar).feed(b"\x01\x06hello\x00\x01\x00"))
    [b'\x00hello', b'']
    """
    return _packets(b"\x00", _cobs_encode, _cobs_decode, max_size)


def slip(*, max_size: int | None = DEFAULT_MAX_SIZE) -> Framing[bytes]:
    r"""Packets that end at the byte 0xC0, which is escaped where it stands in them.

    `RFC 1055 <https://www.rfc-editor.org/rfc/rfc1055>`_. Empty packets do not exist: 0xC0 with no packet before it,
    sent to flush out noise on the line, is passed over; the stream must not end there. An escape that the RFC does
    not know is refused.

    Args:
        max_size: the longest packet as it is sent, without the 0xC0 at its end, in bytes; None for no
            limit. Escaping doubles some bytes.

    Raises:
        TypeError, ValueError: a bad ``max_size``.

    >>> from termsplit import Parser
    >>> framing = slip()
    >>> framing.encode(b"\xc0hello")
    b'\xdb\xdchello\xc0'
    >>> list(Parser(framing.grammar).feed(b"\xc0\xdb\xdchello\xc0"))
    [b'\xc0hello']
    """
    return _packets(_END, _slip_encode, _slip_decode, max_size)


def _packets(
    end: bytes,
    stuff: Callable[[bytes], bytes],
    unstuff: Callable[[bytes], bytes],
    max_size: int | None,
) -> Framing[bytes]:
    limited = Limited(end, max_size)

    def grammar() -> Parse[bytes]:
        packet = b""
        while not packet:
            packet = yield limited
        return unstuff(packet)

    def encode(message: bytes) -> bytes:
        packet = stuff(as_bytes(message))
        if not packet:
            raise ValueError("expected a message of one byte or more, got none")
        check_size(packet, max_size, "a packet")
        return packet + end

    return Framing(grammar, encode)


def _cobs_encode(message: bytes) -> bytes:
    packet = bytearray()
    runs = message.split(b"\x00")
    for index, run in enumerate(runs, 1):
        for start in range(0, len(run), _COBS_GROUP):
            group = run[start : start + _COBS_GROUP]
            packet.append(len(group) + 1)
            packet += group
        # A full group stands for no zero behind it, so the zero takes one of its own.
        if not run or (len(run) % _COBS_GROUP == 0 and index < len(runs)):
            packet.append(1)
    return bytes(packet)


def _cobs_decode(packet: bytes) -> bytes:
    message = bytearray()
    start, size = 0, len(packet)
    while start < size:
        code = packet[start]
        end = start + code
        if end > size:
            raise MalformedRecord(
                f"{code - 1} bytes behind the code byte 0x{code:02x}", packet, start
            )
        message += packet[start + 1 : end]
        if code <= _COBS_GROUP and end < size:
            message.append(0)
        start = end
    return bytes(message)


def _slip_encode(message: bytes) -> bytes:
    return message.replace(_ESC, _ESC_ESC).replace(_END, _ESC_END)


def _slip_decode(packet: bytes) -> bytes:
    if _ESC not in packet:
        return packet
    if bad := _find_bad_escape(packet):
        raise MalformedRecord("0xdc or 0xdd behind the escape 0xdb", packet, bad.start())
    return packet.replace(_ESC_END, _END).replace(_ESC_ESC, _ESC)
