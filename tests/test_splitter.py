from __future__ import annotations

from typing import Any

import pytest

from termsplit import (
    DEFAULT_MAX_SIZE,
    NEED_DATA,
    AnyOf,
    DataReceived,
    EOFReceived,
    Event,
    IncompleteRecord,
    Limited,
    LocalProtocolError,
    RecordSkipped,
    RecordTooLong,
    Splitter,
    Terminator,
    TerminatorFound,
    UnexpectedData,
)

Data, Found = DataReceived, TerminatorFound


def end(splitter: Splitter) -> Splitter:
    splitter.receive_eof()
    return splitter


class TestEvents:
    def test_a_record_comes_as_it_arrives(self) -> None:
        splitter = Splitter(b"\r\n")
        assert list(splitter.feed(b"ab\r")) == [Data(b"ab")]
        assert list(splitter.feed(b"\rc")) == [Data(b"\r\rc")]
        assert list(splitter.feed(b"\r\nd")) == [Found(b"\r\n"), Data(b"d")]

    def test_an_empty_record_is_its_terminator_alone(self) -> None:
        assert list(Splitter(b";").feed(b";;")) == [Found(b";")] * 2

    def test_next_event(self) -> None:
        splitter = Splitter(b"\n")
        assert splitter.next_event() is NEED_DATA
        splitter.receive_data(b"a\nb")
        given = [splitter.next_event() for _ in range(4)]
        assert given == [Data(b"a"), Found(b"\n"), Data(b"b"), NEED_DATA]

    def test_next_event_of_records_that_were_split_as_they_came_in(self) -> None:
        splitter = Splitter(b"\n")
        assert len(list(splitter.feed(b"a line\n" * 20))) == 40
        splitter.receive_data(b"one\n\ntwo\n\nthr")
        given = [splitter.next_event() for _ in range(8)]
        assert given == [
            *(Data(b"one"), Found(b"\n"), Found(b"\n")),
            *(Data(b"two"), Found(b"\n"), Found(b"\n")),
            *(Data(b"thr"), NEED_DATA),
        ]

    @pytest.mark.parametrize("terminator", [b";", AnyOf(b";", b",")])
    def test_a_count_goes_on_wherever_the_offset_was_looked_at(
        self, terminator: Terminator
    ) -> None:
        """Contract 3: looking changes nothing, though a part was given away before."""
        for count_first in (1, 3, 4):
            splitter = Splitter(5)
            assert list(splitter.feed(b"abcde"[:count_first])) == [Data(b"abcde"[:count_first])]
            events = splitter.feed(b"abcde"[count_first:] + b"x;")
            assert next(events) == Data(b"abcde"[count_first:])
            assert splitter.offset == 5
            assert splitter.trailing_data == b"x;"
            assert next(events) == Found(5)
            splitter.set_terminator(terminator)
            assert list(events) == [Data(b"x"), Found(b";")]

    @pytest.mark.parametrize("count", [5, 6])
    def test_a_count_set_before_its_terminator_was_taken_begins_a_new_record(
        self, count: int
    ) -> None:
        """Contract 3: at the next byte; whether it is the count that stood before or another."""
        splitter = Splitter(5)
        events = splitter.feed(b"abcde123456")
        assert next(events) == Data(b"abcde")
        splitter.set_terminator(count)
        assert list(events)[:2] == [Data(b"123456"[:count]), Found(count)]

    def test_iterators_may_interleave_and_be_abandoned(self) -> None:
        splitter = Splitter(b"\n")
        splitter.receive_data(b"".join(b"%d\n" % i for i in range(40)))
        expected = [event for i in range(40) for event in (Data(b"%d" % i), Found(b"\n"))]
        first, second = splitter.events(), splitter.events()
        given: list[Event] = []
        for _ in range(5):
            given += [next(first), next(second), next(second), next(splitter.events())]
        given += second
        assert given == expected
        assert list(first) == []

    def test_one_iterator_may_take_the_data_and_another_its_terminator(self) -> None:
        splitter = Splitter(b"\n")
        first = splitter.feed(b"a\nb\nc\n")
        assert [next(first), next(first)] == [Data(b"a"), Found(b"\n")]
        second = splitter.events()
        assert next(second) == Data(b"b")
        assert [next(first), next(first)] == [Found(b"\n"), Data(b"c")]
        assert list(second) == [Found(b"\n")]

    def test_another_iterator_may_take_the_data_behind_a_terminator(self) -> None:
        splitter = Splitter(b"\n")
        events = splitter.feed(b"a\nb\nc\nd\n")
        for name in (b"a", b"b"):
            assert [next(events), next(events)] == [Data(name), Found(b"\n")]
        assert splitter.next_event() == Data(b"c")
        assert list(events) == [Found(b"\n"), Data(b"d"), Found(b"\n")]

    def test_the_end_reports_what_was_held_back_and_whether_it_was_clean(self) -> None:
        splitter = Splitter(b"\r\n")
        assert list(splitter.feed(b"a\r")) == [Data(b"a")]
        events = list(end(splitter).events())
        assert events == [Data(b"\r"), EOFReceived(False)]
        assert splitter.offset == 2

    @pytest.mark.parametrize(
        ("terminator", "data", "clean"),
        [
            (b"\n", b"", True),
            (b"\n", b"a\n", True),
            (b"\n", b"a\na", False),
            (2, b"abab", True),
            (2, b"aba", False),
            (None, b"", True),
            (None, b"abc", True),
            (0, b"abc", True),
        ],
    )
    def test_clean(self, terminator: Terminator, data: bytes, clean: bool) -> None:
        splitter = Splitter(terminator)
        splitter.receive_data(data)
        assert list(end(splitter).events())[-1] == EOFReceived(clean)
        assert splitter.next_event() == EOFReceived(clean)


