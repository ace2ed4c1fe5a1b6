"""What type checkers know of events and records. Checked, never run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal

from termsplit import (
    NEED_DATA,
    Connection,
    DataReceived,
    EOFReceived,
    NeedData,
    RecordSkipped,
    Splitter,
    TerminatorFound,
)

if TYPE_CHECKING:
    # Both checkers bring its stubs; nobody has to install it.
    from typing_extensions import assert_never, assert_type


def is_need_data_narrows(splitter: Splitter) -> None:
    event = splitter.next_event()
    assert_type(
        event,
        DataReceived | TerminatorFound | RecordSkipped | EOFReceived | Literal[NeedData.NEED_DATA],
    )
    if event is NEED_DATA:
        assert_type(event, Literal[NeedData.NEED_DATA])
        return
    assert_type(event, DataReceived | TerminatorFound | RecordSkipped | EOFReceived)

    record = splitter.next_record()
    if record is NEED_DATA:
        return
    assert_type(record, bytes)


def match_is_exhaustive(connection: Connection) -> None:
    for event in connection.feed(b""):
        match event:
            case DataReceived(data):
                assert_type(data, bytes)
            case TerminatorFound(terminator):
                assert_type(terminator, bytes | int)
            case RecordSkipped(size):
                assert_type(size, int)
            case EOFReceived(clean):
                assert_type(clean, bool)
            case _:
                assert_never(event)


def events_can_not_be_assigned_to(event: DataReceived) -> None:
    event.data = b""  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]


def records_are_bytes_unless_some_may_be_skipped(splitter: Splitter) -> None:
    assert_type(splitter.records(), Iterator[bytes])
    assert_type(splitter.records(too_long="raise"), Iterator[bytes])
    assert_type(splitter.records(too_long="skip"), Iterator[bytes | RecordSkipped])
    splitter.records(too_long="ignore")  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue, reportArgumentType]
