"""The errors, under one root.

::

    TermsplitError
    ├── LocalProtocolError       the application called something that its state forbids
    ├── RemoteProtocolError      the peer's bytes are at fault
    │   ├── RecordTooLong        a record, or an announced count, is above the limit
    │   ├── IncompleteRecord     the stream ended in the middle of a record
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
    "RecordTooLong",
    "RemoteProtocolError",
    "TermsplitError",
    "UnexpectedData",
]


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
        return (
            f"expected terminator {self.expected!r}, got the end of the stream after "
            f"{len(self.partial)} bytes of a record at offset {self.offset}"
        )


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
