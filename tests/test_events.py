from __future__ import annotations

import pickle

import pytest

from termsplit import (
    NEED_DATA,
    DataReceived,
    EOFReceived,
    Event,
    NeedData,
    RecordSkipped,
    TerminatorFound,
)

EVENTS: list[Event] = [
    DataReceived(b"1"),
    DataReceived(b"2"),
    TerminatorFound(b"1"),
    TerminatorFound(1),
    TerminatorFound(2),
    RecordSkipped(1),
    RecordSkipped(2),
    EOFReceived(True),
    EOFReceived(False),
]


def twin(event: Event) -> Event:
    """Another object with the same fields."""
    match event:
        case DataReceived(data):
            return DataReceived(data)
        case TerminatorFound(terminator):
            return TerminatorFound(terminator)
        case RecordSkipped(size):
            return RecordSkipped(size)
        case EOFReceived(clean):
            return EOFReceived(clean)


@pytest.mark.parametrize("event", EVENTS, ids=repr)
def test_events_are_equal_by_kind_and_fields(event: Event) -> None:
    assert twin(event) is not event
    assert [other for other in EVENTS if other == event] == [twin(event)]
    assert hash(twin(event)) == hash(event)
    assert event != "an event"


@pytest.mark.parametrize("event", EVENTS, ids=repr)
def test_the_repr_is_the_call_that_makes_it(event: Event) -> None:
    assert eval(repr(event)) == event


@pytest.mark.parametrize("event", EVENTS, ids=repr)
def test_events_can_be_pickled(event: Event) -> None:
    assert pickle.loads(pickle.dumps(event)) == event


def test_events_have_no_room_for_anything_else() -> None:
    with pytest.raises(AttributeError):
        DataReceived(b"").size = 3  # type: ignore[attr-defined]


def test_need_data_says_its_name() -> None:
    assert repr(NEED_DATA) == "NEED_DATA"
    assert isinstance(NEED_DATA, NeedData)
    assert pickle.loads(pickle.dumps(NEED_DATA)) is NEED_DATA
