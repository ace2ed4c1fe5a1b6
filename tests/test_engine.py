from __future__ import annotations

import sys
from typing import Any

import pytest

from termsplit import (
    DEFAULT_MAX_SIZE,
    NEED_DATA,
    AnyOf,
    DataReceived,
    EOFReceived,
    IncompleteRecord,
    Limited,
    RecordTooLong,
    Splitter,
    Terminator,
    TerminatorFound,
)

Data, Found = DataReceived, TerminatorFound


def end(splitter: Splitter) -> Splitter:
    splitter.receive_eof()
    return splitter


class TestTerminators:
    @pytest.mark.parametrize(
        ("terminator", "error", "message"),
        [
            ("\n", TypeError, "expected a terminator of type bytes, int, None, AnyOf or Limited, got str"),
            (True, TypeError, "got bool: True"),
            (False, TypeError, "got bool: False"),
            (1.0, TypeError, "got float"),
            (bytearray(b"\n"), TypeError, "got bytearray"),
            ([b"\n"], TypeError, "got list"),
            (b"", ValueError, "expected a terminator of one byte or more"),
            (-1, ValueError, "expected a count of 0 or more bytes, got -1"),
        ],
    )  # fmt: skip
    def test_a_bad_one_is_refused_at_the_call_and_changes_nothing(
        self, terminator: Any, error: type[Exception], message: str
    ) -> None:
        with pytest.raises(error, match=message):
            Splitter(terminator)
        splitter = Splitter(b";")
        splitter.receive_data(b"a;b;c")
        records = splitter.records()
        assert next(records) == b"a"
        with pytest.raises(error, match=message):
            splitter.set_terminator(terminator)
        assert splitter.get_terminator() == b";"
        assert list(records) == [b"b"]

    def test_subclasses_of_bytes_and_int_are_what_they_say(self) -> None:
        class Name(bytes): ...

        class Size(int): ...

        splitter = Splitter(Name(b";"))
        assert list(splitter.feed(b"a;")) == [Data(b"a"), Found(b";")]
        splitter.set_terminator(Size(2))
        assert list(splitter.feed(b"ab")) == [Data(b"ab"), Found(2)]

    def test_none_is_the_default_and_may_be_set(self) -> None:
        splitter = Splitter()
        assert splitter.get_terminator() is None
        splitter.set_terminator(b"\n")
        splitter.set_terminator(None)
        assert list(splitter.feed(b"a\n")) == [Data(b"a\n")]

    def test_a_count(self) -> None:
        splitter = Splitter(3)
        events = list(splitter.feed(b"abcdefgh"))
        assert events == [Data(b"abc"), Found(3), Data(b"def"), Found(3), Data(b"gh")]

    def test_a_count_of_0_fires_once_and_then_stands_at_none(self) -> None:
        splitter = Splitter(0)
        assert splitter.get_terminator() == 0
        assert splitter.next_event() == Found(0)
        assert splitter.get_terminator() is None
        assert splitter.next_event() is NEED_DATA
        assert list(splitter.feed(b"a")) == [Data(b"a")]
        assert end(splitter).next_event() == EOFReceived(True)

    def test_a_count_of_0_gives_one_empty_record(self) -> None:
        splitter = Splitter(Limited(0, 5), max_size=3)
        splitter.receive_data(b"abcd")
        assert splitter.next_record() == b""
        # What comes then has the connection's limit, not that of the 0.
        with pytest.raises(RecordTooLong) as raised:
            splitter.next_record()
        assert raised.value.limit == 3

    @pytest.mark.parametrize("count", [sys.maxsize - 1, sys.maxsize, 2**64, 10**100])
    def test_a_count_beyond_all_memory_is_a_count_nonetheless(self, count: int) -> None:
        """The peer may have sent it, as the length of what follows."""
        splitter = Splitter(count)
        assert splitter.get_terminator() == count
        splitter.receive_data(b"abc")
        with pytest.raises(RecordTooLong) as raised:
            splitter.next_record()
        assert (raised.value.limit, raised.value.offset) == (DEFAULT_MAX_SIZE, 0)

        events = Splitter(count)
        events.receive_data(b"abc")
        assert list(end(events).events()) == [Data(b"abc"), EOFReceived(False)]

        unlimited = Splitter(count, max_size=None)
        unlimited.receive_data(b"abc")
        with pytest.raises(IncompleteRecord) as cut_off:
            list(end(unlimited).records())
        assert (cut_off.value.partial, cut_off.value.expected) == (b"abc", count)

    def test_of_any_of_the_leftmost_wins_and_there_the_longest(self) -> None:
        splitter = Splitter(AnyOf(b"a", b"aab", b"bc"))
        assert list(splitter.feed(b"xaabybcza-")) == [
            Data(b"x"),
            Found(b"aab"),
            Data(b"y"),
            Found(b"bc"),
            Data(b"z"),
            Found(b"a"),
            Data(b"-"),
        ]

    def test_a_match_that_could_grow_waits_for_the_next_byte(self) -> None:
        splitter = Splitter(AnyOf(b"\r", b"\r\n"))
        assert list(splitter.feed(b"a\r")) == [Data(b"a")]
        assert list(splitter.feed(b"b\r")) == [Found(b"\r"), Data(b"b")]
        assert list(splitter.feed(b"\n")) == [Found(b"\r\n")]

    @pytest.mark.parametrize("chunks", [[b"xb", b"c"], [b"xbc"], [b"xb", b"", b"c"]])
    def test_a_match_that_could_grow_is_one_when_another_byte_comes(
        self, chunks: list[bytes]
    ) -> None:
        splitter = Splitter(AnyOf(b"b", b"bab"))
        records: list[bytes] = []
        for chunk in chunks:
            splitter.receive_data(chunk)
            records += splitter.records()
        assert records == [b"x"]

    def test_a_match_that_could_be_beaten_by_one_that_began_before_it_waits(self) -> None:
        splitter = Splitter(AnyOf(b"abcd", b"bc"))
        assert list(splitter.feed(b"abc")) == []
        assert list(splitter.feed(b"xabc")) == [Data(b"a"), Found(b"bc"), Data(b"x")]
        assert list(splitter.feed(b"d")) == [Found(b"abcd")]

    def test_at_the_end_of_the_stream_no_match_waits(self) -> None:
        splitter = Splitter(AnyOf(b"\r", b"\r\n"))
        splitter.receive_data(b"a\r")
        splitter.receive_data(b"")
        assert list(end(splitter).events()) == [Data(b"a"), Found(b"\r"), EOFReceived(True)]

    @pytest.mark.parametrize(
        ("terminator", "data", "held_back"),
        [
            (b"\r\n\r\n", b"a\r\n", 2),
            (b"\r\n\r\n", b"\r\n\r\r\n\r", 3),
            (b"aab", b"aaaa", 2),
            (b"abab", b"abaaba", 3),
            (b"ab", b"ba b", 0),
            (AnyOf(b"abc", b"ca"), b"xabc", 0),
            (AnyOf(b"aab", b"ba"), b"xb", 1),
            (5, b"abc", 0),
            (None, b"abc", 0),
        ],
    )
    def test_nothing_is_held_back_but_what_may_be_the_terminator(
        self, terminator: Terminator, data: bytes, held_back: int
    ) -> None:
        splitter = Splitter(terminator)
        for _ in splitter.feed(data):
            pass
        assert len(splitter.trailing_data) == held_back
        assert splitter.offset == len(data) - held_back