class TestRecords:
    def test_next_record(self) -> None:
        splitter = Splitter(b"\n")
        assert splitter.next_record() is NEED_DATA
        splitter.receive_data(b"a\nb")
        assert [splitter.next_record() for _ in range(2)] == [b"a", NEED_DATA]
        splitter.receive_data(b"c\n")
        assert splitter.next_record() == b"bc"

    def test_what_completes_no_record_is_known_when_it_comes(self) -> None:
        splitter = Splitter(b"\r\n\r\n", max_size=300)
        assert not splitter.receive_data(b"")
        assert not splitter.receive_data(b"GET / HTTP/1.1\r\nHost: example.org\r\n\r")
        assert splitter.receive_data(b"\n123")
        assert list(splitter.records()) == [b"GET / HTTP/1.1\r\nHost: example.org"]
        splitter.set_terminator(5)
        assert splitter.next_record() is NEED_DATA
        assert not splitter.receive_data(b"4")
        assert splitter.receive_data(b"5")
        assert splitter.next_record() == b"12345"

    def test_what_makes_a_record_too_long_is_known_when_it_comes(self) -> None:
        splitter = Splitter(b"\n", max_size=300)
        assert not splitter.receive_data(b"x" * 300)
        assert splitter.receive_data(b"x")
        with pytest.raises(RecordTooLong):
            splitter.next_record()

    def test_records_wait_while_more_is_received(self) -> None:
        splitter = Splitter(b"\n")
        splitter.receive_data(b"a\nb\nc\nd\ne\nf")
        records = splitter.records()
        assert [next(records) for _ in range(3)] == [b"a", b"b", b"c"]
        splitter.receive_data(b"\ng")
        splitter.receive_data(b"\nh")
        assert list(records) == [b"d", b"e", b"f", b"g"]

    def test_a_record_begun_as_events_can_not_be_had_whole(self) -> None:
        splitter = Splitter(b"\n")
        assert list(splitter.feed(b"ab")) == [Data(b"ab")]
        splitter.receive_data(b"c\nd\n")
        for _ in range(2):
            with pytest.raises(LocalProtocolError, match="taken as events"):
                splitter.next_record()
        assert splitter.next_event() == Data(b"c")
        with pytest.raises(LocalProtocolError, match="taken as events"):
            splitter.next_record()
        assert splitter.next_event() == Found(b"\n")
        assert splitter.next_record() == b"d"

    def test_a_record_begun_whole_may_be_taken_as_events(self) -> None:
        splitter = Splitter(b"\r\n")
        splitter.receive_data(b"ab\r")
        assert splitter.next_record() is NEED_DATA
        assert list(splitter.events()) == [Data(b"ab")]
        assert list(splitter.feed(b"\nc\r\n")) == [Found(b"\r\n"), Data(b"c"), Found(b"\r\n")]

    def test_a_long_record_begun_whole_may_be_taken_as_events(self) -> None:
        splitter = Splitter(b"\r\n")
        splitter.receive_data(10_000 * b"a" + b"\r")
        assert splitter.next_record() is NEED_DATA
        splitter.receive_eof()
        assert list(splitter.events()) == [Data(10_000 * b"a" + b"\r"), EOFReceived(False)]

    def test_a_long_record_begun_whole_may_be_ended_as_events(self) -> None:
        splitter = Splitter(1000)
        splitter.receive_data(b"a" * 500)
        assert splitter.next_record() is NEED_DATA
        splitter.receive_data(b"b" * 400)
        splitter.receive_data(b"c" * 300)
        whole = b"a" * 500 + b"b" * 400 + b"c" * 100
        assert b"".join(e.data for e in splitter.events() if isinstance(e, Data)) == (
            whole + b"c" * 200
        )

    def test_an_incomplete_record_stays_unparsed(self) -> None:
        splitter = Splitter(b";")
        splitter.receive_data(b"a;b,c")
        end(splitter)
        assert splitter.next_record() == b"a"
        for _ in range(2):
            with pytest.raises(IncompleteRecord) as raised:
                list(splitter.records())
            error = raised.value
            assert (error.partial, error.expected, error.offset) == (b"b,c", b";", 2)
            assert splitter.trailing_data == b"b,c"
        splitter.set_terminator(b",")
        assert splitter.next_record() == b"b"

    def test_at_a_clean_end_there_is_none(self) -> None:
        splitter = Splitter(b"\n")
        splitter.receive_data(b"a\n")
        end(splitter)
        assert list(splitter.records()) == [b"a"]
        assert list(splitter.records()) == []
        with pytest.raises(IncompleteRecord) as raised:
            splitter.next_record()
        assert (raised.value.partial, raised.value.expected) == (b"", b"\n")
        assert raised.value.offset == 2

    @pytest.mark.parametrize("data", [b"", b"ab\n"])
    def test_none_is_completed_by_the_end_of_the_stream_once(self, data: bytes) -> None:
        splitter = Splitter()
        splitter.receive_data(data)
        assert list(splitter.records()) == []
        end(splitter)
        assert list(splitter.records()) == [data]
        assert list(splitter.records()) == []
        # Nor does it come back after the end was reported under another terminator.
        splitter.set_terminator(b"\n")
        assert splitter.next_event() == EOFReceived(True)
        splitter.set_terminator(None)
        assert list(splitter.records()) == []

    def test_a_long_one_that_was_looked_at_before_is_completed_by_the_end(self) -> None:
        splitter = Splitter()
        splitter.receive_data(b"x" * 500)
        assert list(splitter.records()) == []
        end(splitter)
        assert list(splitter.records()) == [b"x" * 500]

    def test_an_iterator_goes_on_behind_it_if_the_next_record_needs_no_data(self) -> None:
        splitter = Splitter()
        splitter.receive_data(b"ab")
        end(splitter)
        records = splitter.records()
        assert next(records) == b"ab"
        splitter.set_terminator(0)
        assert list(records) == [b""]

    def test_an_iterator_from_before_gives_what_was_split_as_it_came_in(self) -> None:
        splitter = Splitter(b"\n")
        splitter.receive_data(b"a line\n" * 20 + b"one")
        assert len(list(splitter.records())) == 20
        records = splitter.records()
        splitter.receive_data(b"\ntwo\n")
        assert list(records) == [b"one", b"two"]

    def test_none_is_taken_of_which_the_data_was_given_by_an_iterator_from_before(self) -> None:
        splitter = Splitter(b"\n")
        events = splitter.feed(b"line\n" * 20 + b"one\ntwo\nthree\nfour\nfive\n")
        while next(events) != Data(b"one"):
            pass
        assert next(events) == Found(b"\n")
        records = splitter.records()
        assert next(records) == b"two"
        assert next(events) == Data(b"three")
        with pytest.raises(LocalProtocolError, match="taken as events"):
            next(records)
        assert next(events) == Found(b"\n")
        assert list(splitter.records()) == [b"four", b"five"]


