"""What the input machine reports: facts, in the past tense, in the order of the stream.

Events are plain slotted objects whose fields type checkers refuse to assign to: a record costs two of
them, and a frozen dataclass takes twice the time to make. Those without a payload of their own are
made once.
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from typing import TypeAlias

__all__ = [
    "NEED_DATA",
    "DataReceived",
    "EOFReceived",
    "Event",
    "NeedData",
    "RecordSkipped",
    "TerminatorFound",
]


class NeedData(enum.Enum):
    """The type of `NEED_DATA`; an enum, so that ``is NEED_DATA`` narrows for type checkers."""

    NEED_DATA = "NEED_DATA"

    def __repr__(self) -> str:
        return self.name


NEED_DATA: Final = NeedData.NEED_DATA
"""Returned when there is nothing to report before more bytes, or the end of the stream, arrive."""


class _Fact:
    """Equality and ``repr`` by the fields named in ``__match_args__``."""

    __slots__ = ()
    __match_args__: tuple[str, ...] = ()

    def _fields(self) -> tuple[object, ...]:
        return tuple(getattr(self, name) for name in self.__match_args__)

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return self._fields() == other._fields()

    def __hash__(self) -> int:
        return hash((type(self), self._fields()))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(map(repr, self._fields()))})"


class DataReceived(_Fact):
    """The next bytes of the record in progress; a record may come in any number of pieces.

    Args:
        data: the bytes, never empty.
    """

    __slots__ = ("data",)
    __match_args__ = ("data",)

    def __init__(self, data: bytes) -> None:
        self.data: Final = data


class TerminatorFound(_Fact):
    """The record in progress is complete.

    Args:
        terminator: what ended it: the bytes that were matched (of an `AnyOf`, the one found) or the
            count that was reached.
    """

    __slots__ = ("terminator",)
    __match_args__ = ("terminator",)

    def __init__(self, terminator: bytes | int) -> None:
        self.terminator: Final = terminator


class RecordSkipped(_Fact):
    """A record longer than its limit was passed over, up to and including its terminator.

    Args:
        size: the length of the whole record in bytes, without its terminator.
    """

    __slots__ = ("size",)
    __match_args__ = ("size",)

    def __init__(self, size: int) -> None:
        self.size: Final = size


class EOFReceived(_Fact):
    """The stream ended, and everything before its end was reported.

    Args:
        clean: whether it ended at a record's boundary, or under the terminator None, for which the
            end of the stream is the end of the record.
    """

    __slots__ = ("clean",)
    __match_args__ = ("clean",)

    def __init__(self, clean: bool) -> None:
        self.clean: Final = clean


Event: TypeAlias = DataReceived | TerminatorFound | RecordSkipped | EOFReceived
"""What `Splitter.events` reports."""
TooLong: TypeAlias = Literal["raise", "skip"]


def check_too_long(too_long: object) -> None:
    if too_long != "raise" and too_long != "skip":
        raise ValueError(f'expected too_long to be "raise" or "skip", got {too_long!r}')
