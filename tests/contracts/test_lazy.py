"""Contract 3: nothing is parsed beyond what the application has taken.

Whatever is done between two events, the next byte is where the model, which looks at one record at a time, says.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import settings, strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, rule

from termsplit import (
    NEED_DATA,
    AnyOf,
    Chat,
    DataReceived,
    EOFReceived,
    IncompleteRecord,
    Limited,
    LocalProtocolError,
    Parse,
    Parser,
    RecordTooLong,
    Splitter,
    Terminator,
    TerminatorFound,
)
from tests import strategies
from tests.model import Model, TooLong

ERRORS = (RecordTooLong, IncompleteRecord, LocalProtocolError)


class Taking:
    """An iterator of one face, and what the model says it gives."""

    def __init__(self, splitter: Splitter, model: Model, face: str, too_long: TooLong) -> None:
        self.model = model
        self.too_long: TooLong = too_long
        self.face = face
        self.iterator: Iterator[Any]
        if face == "events":
            self.iterator = splitter.events(too_long=too_long)
        elif too_long == "raise":
            self.iterator = splitter.records()
        else:
            self.iterator = splitter.records(too_long="skip")
        self.ended = False

    def expected(self) -> Any:
        if self.ended:
            return NEED_DATA
        take = self.model.next_event if self.face == "events" else self.model.next_record
        try:
            return take(self.too_long)
        except ERRORS as error:
            return type(error), *(error.args if type(error) is not LocalProtocolError else ())

    def actual(self) -> Any:
        try:
            return next(self.iterator, NEED_DATA)
        except ERRORS as error:
            return type(error), *(error.args if type(error) is not LocalProtocolError else ())

    def step(self) -> None:
        expected, actual = self.expected(), self.actual()
        if isinstance(expected, DataReceived) and isinstance(actual, DataReceived) and actual.data:
            # The pieces of a record are the machine's affair.
            excess = len(expected.data) - len(actual.data)
            self.model.position -= excess
            expected = DataReceived(expected.data[: len(actual.data)])
        assert actual == expected
        self.ended = actual is NEED_DATA or isinstance(actual, (tuple, EOFReceived))


class Comparison(RuleBasedStateMachine):
    taking: Bundle[Taking] = Bundle("taking")

    @initialize(terminator=strategies.terminators, max_size=strategies.limits)
    def begin(self, terminator: Terminator, max_size: int | None) -> None:
        self.splitter = Splitter(terminator, max_size=max_size)
        self.model = Model(terminator, max_size)

    @rule(data=strategies.streams)
    def receive_data(self, data: bytes) -> None:
        if not self.model.eof:
            self.splitter.receive_data(data)
            self.model.data += data

    @rule(really=st.integers(0, 3))
    def receive_eof(self, really: int) -> None:
        if really == 3:
            self.splitter.receive_eof()
            self.model.eof = True

    @rule(terminator=strategies.terminators)
    def set_terminator(self, terminator: Terminator) -> None:
        self.splitter.set_terminator(terminator)
        self.model.set_terminator(terminator)

    @rule()
    def set_the_same_terminator(self) -> None:
        self.set_terminator(self.model.get_terminator())

    @rule(target=taking, face=st.sampled_from(["events", "records"]), too_long=strategies.policies)
    def take(self, face: str, too_long: TooLong) -> Taking:
        return Taking(self.splitter, self.model, face, too_long)

    @rule(taking=taking, steps=st.sampled_from([1, 1, 2, 3, 9, 40]))
    def step(self, taking: Taking, steps: int) -> None:
        for _ in range(steps):
            taking.step()

    @rule(taking=taking, steps=st.integers(1, 4))
    def step_looking_each_time(self, taking: Taking, steps: int) -> None:
        for _ in range(steps):
            taking.step()
            self.look()

    @rule(taking=consumes(taking))
    def step_and_abandon(self, taking: Taking) -> None:
        taking.step()

    @rule()
    def look(self) -> None:
        assert self.splitter.offset == self.model.position
        assert self.splitter.trailing_data == self.model.data[self.model.position :]

    @rule()
    def look_at_the_terminator(self) -> None:
        terminator = self.splitter.get_terminator()
        assert terminator == self.model.get_terminator()

    def teardown(self) -> None:
        if hasattr(self, "splitter"):
            assert self.splitter.detach() == self.model.data[self.model.position :]


def test_an_iterator_over_records_takes_none_that_is_taken_as_events() -> None:
    splitter = Splitter(b"\n")
    records, events = splitter.records(), splitter.events()
    splitter.receive_data(b"".join(b"%d\n" % i for i in range(20)))
    assert [next(records) for _ in range(4)] == [b"0", b"1", b"2", b"3"]
    assert next(events) == DataReceived(b"4")
    with pytest.raises(LocalProtocolError, match="taken as events"):
        next(records)
    assert next(events) == TerminatorFound(b"\n")
    assert list(splitter.records()) == [b"%d" % i for i in range(5, 20)]


def test_an_iterator_over_events_gives_back_what_one_over_records_has_borrowed() -> None:
    splitter = Splitter(b"\n")
    splitter.receive_data(b"".join(b"%d\n" % i for i in range(30)))
    events, records = splitter.events(), splitter.records()
    for _ in range(4):
        next(events)
    assert next(records) == b"2"
    assert next(events) == DataReceived(b"3")
    with pytest.raises(LocalProtocolError, match="taken as events"):
        next(records)
    assert splitter.offset == 7


TestComparison = Comparison.TestCase
TestComparison.settings = settings(max_examples=300, stateful_step_count=40)


# Enough records that most of them are cut in batches, of sizes that grow.
NUMBERS = [b"%d" % i for i in range(300)]
SAME = [b"\n", AnyOf(b"\n", b"\r\n"), Limited(b"\n", 5)]


def stream(numbers: list[bytes], terminator: bytes = b"\n") -> bytes:
    return b"".join(number + terminator for number in numbers)


@pytest.mark.parametrize("terminator", SAME)
@pytest.mark.parametrize("taken", [1, 2, 3, 7, 100, 250])
class TestInTheMiddleOfABatch:
    def test_offset_and_trailing_data_show_the_next_byte(
        self, terminator: Terminator, taken: int
    ) -> None:
        splitter = Splitter(terminator)
        splitter.receive_data(stream(NUMBERS))
        records = splitter.records()
        assert [next(records) for _ in range(taken)] == NUMBERS[:taken]
        assert splitter.offset == len(stream(NUMBERS[:taken]))
        assert splitter.trailing_data == stream(NUMBERS[taken:])
        assert list(records) == NUMBERS[taken:]

    def test_detach_hands_over_from_the_next_byte(self, terminator: Terminator, taken: int) -> None:
        splitter = Splitter(terminator)
        events = splitter.feed(stream(NUMBERS))
        for _ in range(2 * taken):
            next(events)
        assert splitter.detach() == stream(NUMBERS[taken:])
        assert list(events) == []

    @pytest.mark.parametrize("new", [b";", AnyOf(b";", b"!"), 2, 0, None])
    def test_a_new_terminator_holds_from_the_next_byte(
        self, terminator: Terminator, taken: int, new: Terminator
    ) -> None:
        splitter = Splitter(terminator)
        data = stream(NUMBERS[:taken]) + b"x\n;" + stream(NUMBERS[taken:])
        splitter.receive_data(data)
        records = splitter.records()
        assert [next(records) for _ in range(taken)] == NUMBERS[:taken]
        splitter.set_terminator(new)
        rest = data[len(stream(NUMBERS[:taken])) :]
        if new is None:
            splitter.receive_eof()
            assert list(records) == [rest]
        elif isinstance(new, int):
            assert next(records) == rest[:new]
        else:
            assert next(records) == b"x\n"

    def test_a_new_terminator_between_data_and_its_terminator(
        self, terminator: Terminator, taken: int
    ) -> None:
        splitter = Splitter(terminator)
        events = splitter.feed(stream(NUMBERS))
        for _ in range(2 * taken - 2):
            next(events)
        assert next(events) == DataReceived(NUMBERS[taken - 1])
        splitter.set_terminator(3)
        assert next(events) == DataReceived(b"\n" + stream(NUMBERS[taken:])[:2])

    def test_a_grammar_stands_still_behind_each_message(
        self, terminator: Terminator, taken: int
    ) -> None:
        def grammar() -> Parse[bytes]:
            return (yield terminator)

        parser = Parser(grammar)
        messages = parser.feed(stream(NUMBERS))
        assert [next(messages) for _ in range(taken)] == NUMBERS[:taken]
        assert parser.splitter.offset == len(stream(NUMBERS[:taken]))
        assert parser.splitter.detach() == stream(NUMBERS[taken:])
        assert list(messages) == []

    def test_a_callback_may_stop_everything(self, terminator: Terminator, taken: int) -> None:
        class Stopping(Chat):
            def __init__(self, stop: Callable[[Chat], object]) -> None:
                super().__init__(terminator)
                self.stop = stop
                self.numbers: list[bytes] = []

            def collect_incoming_data(self, data: bytes) -> None:
                self.numbers.append(data)

            def found_terminator(self) -> None:
                if len(self.numbers) == taken:
                    self.stop(self)

        for stop in (Chat.close_when_done, lambda chat: chat.connection.detach()):
            chat = Stopping(stop)
            chat.feed(stream(NUMBERS))
            assert chat.numbers == NUMBERS[:taken]
            assert chat.connection.offset == len(stream(NUMBERS[:taken]))


def test_nothing_is_parsed_before_it_is_asked_for() -> None:
    splitter = Splitter(b"\n")
    events = splitter.feed(b"a\nb\n")
    records = splitter.records()
    splitter.set_terminator(3)
    assert splitter.trailing_data == b"a\nb\n"
    assert next(records) == b"a\nb"
    assert next(events) == DataReceived(b"\n")


def test_a_new_terminator_at_each_of_many_records() -> None:
    splitter = Splitter(b"\n")
    splitter.receive_data(b"".join(b"head %d\nbody" % i for i in range(100)))
    given: list[bytes] = []
    for record in splitter.records():
        given.append(record)
        splitter.set_terminator(b"\n" if record == b"body" else 4)
    assert given == [part for i in range(100) for part in (b"head %d" % i, b"body")]


def test_looking_at_each_record_changes_nothing() -> None:
    splitter = Splitter(b"\n")
    splitter.receive_data(stream(NUMBERS))
    offset = 0
    for number in NUMBERS:
        assert splitter.offset == offset
        assert splitter.next_record() == number
        offset += len(number) + 1


def test_each_terminator_found_is_the_one_of_its_record() -> None:
    ends = [b"\n" if i % 3 else b"\r\n" for i in range(300)]
    splitter = Splitter(AnyOf(b"\n", b"\r\n"))
    events = splitter.feed(b"".join(map(b"".join, zip(NUMBERS, ends, strict=True))))
    assert [e for e in events if isinstance(e, TerminatorFound)] == list(map(TerminatorFound, ends))