class TestTooLong:
    def test_it_is_raised_and_calling_again_goes_on(self) -> None:
        splitter = Splitter(b"\n", max_size=3)
        splitter.receive_data(b"abc\nabcd\nab\n")
        records = splitter.records()
        assert next(records) == b"abc"
        with pytest.raises(RecordTooLong) as raised:
            next(records)
        assert (raised.value.limit, raised.value.offset) == (3, 4)
        assert splitter.trailing_data == b"abcd\nab\n"
        assert list(splitter.records()) == [b"ab"]

    def test_it_is_known_with_the_first_byte_too_many(self) -> None:
        splitter = Splitter(b"\r\n", max_size=3)
        for data in (b"abc", b"\r"):
            splitter.receive_data(data)
            assert splitter.next_record() is NEED_DATA
        splitter.receive_data(b"\r")
        with pytest.raises(RecordTooLong):
            splitter.next_record()

    def test_it_is_known_at_the_end_of_the_stream(self) -> None:
        splitter = Splitter(b"\r\n", max_size=3)
        splitter.receive_data(b"abc\r")
        assert splitter.next_record() is NEED_DATA
        end(splitter)
        with pytest.raises(RecordTooLong) as raised:
            splitter.next_record()
        assert raised.value.offset == 0
        with pytest.raises(IncompleteRecord) as cut_off:
            splitter.next_record()
        assert (cut_off.value.partial, cut_off.value.offset) == (b"", 4)

    def test_a_count_above_the_limit_is_refused_before_a_byte_of_it(self) -> None:
        splitter = Splitter(4, max_size=3)
        with pytest.raises(RecordTooLong) as raised:
            splitter.next_record()
        assert raised.value.offset == 0
        splitter.receive_data(b"ab")
        assert splitter.next_record() is NEED_DATA
        splitter.set_terminator(b"\n")
        splitter.receive_data(b"cdef\n")
        assert splitter.next_record() == b"ef"

    def test_a_count_above_the_limit_is_refused_though_events_found_nothing_to_do(self) -> None:
        splitter = Splitter(4, max_size=3)
        assert splitter.next_event() is NEED_DATA
        with pytest.raises(RecordTooLong):
            splitter.next_record()

    def test_skipped_it_is_reported_once_with_its_size(self) -> None:
        splitter = Splitter(b"\n", max_size=3)
        given: list[bytes | RecordSkipped] = []
        for data in (b"ab\nabcd", b"efg", b"hi\nab", b"\n"):
            splitter.receive_data(data)
            given += splitter.records(too_long="skip")
        assert given == [b"ab", RecordSkipped(9), b"ab"]

    def test_the_limit_may_be_changed_with_the_terminator(self) -> None:
        splitter = Splitter(Limited(b"\n", None), max_size=1)
        splitter.receive_data(b"abcde\nabc\nabc\n")
        assert splitter.next_record() == b"abcde"
        splitter.set_terminator(Limited(b"\n", 3))
        assert splitter.next_record() == b"abc"
        splitter.set_terminator(b"\n")
        with pytest.raises(RecordTooLong) as raised:
            splitter.next_record()
        assert raised.value.limit == 1

    def test_events_give_the_bytes_up_to_the_limit(self) -> None:
        splitter = Splitter(Limited(b"\n", 3))
        given: list[Event] = []
        splitter.receive_data(b"abcdef\nab\n")
        with pytest.raises(RecordTooLong) as raised:
            given.extend(splitter.events())
        assert given == [Data(b"abc")]
        assert (raised.value.limit, raised.value.offset) == (3, 3)
        assert list(splitter.events()) == [Data(b"ab"), Found(b"\n")]

    def test_events_may_skip_the_rest(self) -> None:
        splitter = Splitter(Limited(b"\n", 3))
        splitter.receive_data(b"abcdef\nab\n")
        assert list(splitter.events(too_long="skip")) == [
            Data(b"abc"),
            RecordSkipped(6),
            Data(b"ab"),
            Found(b"\n"),
        ]

    def test_events_have_no_limit_unless_given_one(self) -> None:
        assert list(Splitter(b"\n", max_size=1).feed(b"abc\n")) == [Data(b"abc"), Found(b"\n")]

    def test_the_end_in_the_middle_of_it_is_not_clean(self) -> None:
        splitter = Splitter(Limited(b"\n", 0))
        splitter.receive_data(b"abc")
        end(splitter)
        assert list(splitter.events(too_long="skip")) == [EOFReceived(False)]

    def test_none_too_long_is_skipped_up_to_the_end(self) -> None:
        splitter = Splitter(max_size=2)
        splitter.receive_data(b"abc")
        assert list(splitter.records(too_long="skip")) == []
        splitter.receive_data(b"de")
        end(splitter)
        assert list(splitter.records(too_long="skip")) == [RecordSkipped(5)]
        assert list(splitter.records(too_long="skip")) == []

    def test_none_too_long_when_raised_leaves_nothing(self) -> None:
        splitter = Splitter(max_size=2)
        splitter.receive_data(b"abc")
        end(splitter)
        with pytest.raises(RecordTooLong):
            list(splitter.records())
        assert list(splitter.records()) == []

    def test_none_too_long_as_events(self) -> None:
        splitter = Splitter(Limited(None, 2))
        splitter.receive_data(b"abc")
        end(splitter)
        events = [Data(b"ab"), RecordSkipped(3), EOFReceived(True)]
        assert list(splitter.events(too_long="skip")) == events
        assert list(splitter.events(too_long="skip")) == [EOFReceived(True)]

    def test_a_terminator_set_meanwhile_takes_over_after_it(self) -> None:
        splitter = Splitter(b"\n", max_size=2)
        splitter.receive_data(b"a;c;\nb;\n")
        with pytest.raises(RecordTooLong):
            splitter.next_record()
        splitter.set_terminator(b"!")
        splitter.set_terminator(b";")
        assert splitter.get_terminator() == b";"
        assert splitter.next_record() == b"b"

    @pytest.mark.parametrize("max_size", ["3", True, 2.0])
    def test_a_limit_of_another_type_is_refused(self, max_size: Any) -> None:
        got = type(max_size).__name__
        with pytest.raises(TypeError, match=f"expected max_size to be an int or None, got {got}"):
            Splitter(max_size=max_size)

    def test_a_negative_limit_is_refused(self) -> None:
        with pytest.raises(ValueError, match="expected max_size to be 0 or more bytes, got -1"):
            Splitter(max_size=-1)

    def test_a_limit_of_0_allows_empty_records(self) -> None:
        splitter = Splitter(b"\n", max_size=0)
        splitter.receive_data(b"\n\na\n\n")
        assert list(splitter.records(too_long="skip")) == [b"", b"", RecordSkipped(1), b""]

    def test_no_limit(self) -> None:
        splitter = Splitter(b"\n", max_size=None)
        record = b"a" * (2 * DEFAULT_MAX_SIZE)
        splitter.receive_data(record + b"\n")
        assert splitter.next_record() == record


