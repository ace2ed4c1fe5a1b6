from __future__ import annotations

import sys
from collections.abc import Callable
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
    LocalProtocolError,
    RecordSkipped,
    RecordTooLong,
    Splitter,
    Terminator,
    TerminatorFound,
)

Data, Found = DataReceived, TerminatorFound


def end(splitter: Splitter) -> Splitter:
    splitter.receive_eof()
    return splitter


class TestReceiving:
    @pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
    def test_bytes_like_data(self, kind: Callable[[bytes], bytes]) -> None:
        splitter = Splitter(b"\n")
        splitter.receive_data(kind(b"a\nb"))
        splitter.receive_data(kind(b"\n"))
        records = list(splitter.records())
        assert records == [b"a", b"b"]
        assert {type(record) for record in records} == {bytes}

    def test_data_is_copied_if_it_can_change(self) -> None:
        splitter = Splitter(b"\n")
        buffer = bytearray(b"a\n")
        splitter.receive_data(buffer)
        buffer[0] = ord("b")
        assert splitter.next_record() == b"a"

    @pytest.mark.parametrize("data", ["a\n", None, 3, [97, 10]])
    def test_anything_else_is_refused_and_changes_nothing(self, data: Any) -> None:
        splitter = Splitter(b"\n")
        splitter.receive_data(b"a\nb")
        with pytest.raises(TypeError, match=f"expected bytes-like data, got {type(data).__name__}"):
            splitter.receive_data(data)
        assert splitter.trailing_data == b"a\nb"

    def test_no_bytes_are_nothing_at_all(self) -> None:
        splitter = Splitter(None)
        for data in (b"", b"a", b"", b"", b"b", b""):
            splitter.receive_data(data)
        assert list(splitter.events()) == [Data(b"ab")]
        assert splitter.next_event() is NEED_DATA

    def test_data_after_the_end_is_refused(self) -> None:
        splitter = end(Splitter(b"\n"))
        for data in (b"a", b""):
            with pytest.raises(LocalProtocolError, match=r"after receive_eof\(\)"):
                splitter.receive_data(data)

    def test_the_end_may_be_told_again(self) -> None:
        splitter = end(end(Splitter(b"\n")))
        assert splitter.eof_received
        assert [splitter.next_event() for _ in range(2)] == [EOFReceived(True)] * 2
        assert end(splitter).next_event() == EOFReceived(True)

    def test_a_chunk_that_is_cut_as_it_comes_in_can_be_put_back(self) -> None:
        splitter = Splitter(b"\n")
        lines = b"".join(b"a line, number %d\n" % i for i in range(60))
        splitter.receive_data(lines)
        assert len(list(splitter.records())) == 60
        splitter.receive_data(lines + b"the rest")
        assert splitter.offset == len(lines)
        assert splitter.trailing_data == lines + b"the rest"
        assert next(splitter.records()) == b"a line, number 0"
        splitter.set_terminator(b"\n" + b"a line, number 5\n")
        assert next(splitter.records()).startswith(b"a line, number 1\n")
        splitter.set_terminator(1)
        assert splitter.next_record() == b"a"

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

    def test_a_long_record_goes_on_in_a_chunk_that_came_before_it_was_looked_for(self) -> None:
        splitter = Splitter(b"\n")
        assert list(splitter.records()) == []
        splitter.receive_data(b"a\n" + b"x" * 20_000)
        splitter.receive_data(b"y\nz")
        assert list(splitter.records()) == [b"a", b"x" * 20_000 + b"y"]
        assert splitter.trailing_data == b"z"

    def test_what_stands_before_it_gets_each_chunk_once(self) -> None:
        chunks: list[bytes] = []

        class Recorded(Splitter):
            def receive_data(self, data: bytes | bytearray | memoryview) -> bool:
                chunks.append(bytes(data))
                return super().receive_data(data)

        splitter = Recorded(b"\n", max_size=400)
        assert list(splitter.records()) == []
        for _ in range(200):
            splitter.receive_data(b"x")
        assert chunks == [b"x"] * 200
        assert splitter.trailing_data == b"x" * 200

    def test_chunks_that_are_longer_than_a_record_may_be(self) -> None:
        splitter = Splitter(b"\n", max_size=8)
        data = b"a line\nanother\n" * 20 + b"much too long\nshort\n" + b"the rest\n" * 9
        taken: list[bytes | RecordSkipped] = []
        for start in range(0, len(data), 50):
            splitter.receive_data(data[start : start + 50])
            for record in splitter.records(too_long="skip"):
                taken.append(record)
                size = record.size if isinstance(record, RecordSkipped) else len(record)
                assert data.startswith(b"\n", splitter.offset - 1)
                assert data[splitter.offset - 1 - size : splitter.offset - 1].count(b"\n") == 0
        lines = [b"a line", b"another"] * 20
        assert taken == [*lines, RecordSkipped(13), b"short", *[b"the rest"] * 9]
        assert splitter.offset == len(data)

    @pytest.mark.parametrize("behind", [b"x" * 9, b"longer than it may be\n", b""])
    def test_the_limit_in_chunks_that_are_longer(self, behind: bytes) -> None:
        splitter = Splitter(b"\n", max_size=8)
        assert len(list(splitter.feed(b"a line\n" * 20))) == 40
        splitter.receive_data(b"a line\n" * 5 + behind)
        records = splitter.records()
        assert [next(records) for _ in range(5)] == [b"a line"] * 5
        if behind:
            with pytest.raises(RecordTooLong) as caught:
                next(records)
            assert caught.value.offset == 25 * len(b"a line\n")
        else:
            assert list(records) == []

    def test_a_terminator_alone_can_be_put_back(self) -> None:
        splitter = Splitter(b"\n")
        assert len(list(splitter.feed(b"a line\n" * 9))) == 18
        assert next(splitter.feed(b"one\ntwo\nthree")) == DataReceived(b"one")
        assert splitter.trailing_data == b"\ntwo\nthree"
        assert next(splitter.events()) == TerminatorFound(b"\n")
        assert splitter.next_record() == b"two"

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


