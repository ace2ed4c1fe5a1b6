from __future__ import annotations

import pytest

from termsplit import (
    NEED_DATA,
    AnyOf,
    DataReceived,
    Limited,
    Parser,
    RecordTooLong,
    Splitter,
    Terminator,
    TerminatorFound,
)
from termsplit.framing import length_prefixed
from tests.invariants import check_state

Data, Found = DataReceived, TerminatorFound


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


@pytest.mark.parametrize("max_size", [4, None])
def test_behind_a_body_that_was_awaited_the_limits_are_the_usual_ones(
    max_size: int | None,
) -> None:
    splitter = Splitter(max_size=9)
    parser = Parser(length_prefixed(2, max_size=max_size).grammar, splitter)
    messages: list[bytes] = []
    for chunk in (b"\0\4bo", b"dy"):
        splitter.receive_data(chunk)
        messages += parser.messages()
        check_state(splitter)
    assert messages == [b"body"]
    assert splitter.get_terminator() == 2