class TestHandover:
    def test_trailing_data_and_offset_show_what_is_not_taken(self) -> None:
        splitter = Splitter(b"\n")
        splitter.receive_data(b"a\nb\nc")
        splitter.receive_data(b"d")
        assert splitter.next_record() == b"a"
        for _ in range(2):
            assert (splitter.offset, splitter.trailing_data) == (2, b"b\ncd")
        assert list(splitter.records()) == [b"b"]
        assert (splitter.offset, splitter.trailing_data) == (4, b"cd")

    def test_detach_takes_it_and_ends_the_machine(self) -> None:
        splitter = Splitter(b"\n")
        splitter.receive_data(b"a\nb\nc")
        records = splitter.records()
        assert next(records) == b"a"
        assert not splitter.detached
        assert splitter.detach() == b"b\nc"
        assert list(records) == []
        assert (splitter.offset, splitter.trailing_data, splitter.detach()) == (2, b"", b"")
        with pytest.raises(LocalProtocolError, match=r"receive_data\(\) after detach\(\)"):
            splitter.receive_data(b"x")
        for call in (splitter.next_record, splitter.next_event):
            with pytest.raises(LocalProtocolError, match=r"nothing can come after detach\(\)"):
                call()

    def test_detach_in_the_middle_of_a_record(self) -> None:
        splitter = Splitter(b"\n")
        splitter.receive_data(b"a\nb")
        assert list(splitter.records()) == [b"a"]
        splitter.receive_data(b"c")
        assert splitter.detach() == b"bc"
        assert splitter.offset == 2

    def test_detach_at_the_end_of_the_stream(self) -> None:
        splitter = Splitter(b"\n")
        splitter.receive_data(b"a\nb")
        end(splitter)
        assert splitter.next_event() == Data(b"a")
        assert splitter.detach() == b"\nb"
        assert not splitter.eof_received
        assert list(splitter.events()) == []

    def test_detach_empty_refuses_while_anything_is_there(self) -> None:
        splitter = Splitter(b"\n")
        splitter.receive_data(b"STARTTLS\ninjected\n")
        records = splitter.records()
        assert next(records) == b"STARTTLS"
        with pytest.raises(UnexpectedData) as raised:
            splitter.detach_empty()
        assert (raised.value.data, raised.value.offset) == (b"injected\n", 9)
        assert list(records) == [b"injected"]
        splitter.detach_empty()
        assert splitter.detached
        with pytest.raises(LocalProtocolError):
            splitter.receive_data(b"x")


