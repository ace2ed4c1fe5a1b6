"""What happened on a connection, as lines of JSON: the form of a recording.

Each line is an object that says ``what`` happened. The first is the ``recording`` itself; offsets count the bytes of one
direction from the start of its stream; bytes are strings of the code points 0 to 255::

    received    offset, data                 bytes that came in, in one chunk
    eof         offset                       the input ended there
    terminator  offset, terminator           a new one is in force from there: a string, a number, null, a list (AnyOf)
                                             or an object (Limited)
    data        offset, size                 a piece of a record was taken as an event
    record      offset, size, end            a record was complete; behind its terminator begins the next
    skipped     size, end                    a record was passed over
    ended       offset, clean                the application was told of the end
    error       offset, error, message       a record was too long or cut off
    waiting     offset                       the application took all there was
    detached    offset, size                 the rest of the input was handed over
    pushed      size                         the application queued bytes; null for a producer
    sent        offset, data                 the transport took bytes
    failed      offset, error, message       a producer did
    closes                                   the application is done
    discarded                                what was queued was dropped
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, cast

from termsplit import AnyOf, Limited
from termsplit._terminators import check_terminator

if TYPE_CHECKING:
    from typing import TypeAlias

    from termsplit import Terminator

__all__ = ["VERSION", "Entry", "bytes_of", "read_recording", "terminator_of", "text_of", "value_of"]

Entry: TypeAlias = "dict[str, Any]"

VERSION = 1


def text_of(data: bytes | memoryview) -> str:
    """Bytes, as they stand in an entry."""
    return str(data, "latin-1")


def bytes_of(entry: Entry) -> bytes:
    """The data of an entry."""
    return cast("str", entry["data"]).encode("latin-1")


def value_of(terminator: Terminator) -> object:
    """A terminator, as it stands in an entry."""
    if isinstance(terminator, Limited):
        return {"terminator": value_of(terminator.terminator), "max_size": terminator.max_size}
    if isinstance(terminator, AnyOf):
        return [text_of(alternative) for alternative in terminator.alternatives]
    return text_of(terminator) if isinstance(terminator, bytes) else terminator


def terminator_of(value: Any) -> Terminator:
    """The terminator that stands in an entry as ``value``."""
    if isinstance(value, dict):
        limited = cast("dict[str, Any]", value)
        return Limited(cast("Any", terminator_of(limited["terminator"])), limited["max_size"])
    if isinstance(value, list):
        return AnyOf(*(one.encode("latin-1") for one in cast("list[str]", value)))
    return value.encode("latin-1") if isinstance(value, str) else cast("int | None", value)


def read_recording(lines: Iterable[str | bytes]) -> Iterator[Entry]:
    """Give the entries of a recording, the first of them first.

    Args:
        lines: a file, open for reading, or its lines.

    Raises:
        ValueError: a line is none of a recording's.
    """
    number = 0
    for number, line in enumerate(lines, 1):
        try:
            entry: object = json.loads(line)
        except ValueError as error:
            raise ValueError(
                f"line {number}: expected JSON, got {_shortened(line)}: {error}"
            ) from None
        what = cast("Entry", entry).get("what") if isinstance(entry, dict) else None
        if not isinstance(what, str) or what not in _FIELDS:
            raise ValueError(
                f"line {number}: expected an entry of a recording, got {_shortened(line)}"
            )
        found = cast("Entry", entry)
        if number == 1 and (what, found.get("version")) != ("recording", VERSION):
            raise ValueError(
                f"line 1: expected a recording of version {VERSION}, got {_shortened(line)}"
            )
        for name, is_right in _FIELDS[what].items():
            if name not in found or not is_right(found[name]):
                raise ValueError(
                    f"line {number}: expected {what!r} with a good {name!r}, got {_shortened(line)}"
                )
        yield found
    if not number:
        raise ValueError("expected a recording, got an empty file")


def _shortened(line: str | bytes) -> str:
    text = line if isinstance(line, str) else line.decode("latin-1")
    return repr(text if len(text) <= 40 else text[:40] + "...")


def _is_size(value: Any) -> bool:
    return type(value) is int and value >= 0


def _is_size_or_none(value: Any) -> bool:
    return value is None or _is_size(value)


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_data(value: Any) -> bool:
    return isinstance(value, str) and (value.isascii() or max(value) <= "\xff")


def _is_flag(value: Any) -> bool:
    return isinstance(value, bool)


def _is_terminator(value: Any) -> bool:
    try:
        check_terminator(terminator_of(value))
    except (AttributeError, KeyError, TypeError, ValueError):
        return False
    return True


_ERROR: dict[str, Callable[[Any], bool]] = {
    "offset": _is_size,
    "error": _is_text,
    "message": _is_text,
}
_FIELDS: dict[str, dict[str, Callable[[Any], bool]]] = {
    "recording": {
        "offset": _is_size,
        "max_size": _is_size_or_none,
        "terminator": _is_terminator,
    },
    "received": {"offset": _is_size, "data": _is_data},
    "eof": {"offset": _is_size},
    "terminator": {"offset": _is_size, "terminator": _is_terminator},
    "data": {"offset": _is_size, "size": _is_size},
    "record": {"offset": _is_size, "size": _is_size, "end": _is_size},
    "skipped": {"size": _is_size, "end": _is_size},
    "ended": {"offset": _is_size, "clean": _is_flag},
    "error": _ERROR,
    "waiting": {"offset": _is_size},
    "detached": {"offset": _is_size, "size": _is_size},
    "pushed": {"size": _is_size_or_none},
    "sent": {"offset": _is_size, "data": _is_data},
    "failed": _ERROR,
    "closes": {},
    "discarded": {},
}