class TestConversations:
    """Where every record has another terminator than the one before."""

    def under_way(self, rest: bytes) -> Splitter:
        """One whose next record is the third, and all of it in the buffer."""
        splitter = Splitter(b"\n")
        splitter.receive_data(b"2\nab" + rest)
        records = splitter.records()
        assert next(records) == b"2"
        splitter.set_terminator(2)
        assert next(records) == b"ab"
        return splitter

    @pytest.mark.parametrize("terminator", [4, b"\n"])
    def test_a_terminator_set_between_data_and_its_event(self, terminator: Terminator) -> None:
        splitter = self.under_way(b"abcdef\n")
        splitter.set_terminator(3)
        assert splitter.next_event() == Data(b"abc")
        splitter.set_terminator(terminator)
        assert splitter.next_event() == Data(b"def\n" if terminator == 4 else b"def")
        assert splitter.next_event() == Found(terminator)  # type: ignore[arg-type]

    @pytest.mark.parametrize("terminator", [4, b"\n"])
    def test_a_terminator_set_after_a_look_between_data_and_its_event(
        self, terminator: Terminator
    ) -> None:
        splitter = self.under_way(b"abcdef\nghi\n")
        splitter.set_terminator(3)
        assert splitter.next_event() == Data(b"abc")
        assert splitter.offset == 7
        splitter.set_terminator(terminator)
        whole = [b"def\n", b"ghi\n"] if terminator == 4 else [b"def", b"ghi"]
        assert list(splitter.records()) == whole

    @pytest.mark.parametrize("waits_for", [100, b"\n"])
    @pytest.mark.parametrize("terminator", [3, b"\n"])
    def test_a_terminator_set_while_another_record_waits(
        self, waits_for: Terminator, terminator: Terminator
    ) -> None:
        splitter = self.under_way(b"ab")
        splitter.set_terminator(waits_for)
        assert splitter.next_record() is NEED_DATA
        splitter.receive_data(b"c" if waits_for == b"\n" else b"c\n")
        splitter.set_terminator(terminator)
        if waits_for == terminator == b"\n":
            splitter.receive_data(b"\n")
        assert splitter.next_record() == b"abc"
        assert splitter.offset == (7 if terminator == 3 else 8)

    def test_one_that_follows_many_records_of_one_kind(self) -> None:
        splitter = Splitter(b"\n")
        splitter.receive_data(b"line\n" * 90 + b"the first")
        assert len(list(splitter.records())) == 90
        splitter.receive_data(b" head\n3 b")
        records = splitter.records()
        assert next(records) == b"the first head"
        splitter.set_terminator(2)
        assert next(records) == b"3 "
        splitter.set_terminator(b"\n")
        assert list(records) == []
        splitter.receive_data(b"ody\nnext\n")
        records = splitter.records()
        assert next(records) == b"body"
        splitter.set_terminator(2)
        assert list(records) == [b"ne", b"xt"]

    @pytest.mark.parametrize("size", [10, 5000])
    def test_a_count_that_ends_in_a_long_chunk(self, size: int) -> None:
        splitter = self.under_way(b"x" * size)
        splitter.set_terminator(size + 3)
        assert splitter.next_record() is NEED_DATA
        splitter.receive_data(b"end" + b"2\n" * 5000)
        assert splitter.next_record() == b"x" * size + b"end"
        assert splitter.offset == size + 7
        splitter.set_terminator(b"\n")
        assert list(splitter.records()) == [b"2"] * 5000

    def test_one_whose_end_is_at_hand_but_far_away(self) -> None:
        splitter = self.under_way(b"x" * 2000 + b"\n")
        splitter.set_terminator(b"\n")
        assert splitter.next_record() == b"x" * 2000

    def test_the_limit_of_one_terminator_is_not_that_of_the_next(self) -> None:
        splitter = Splitter(b"\n", max_size=5)
        splitter.set_terminator(Limited(b"\n", None))
        splitter.receive_data(b"a longer one\nanother one\n")
        assert splitter.next_record() == b"a longer one"
        splitter.set_terminator(b"\n")
        with pytest.raises(RecordTooLong):
            splitter.next_record()

    def test_a_limit_that_is_lifted_before_anything_is_taken(self) -> None:
        splitter = Splitter(b"\n", max_size=5)
        splitter.set_terminator(Limited(b"\n", None))
        splitter.set_terminator(b"\n")
        splitter.receive_data(b"a longer one\n")
        with pytest.raises(RecordTooLong):
            splitter.next_record()

    def test_what_several_may_end_is_not_what_ended_a_count(self) -> None:
        splitter = Splitter(AnyOf(b"\r\n", b"\n"))
        splitter.receive_data(b"3\nabc")
        assert list(splitter.events()) == [Data(b"3"), Found(b"\n"), Data(b"abc")]
        splitter.set_terminator(3)
        splitter.receive_data(b"def")
        assert list(splitter.events()) == [Data(b"def"), Found(3)]


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