def test_a_short_alternative_ends_no_record_beyond_the_limit() -> None:
    splitter = Splitter(Limited(AnyOf(b"abc", b"c"), 2))
    splitter.receive_data(b"xxxcxxc")
    with pytest.raises(RecordTooLong):
        list(splitter.records())
    assert list(splitter.records()) == [b"xx"]


@pytest.mark.parametrize(
    ("data", "more"), [(b"d", [Data(b"d")]), (b"d\n", [Data(b"d"), TerminatorFound(b"\n")])]
)
@pytest.mark.parametrize("earned", [0, 9])
def test_events_go_on_with_what_came_while_the_last_one_was_dealt_with(
    earned: int, data: bytes, more: list[Event]
) -> None:
    splitter = Splitter(b"\n")
    assert len(list(splitter.feed(b"a line\n" * earned))) == 2 * earned
    events = splitter.feed(b"abc")
    assert next(events) == Data(b"abc")
    splitter.receive_data(data)
    assert list(events) == more


def test_events_go_on_with_a_terminator_set_while_the_last_one_was_dealt_with() -> None:
    splitter = Splitter(b"\n")
    assert list(splitter.events()) == []
    events = splitter.feed(b"abc")
    assert next(events) == Data(b"abc")
    splitter.set_terminator(0)
    assert list(events) == [TerminatorFound(0)]


