"""The errors, under one root.

::

    TermsplitError
    ├── LocalProtocolError       the application called something that its state forbids
    ├── RemoteProtocolError      the peer's bytes are at fault
    │   ├── RecordTooLong        a record, or an announced count, is above the limit
    │   ├── IncompleteRecord     the stream ended in the middle of a record
    │   ├── MalformedRecord      a record is not what its grammar expects
    │   └── UnexpectedData       bytes stand where a handover allows none
    └── ConnectionLost           raised by backends: the transport failed, or was closed under us

A bad argument is a plain ValueError or TypeError.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ._terminators import Terminator

__all__ = [
    "ConnectionLost",
    "IncompleteRecord",
    "LocalProtocolError",
    "MalformedRecord",
    "RecordTooLong",
    "RemoteProtocolError",
    "TermsplitError",
    "UnexpectedData",
]

# So many bytes of a record at fault are enough to recognize it by.
_SHOWN = 32


class TermsplitError(Exception):
    """The root of all errors that termsplit defines."""


class LocalProtocolError(TermsplitError):
    """The application called something that the state of the connection forbids."""


class RemoteProtocolError(TermsplitError):
    """The peer sent bytes that break the rules which the application set."""


class RecordTooLong(RemoteProtocolError):
    """A record is longer than its limit.

    Raised once for a record, as soon as byte ``limit + 1`` is known to be data; for a count above the
    limit, before a byte of it is read. Parsing can go on: the next call passes over the rest of the
    record, up to and including the terminator it was waiting for, and goes on with the next record.

    Attributes:
        limit: the limit that was exceeded, in bytes.
        offset: the position in the stream of the first unparsed byte.
    """

    def __init__(self, limit: int, offset: int) -> None:
        super().__init__(limit, offset)
        self.limit = limit
        self.offset = offset

    def __str__(self) -> str:
        return f"expected a record of at most {self.limit} bytes, got a longer one at offset {self.offset}"


class IncompleteRecord(RemoteProtocolError):
    """The stream ended before the record did.

    Attributes:
        partial: the bytes of the record that did come.
        expected: the terminator that did not.
        offset: the position in the stream of the first byte of ``partial``.
    """

    def __init__(self, partial: bytes, expected: Terminator, offset: int) -> None:
        super().__init__(partial, expected, offset)
        self.partial = partial
        self.expected = expected
        self.offset = offset

    def __str__(self) -> str:
        bare = getattr(self.expected, "terminator", self.expected)
        expected = f"a record of {bare} bytes" if isinstance(bare, int) else f"terminator {bare!r}"
        return (
            f"expected {expected}, got the end of the stream after "
            f"{len(self.partial)} bytes of a record at offset {self.offset}"
        )


class MalformedRecord(RemoteProtocolError):
    r"""A record is not what its protocol allows there; for grammars to raise.

    A grammar does not know where in the stream it is: the `Parser` that runs it does, and sets ``offset``.

    Args:
        expected: what should have stood there, as it continues "expected ...".
        record: the record that was sent to the grammar last.
        index: the place in ``record`` where it went wrong.

    Attributes:
        expected: as given.
        record: as given.
        index: as given.
        offset: the position in the stream of ``record[index]``; None before a `Parser` has set it, or if the grammar
            has set a terminator by itself since, so that it is not known.

    >>> from termsplit import Parser
    >>> def number():
    ...     line = yield b"\n"
    ...     if not line.isdigit():
    ...         raise MalformedRecord("a number", line)
    ...     return int(line)
    >>> list(Parser(number).feed(b"12\nabc\n"))
    Traceback (most recent call last):
    ...
    termsplit._errors.MalformedRecord: expected a number, got b'abc' at offset 3
    """

    def __init__(self, expected: str, record: bytes, index: int = 0) -> None:
        super().__init__(expected, record, index)
        self.expected = expected
        self.record = record
        self.index = index
        self.offset: int | None = None

    def __str__(self) -> str:
        got = self.record[self.index :]
        shown = repr(got) if len(got) <= _SHOWN else f"{got[:_SHOWN]!r} and more"
        place = "" if self.offset is None else f" at offset {self.offset}"
        return f"expected {self.expected}, got {shown}{place}"


class UnexpectedData(RemoteProtocolError):
    """Bytes were received where a handover allows none: before STARTTLS, injected plaintext.

    Attributes:
        data: the bytes that were there.
        offset: the position in the stream of the first of them.
    """

    def __init__(self, data: bytes, offset: int) -> None:
        super().__init__(data, offset)
        self.data = data
        self.offset = offset

    def __str__(self) -> str:
        return f"expected no data before the handover, got {len(self.data)} bytes at offset {self.offset}"


class ConnectionLost(TermsplitError):
    """The transport failed: the peer reset the connection, or it was closed while in use.

    The loop's own exception is the ``__cause__``, where there is one.
    """
