"""Contract 5: what was received comes out once, what was pushed goes out once, whatever fails in between."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from termsplit import (
    AnyOf,
    Chat,
    DataReceived,
    IncompleteRecord,
    LocalProtocolError,
    Parse,
    Parser,
    ProducerQueue,
    RecordTooLong,
    Splitter,
    TerminatorFound,
)
from tests import strategies


class Refused(Exception):
    """What the producers, grammars and callbacks below raise."""


class Producing:
    """An object with more(), and what is known of it."""

    def __init__(self, parts: list[bytes], fails: bool) -> None:
        self.parts = parts
        self.fails = fails
        self.closed = 0

    def more(self) -> bytes:
        if self.parts:
            return self.parts.pop(0)
        if self.fails:
            raise Refused
        return b""

    def close(self) -> None:
        self.closed += 1


# Small ones are joined, large ones are not.
sizes = st.sampled_from([0, 1, 2, 10, 100, 4095, 4096, 5000, 20_000])
HIGH, LOW = 6000, 500


class Output(RuleBasedStateMachine):
    """The queue, with all that was pushed; what comes out is compared with that."""

    def __init__(self) -> None:
        super().__init__()
        self.queue = ProducerQueue(high_water=HIGH, low_water=LOW)
        self.queue.on_output = self.wake
        self.made = random.Random(0)
        self.begin()

    def begin(self) -> None:
        self.expected = b""  # all that was pushed, up to where the queue breaks
        self.sent = b""
        self.shown = 0
        self.breaks = False
        self.closing = False
        self.congested = False
        self.awake = False
        self.producers: list[Producing] = []

    def wake(self) -> None:
        self.awake = True

    def make(self, size: int) -> bytes:
        return self.made.randbytes(size)

    def expect(self, data: bytes) -> None:
        if not self.breaks:
            self.expected += data

    def is_open(self) -> bool:
        return not self.closing and self.queue.broken is None

    @precondition(is_open)
    @rule(sizes=st.lists(sizes, max_size=4))
    def push(self, sizes: list[int]) -> None:
        for size in sizes:
            data = self.make(size)
            self.queue.push(data)
            self.expect(data)

    @precondition(is_open)
    @rule(sizes=st.lists(sizes, max_size=3), kind=st.sampled_from(["object", "list", "iterator"]))
    def push_producer(self, sizes: list[int], kind: str) -> None:
        parts = list(map(self.make, sizes))
        if kind == "object":
            parts = list(filter(None, parts))
            producer = Producing(parts.copy(), fails=False)
            self.producers.append(producer)
            self.queue.push_producer(producer)
        else:
            self.queue.push_producer(parts if kind == "list" else iter(parts))
        self.expect(b"".join(parts))

    @precondition(is_open)
    @rule(size=sizes.filter(bool))
    def push_a_failing_producer(self, size: int) -> None:
        data = self.make(size)
        producer = Producing([data], fails=True)
        self.producers.append(producer)
        self.queue.push_producer(producer)
        self.expect(data)
        self.breaks = True

    @rule()
    def close_when_done(self) -> None:
        self.queue.close_when_done()
        self.closing = True

    @rule(max_bytes=st.sampled_from([1, 7, 1000, 4096, 10_000, 2**20]))
    def show(self, max_bytes: int) -> None:
        self.shown = 0
        if self.queue.broken is not None:
            with pytest.raises(LocalProtocolError):
                self.queue.data_to_send(max_bytes)
            return
        try:
            shown = self.queue.data_to_send(max_bytes)
        except Refused:
            assert self.breaks
            assert self.sent == self.expected
        else:
            self.shown = len(shown)
            assert self.shown <= max_bytes
            assert shown == self.expected[len(self.sent) : len(self.sent) + self.shown]
            if not shown:
                assert self.sent == self.expected
                # An adapter sleeps now, until it is woken.
                self.awake = False

    @rule(part=st.sampled_from([0.0, 0.3, 0.9, 1.0, 1.0]))
    def acknowledge(self, part: float) -> None:
        if self.queue.broken is not None:
            return
        count = int(part * self.shown)
        self.congested = self.queue.congested
        self.queue.data_sent(count)
        self.sent += self.expected[len(self.sent) : len(self.sent) + count]
        self.shown -= count

    @rule()
    def acknowledge_too_much(self) -> None:
        with pytest.raises(ValueError, match="bytes sent"):
            self.queue.data_sent(self.shown + 1)

    @rule(really=st.integers(0, 4))
    def discard(self, really: int) -> None:
        if really == 4:
            self.queue.discard_buffers()
            assert all(producer.closed == 1 for producer in self.producers)
            self.begin()

    @rule()
    def drain(self) -> None:
        while self.queue.broken is None:
            self.show(3000)
            if not self.shown:
                break
            self.acknowledge(1.0)

    @invariant()
    def the_marks_hold(self) -> None:
        queue = self.queue
        if queue.buffered > HIGH:
            assert queue.congested
        if queue.buffered <= LOW:
            assert not queue.congested
        if queue.congested:
            assert self.congested or queue.buffered > HIGH

    @invariant()
    def all_is_accounted_for(self) -> None:
        queue = self.queue
        assert queue.closing == self.closing
        assert not queue.must_close or (self.closing and self.sent == self.expected)
        if len(self.sent) < len(self.expected):
            assert queue.output_pending
        if queue.output_pending and queue.broken is None:
            assert self.awake

    def teardown(self) -> None:
        self.drain()
        if self.breaks:
            assert isinstance(self.queue.broken, Refused)
            assert not self.queue.must_close
        else:
            assert self.sent == self.expected
            assert not self.queue.output_pending
            assert self.queue.must_close == self.closing
        self.queue.discard_buffers()
        assert all(producer.closed == 1 for producer in self.producers)


TestOutput = Output.TestCase
TestOutput.settings = settings(stateful_step_count=30)


RECORDS = [b"%d" % i for i in range(60)]
STREAM = b"".join(record + b"\n" for record in RECORDS)
failures = st.sets(st.integers(0, 59), max_size=8)
chunk_sizes = st.sampled_from([1, 2, 7, 50, 1000])


def chunks(size: int) -> Iterator[bytes]:
    for begin in range(0, len(STREAM), size):
        yield STREAM[begin : begin + size]


def until_it_goes_on(call: Callable[[], object]) -> None:
    """Call it again as long as it raises what the application itself raised."""
    while True:
        try:
            call()
        except Refused:
            continue
        return


@given(failures, chunk_sizes, st.sampled_from([b"\n", AnyOf(b"\n", b"\r\n")]))
def test_a_grammar_that_raises_has_had_its_record_and_nothing_behind_it(
    failures: set[int], size: int, terminator: bytes | AnyOf
) -> None:
    sent: list[bytes] = []
    given: list[bytes] = []

    def grammar() -> Parse[bytes]:
        record = yield terminator
        sent.append(record)
        if int(record) in failures:
            raise Refused
        return record

    parser = Parser(grammar)
    for chunk in chunks(size):
        parser.receive_data(chunk)
        until_it_goes_on(lambda: given.extend(parser.messages()))
    assert sent == RECORDS
    assert given == [record for record in RECORDS if int(record) not in failures]


@given(failures, failures, chunk_sizes)
def test_a_callback_that_raises_has_had_its_data_and_nothing_behind_it(
    at_data: set[int], at_terminators: set[int], size: int
) -> None:
    class Failing(Chat):
        def __init__(self) -> None:
            super().__init__(b"\n")
            self.records = [b""]

        def collect_incoming_data(self, data: bytes) -> None:
            self.records[-1] += data
            if int(self.records[-1]) in at_data:
                raise Refused

        def found_terminator(self) -> None:
            number = int(self.records[-1])
            self.records.append(b"")
            if number in at_terminators:
                raise Refused

    chat = Failing()
    for chunk in chunks(size):
        chat.connection.receive_data(chunk)
        until_it_goes_on(chat.dispatch)
    assert chat.records == [*RECORDS, b""]


@given(st.lists(st.sampled_from(["event", "record", "look", "abandon"]), max_size=40), chunk_sizes)
def test_what_is_not_taken_is_handed_over(steps: list[str], size: int) -> None:
    splitter = Splitter(b"\n")
    taken = b""
    for chunk in chunks(size):
        splitter.receive_data(chunk)
    for step in steps:
        if step == "event" or (step == "record" and taken[-1:] not in (b"", b"\n")):
            event = splitter.next_event()
            assert isinstance(event, (DataReceived, TerminatorFound))
            taken += event.data if isinstance(event, DataReceived) else b"\n"
        elif step == "record":
            record = splitter.next_record()
            assert isinstance(record, bytes)
            taken += record + b"\n"
        elif step == "look":
            assert splitter.trailing_data == STREAM[len(taken) :]
        else:
            splitter.events(), splitter.records()
    assert taken + splitter.detach() == STREAM


@given(strategies.streams, strategies.terminators, strategies.limits)
def test_an_error_discards_nothing_before_it_and_nothing_behind_it(
    stream: bytes, terminator: Any, max_size: int | None
) -> None:
    """The record at fault is there to be looked at, and so is all that follows."""
    splitter = Splitter(terminator, max_size=max_size)
    splitter.receive_data(stream)
    splitter.receive_eof()
    raised: RecordTooLong | IncompleteRecord | None = None
    try:
        for _ in splitter.records():
            pass
    except (RecordTooLong, IncompleteRecord) as error:
        raised = error
    if raised is None:
        assert splitter.trailing_data == b""
    else:
        assert raised.offset == splitter.offset
        assert splitter.trailing_data == stream[raised.offset :]
        if isinstance(raised, IncompleteRecord):
            assert raised.partial == splitter.trailing_data