def test_what_was_put_aside_is_released_as_events() -> None:
    splitter = Splitter(b"\n")
    assert list(splitter.records()) == []
    for _ in range(3):
        splitter.receive_data(b"x" * 200)
    assert list(splitter.events()) == [DataReceived(b"x" * 600)]


@pytest.mark.parametrize("too_long", ["Skip", "ignore", None, True])
def test_what_to_do_about_too_long_ones_is_refused_if_misspelt(too_long: Any) -> None:
    splitter = Splitter(Limited(b"\n", 2))
    splitter.receive_data(b"long\nok\n")
    for face in (splitter.records, splitter.events, splitter.next_event):
        with pytest.raises(ValueError, match=f'"raise" or "skip", got {too_long!r}'):
            face(too_long=too_long)
    assert splitter.trailing_data == b"long\nok\n"
    skipped = list(splitter.records(too_long="skip"))
    assert skipped == [RecordSkipped(4), b"ok"]


@pytest.mark.parametrize(
    ("received", "taken", "nothing"),
    [
        (b"", 0, True),
        (b"a", 0, False),
        (b"a\n", 0, False),
        (b"a\n", 1, True),
        (b"a\nb\n", 1, False),
        (b"a\nb\n", 2, True),
        (b"a\nb", 1, False),
    ],
)
def test_that_nothing_is_at_hand_is_known(received: bytes, taken: int, nothing: bool) -> None:
    """A backend need not look for an item then."""
    splitter = Splitter(b"\n")
    assert list(splitter.feed(b"earlier\n" * 9))
    splitter.receive_data(received)
    for _ in range(taken):
        assert splitter.next_record() is not NEED_DATA
    assert splitter._nothing_at_hand is nothing
    splitter.receive_eof()
    assert not splitter._nothing_at_hand


def test_of_an_event_the_terminator_may_be_at_hand() -> None:
    splitter = Splitter(b"\n")
    assert next(splitter.feed(b"a\n")) == Data(b"a")
    known = [splitter._nothing_at_hand]
    assert splitter.next_event() == Found(b"\n")
    known.append(splitter._nothing_at_hand)
    splitter.set_terminator(0)
    known.append(splitter._nothing_at_hand)
    assert known == [False, True, False]