class TestPuttingBack:
    @pytest.mark.parametrize("chunks", [[b"x" * 600, b"yz"], [b"x" * 200, b"x" * 400, b"yz"]])
    def test_what_was_put_aside_comes_back_for_another_terminator(
        self, chunks: list[bytes]
    ) -> None:
        splitter = Splitter(b"\n")
        for chunk in chunks:
            splitter.receive_data(chunk)
            assert list(splitter.records()) == []
        assert splitter.offset == 0
        splitter.set_terminator(b"xy")
        assert list(splitter.records()) == [b"x" * 599]
        assert splitter.trailing_data == b"z"

    def test_a_terminator_alone_can_be_put_back(self) -> None:
        splitter = Splitter(b"\n")
        assert len(list(splitter.feed(b"a line\n" * 9))) == 18
        assert next(splitter.feed(b"one\ntwo\nthree")) == DataReceived(b"one")
        assert splitter.trailing_data == b"\ntwo\nthree"
        assert next(splitter.events()) == TerminatorFound(b"\n")
        assert splitter.next_record() == b"two"


class TestLongBeginnings:
    """A beginning of a record that is long enough to be put aside."""

    def test_is_joined_with_the_rest(self) -> None:
        splitter = Splitter(b"\n")
        splitter.receive_data(b"x" * 100)
        assert list(splitter.records()) == []
        splitter.receive_data(b"y\nz\n")
        assert list(splitter.records()) == [b"x" * 100 + b"y", b"z"]

    def test_is_given_to_the_events_face_at_once(self) -> None:
        splitter = Splitter(b"\n")
        splitter.receive_data(b"x" * 100)
        assert list(splitter.records()) == []
        assert list(splitter.events()) == [Data(b"x" * 100)]


def test_what_one_terminator_holds_back_another_does_not() -> None:
    splitter = Splitter(b"aab")
    events = splitter.events()
    splitter.receive_data(b"ca")
    assert next(events) == DataReceived(b"c")
    splitter.set_terminator(b"bac")
    assert list(splitter.records()) == []
    assert next(events) == DataReceived(b"a")


@pytest.mark.parametrize("terminator", [b"\n", 3])
def test_what_was_held_back_is_data_under_another_terminator(terminator: Terminator) -> None:
    splitter = Splitter(b"\r\n")
    assert list(splitter.feed(b"x\r")) == [Data(b"x")]
    splitter.set_terminator(terminator)
    assert list(splitter.records()) == []
    assert list(splitter.events()) == [Data(b"\r")]
    assert splitter.trailing_data == b""