@pytest.mark.parametrize("size", [1, 7, 50, 100, 299])
def test_a_long_record_in_short_chunks_is_too_long_at_the_same_byte(size: int) -> None:
    splitter = Splitter(b"\n", max_size=300)
    assert list(splitter.records()) == []
    for start in range(0, 300, size):
        splitter.receive_data(b"x" * min(size, 300 - start))
        assert list(splitter.records()) == []
    splitter.receive_data(b"x")
    with pytest.raises(RecordTooLong):
        list(splitter.records())


@pytest.mark.parametrize("size", [1, 7, 50, 100, 399])
def test_a_long_count_in_short_chunks_is_complete_at_its_last_byte(size: int) -> None:
    splitter = Splitter(400)
    assert list(splitter.records()) == []
    for start in range(0, 399, size):
        splitter.receive_data(b"x" * min(size, 399 - start))
        assert list(splitter.records()) == []
    splitter.receive_data(b"x")
    assert list(splitter.records()) == [b"x" * 400]


@pytest.mark.parametrize("size", [1, 100, 1460, 5000, 30_001, 65_536])
@pytest.mark.parametrize(
    "terminator", [b"\r\n", b"\n", AnyOf(b"\r\n", b"\n"), Limited(b"\r\n", 30_000)], ids=repr
)
def test_long_records_are_the_same_in_chunks_of_any_size(terminator: Terminator, size: int) -> None:
    """Also where a chunk ends in what may be the beginning of the terminator."""
    end = b"\n" if terminator == b"\n" else b"\r\n"
    records = [(b"x" * 99 + b"\r") * 300, b"y" * 30_000, b"a short one", b"z" * 9_000] * 2
    data = b"".join(record + end for record in records)
    splitter = Splitter(terminator, max_size=None)
    seen = []
    taken = 0
    for start in range(0, len(data), size):
        splitter.receive_data(data[start : start + size])
        for record in splitter.records():
            seen.append(record)
            taken += len(record) + len(end)
            assert splitter.offset == taken
    assert seen == records


@pytest.mark.parametrize("size", [1, 2, 3, 5, 64, 700])
@pytest.mark.parametrize("terminator", [b"\r\n\r\n", b"\r\n" + b"-" * 70 + b"e"], ids=len)
def test_a_long_record_full_of_beginnings_of_its_terminator(terminator: bytes, size: int) -> None:
    """Each chunk has the terminator's last byte in it, which ends nothing, but for the one behind the record."""
    record = b"x" * 600 + (terminator[:-1] + b"." + terminator[-1:] + b"--") * 60
    data = (record + terminator) * 3
    splitter, streaming = Splitter(terminator), Splitter(terminator)
    records: list[bytes] = []
    events: list[object] = []
    for start in range(0, len(data), size):
        splitter.receive_data(data[start : start + size])
        records += splitter.records()
        events += streaming.feed(data[start : start + size])
    assert records == [record] * 3
    pieces = [event.data if isinstance(event, Data) else b"|" for event in events]
    assert b"".join(pieces) == (record + b"|") * 3
