"""Messages that end at a terminator."""

from __future__ import annotations

from termsplit._batched import EachRecord
from termsplit._bytes import as_bytes
from termsplit._engine import DEFAULT_MAX_SIZE
from termsplit._errors import MalformedRecord, RecordTooLong
from termsplit._parser import Parse
from termsplit._terminators import AnyOf, Limited, Pattern, check_max_size, literal_pattern

from ._framing import Framing, check_size

__all__ = ["lines", "strict_lines"]


def lines(
    terminator: bytes | AnyOf = b"\n", *, max_size: int | None = DEFAULT_MAX_SIZE
) -> Framing[bytes]:
    r"""Messages that each end at a terminator: ``b"\n"``, ``b"\r\n"``, or any of several.

    Args:
        terminator: what ends a line. Each alternative of an `AnyOf` ends a line that comes in; the first
            is the one that is written.
        max_size: the longest line without its terminator, in bytes; None for no limit.

    Raises:
        TypeError, ValueError: a bad argument. An `AnyOf` must not begin with an alternative that another
            one begins with: behind it the next line could be mistaken for the rest of that other.

    >>> from termsplit import Parser
    >>> framing = lines(AnyOf(b"\r\n", b"\n", b"\r"))
    >>> list(Parser(framing.grammar).feed(b"dos\r\nunix\nmac\r."))
    [b'dos', b'unix', b'mac']
    >>> framing.encode(b"hello")
    b'hello\r\n'
    """
    limited = Limited(terminator, max_size)
    if isinstance(terminator, AnyOf):
        written = terminator.alternatives[0]
        pattern: Pattern = terminator.pattern
    else:
        written = terminator
        pattern = literal_pattern(terminator)
    if pattern.search(written, 0, len(written), False) is None:
        raise ValueError(f"expected a first alternative that begins no other, got {terminator!r}")

    def encode(message: bytes) -> bytes:
        message = as_bytes(message)
        check_size(message, max_size)
        line = message + written
        # Not final: a match that the next line could extend is none.
        match = pattern.search(line, 0, len(line), False)
        if match is None or match[:2] != (len(message), len(line)):
            raise ValueError(f"expected a message that {terminator!r} can end, got {message!r}")
        return line

    return Framing(EachRecord(limited), encode)


def strict_lines(*, max_size: int | None = DEFAULT_MAX_SIZE) -> Framing[bytes]:
    r"""Lines that end in CRLF and have no CR or LF anywhere else, as mail demands it.

    `RFC 5321, section 2.3.8 <https://www.rfc-editor.org/rfc/rfc5321#section-2.3.8>`_: peers of which only one takes
    a bare LF or CR for the end of a line can be made to disagree on where a message ends. A line that
    has one is refused as soon as its LF is there.

    Args:
        max_size: the longest line without its CRLF, in bytes; None for no limit.

    Raises:
        TypeError, ValueError: a bad ``max_size``.

    >>> from termsplit import Parser
    >>> for line in Parser(strict_lines().grammar).feed(b"HELO example\r\nQUIT\n"):
    ...     print(line)
    Traceback (most recent call last):
    ...
    termsplit._errors.MalformedRecord: expected a line that ends in CRLF, got b'QUIT' at offset 14
    """
    check_max_size(max_size)
    # LF ends the record, so that the line's CR is a part of it.
    limited = Limited(b"\n", None if max_size is None else max_size + 1)

    def grammar() -> Parse[bytes]:
        try:
            line = yield limited
        except RecordTooLong as error:
            raise RecordTooLong(error.limit - 1, error.offset) from None
        index = line.find(b"\r")
        if index < 0:
            raise MalformedRecord("a line that ends in CRLF", line)
        if index != len(line) - 1:
            raise MalformedRecord("no CR inside a line", line, index)
        return line[:-1]

    def encode(message: bytes) -> bytes:
        message = as_bytes(message)
        check_size(message, max_size)
        if b"\r" in message or b"\n" in message:
            raise ValueError(f"expected a message without CR and LF, got {message!r}")
        return message + b"\r\n"

    return Framing(grammar, encode)
