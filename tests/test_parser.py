from __future__ import annotations

import sys
from collections.abc import Generator, Iterator
from typing import Any, cast

import pytest

from termsplit import (
    NEED_DATA,
    AnyOf,
    DataReceived,
    IncompleteRecord,
    Limited,
    LocalProtocolError,
    MalformedRecord,
    Parse,
    Parser,
    RecordSkipped,
    RecordTooLong,
    Splitter,
    Terminator,
    TerminatorFound,
)
from termsplit.framing import lines


def line() -> Parse[bytes]:
    return (yield b"\n")


def head_and_body() -> Parse[tuple[bytes, bytes]]:
    head = yield b"\n"
    return head, (yield int(head))


class Refused(Exception):
    """What the grammars below raise."""


class TestMessages:
    def test_a_message_is_given_as_soon_as_it_is_whole(self) -> None:
        parser = Parser(head_and_body)
        assert list(parser.feed(b"3\nab")) == []
        assert list(parser.feed(b"c0\n1")) == [(b"3", b"abc"), (b"0", b"")]
        assert list(parser.feed(b"\nx")) == [(b"1", b"x")]

    @pytest.mark.parametrize("terminator", [b"\n", AnyOf(b"\n", b"\r\n"), Limited(b"\n", 9)])
    def test_a_message_of_one_record_leaves_the_rest_of_the_batch(
        self, terminator: bytes | AnyOf | Limited
    ) -> None:
        """Contract 5: a message ends while its record's batch has more."""

        def record() -> Parse[bytes]:
            return (yield terminator)

        records = [b"%d" % i for i in range(100)]
        assert list(Parser(record).feed(b"".join(r + b"\n" for r in records))) == records

    def test_a_terminator_that_is_equal_but_another_object(self) -> None:
        """Contract 5: the answer looks new while the batch has more."""
        records: list[bytes] = []

        def collect() -> Parse[None]:
            while True:
                records.append((yield bytes([10])))

        list(Parser(collect).feed(b"a\n" * 100))
        assert records == [b"a"] * 100

    @pytest.mark.parametrize("zero", [0, Limited(0, 3)])
    def test_a_count_of_0_twice_in_a_row(self, zero: int | Limited) -> None:
        def grammar() -> Parse[list[bytes]]:
            return [(yield zero), (yield zero), (yield b"\n")]

        assert list(Parser(grammar).feed(b"a\n")) == [[b"", b"", b"a"]]

    def test_none_after_0(self) -> None:
        def grammar() -> Parse[list[bytes]]:
            return [(yield 0), (yield None)]

        parser = Parser(grammar)
        assert list(parser.feed(b"a\n")) == []
        assert list(parser.feed(b"b")) == []
        parser.receive_eof()
        message = parser.next_message()
        assert message == [b"", b"a\nb"]

    def test_a_grammar_composes_with_yield_from(self) -> None:
        def two() -> Parse[list[bytes]]:
            return [(yield from line()), (yield from line())]

        assert list(Parser(two).feed(b"a\nb\nc\nd\ne\n")) == [[b"a", b"b"], [b"c", b"d"]]

    def test_a_grammar_that_loops_hands_its_records_on_itself(self) -> None:
        records: list[bytes] = []

        def forever() -> Parse[None]:
            while True:
                records.append((yield b"\n"))

        parser = Parser(forever)
        for chunk in (b"a\nb", b"\n", b"c\n"):
            assert list(parser.feed(chunk)) == []
        assert records == [b"a", b"b", b"c"]

    def test_the_next_run_begins_when_the_next_message_is_asked_for(self) -> None:
        """Contract 3: the grammar may look at what the message has changed."""
        terminator = b"\n"

        def grammar() -> Parse[bytes]:
            return (yield terminator)

        messages = Parser(grammar).feed(b"a\nb\nc;d\n")
        assert next(messages) == b"a"
        terminator = b";"
        assert next(messages) == b"b\nc"

    def test_next_message(self) -> None:
        parser = Parser(line)
        assert parser.next_message() is NEED_DATA
        parser.receive_data(b"a\nb\nc")
        assert [parser.next_message() for _ in range(3)] == [b"a", b"b", NEED_DATA]

    def test_next_message_at_the_end_of_the_stream(self) -> None:
        parser = Parser(line)
        parser.receive_data(b"a\n")
        parser.receive_eof()
        assert parser.next_message() == b"a"
        with pytest.raises(IncompleteRecord) as raised:
            parser.next_message()
        assert (raised.value.partial, raised.value.expected) == (b"", b"\n")
        assert raised.value.offset == 2

    def test_iterators_may_interleave_and_be_abandoned(self) -> None:
        parser = Parser(line)
        parser.receive_data(b"".join(b"%d\n" % i for i in range(40)))
        first, second = parser.messages(), parser.messages()
        given: list[bytes] = []
        for _ in range(10):
            given += [next(first), next(second)]
        given.append(next(parser.messages()))
        given += first
        assert given == [b"%d" % i for i in range(40)]
        assert list(second) == []


class TestFaces:
    def test_between_two_messages_events_may_stream(self) -> None:
        parser = Parser(line)
        splitter = parser.splitter
        messages = parser.feed(b"head\nbodyhead\n")
        assert next(messages) == b"head"
        splitter.set_terminator(4)
        events = splitter.events()
        assert [next(events), next(events)] == [DataReceived(b"body"), TerminatorFound(4)]
        assert list(messages) == [b"head"]

    def test_events_may_stream_when_the_next_run_waits_already(self) -> None:
        parser = Parser(line)
        splitter = parser.splitter
        assert list(parser.feed(b"head\n")) == [b"head"]
        splitter.set_terminator(4)
        assert list(splitter.feed(b"body")) == [DataReceived(b"body"), TerminatorFound(4)]
        assert list(parser.feed(b"head\n")) == [b"head"]

    def test_a_record_begun_as_events_can_not_become_a_message(self) -> None:
        parser = Parser(line)
        assert list(parser.feed(b"he")) == []
        assert list(parser.splitter.events()) == [DataReceived(b"he")]
        with pytest.raises(LocalProtocolError, match="taken as events"):
            list(parser.feed(b"ad\n"))
        assert list(parser.splitter.events()) == [DataReceived(b"ad"), TerminatorFound(b"\n")]
        assert list(parser.feed(b"head\n")) == [b"head"]

    def test_nor_can_one_behind_a_message_that_was_at_hand(self) -> None:
        def grammar() -> Parse[tuple[bytes, bytes, bytes]]:
            return (yield b"\n"), (yield 2), (yield b"\n")

        parser = Parser(grammar)
        assert list(parser.feed(b"a\nbbc\n")) == [(b"a", b"bb", b"c")]
        assert list(parser.splitter.feed(b"he")) == [DataReceived(b"he")]
        with pytest.raises(LocalProtocolError, match="taken as events"):
            list(parser.feed(b"ad\n"))

    def test_nor_can_one_begun_before_the_next_message_was_asked_for(self) -> None:
        parser = Parser(line)
        messages = parser.feed(b"head\nhe")
        assert next(messages) == b"head"
        assert list(parser.splitter.events()) == [DataReceived(b"he")]
        with pytest.raises(LocalProtocolError, match="taken as events"):
            next(messages)

    def test_a_splitter_given_is_the_one_used(self) -> None:
        splitter = Splitter(b";", max_size=5)
        parser = Parser(line, splitter)
        assert parser.splitter is splitter
        assert list(parser.feed(b"a\nb")) == [b"a"]
        assert splitter.detach() == b"b"


class TestTooLong:
    def grammar(self) -> Parse[bytes]:
        try:
            return (yield Limited(b"\n", 3))
        except RecordTooLong as error:
            return b"too long at %d, then " % error.offset + (yield b"\n")

    def test_the_grammar_may_catch_it_and_go_on_with_the_next_record(self) -> None:
        parser = Parser(self.grammar)
        assert list(parser.feed(b"a\nmuch too long\nb\nc\n")) == [
            b"a",
            b"too long at 2, then b",
            b"c",
        ]

    def test_uncaught_it_ends_the_run_and_calling_again_goes_on(self) -> None:
        parser = Parser(line, Splitter(max_size=3))
        messages = parser.feed(b"a\nmuch too long\nb\n")
        assert next(messages) == b"a"
        with pytest.raises(RecordTooLong) as raised:
            next(messages)
        assert (raised.value.limit, raised.value.offset) == (3, 2)
        assert list(parser.messages()) == [b"b"]

    def test_skipped_it_stands_among_the_messages_unseen_by_the_grammar(self) -> None:
        def two() -> Parse[tuple[bytes, bytes]]:
            return (yield b"\n"), (yield b"\n")

        parser = Parser(two, Splitter(max_size=3), too_long="skip")
        assert list(parser.feed(b"a\nmuch too long\nb\n")) == [RecordSkipped(13), (b"a", b"b")]


class TestEndOfStream:
    def test_between_two_messages_it_is_clean(self) -> None:
        parser = Parser(line)
        parser.receive_data(b"a\n")
        parser.receive_eof()
        assert list(parser.messages()) == [b"a"]
        assert list(parser.messages()) == []

    def test_in_a_record_it_is_thrown_into_the_grammar(self) -> None:
        parser = Parser(line)
        parser.receive_data(b"a\nb")
        parser.receive_eof()
        messages = parser.messages()
        assert next(messages) == b"a"
        for iterator in (messages, parser.messages(), parser.messages()):
            with pytest.raises(IncompleteRecord) as raised:
                next(iterator)
            error = raised.value
            assert (error.partial, error.expected, error.offset) == (b"b", b"\n", 2)

    def test_between_two_records_of_a_message_too(self) -> None:
        parser = Parser(head_and_body)
        parser.receive_data(b"3\n")
        parser.receive_eof()
        with pytest.raises(IncompleteRecord) as raised:
            list(parser.messages())
        error = raised.value
        assert (error.partial, error.expected, error.offset) == (b"", 3, 2)

    def test_a_grammar_may_make_a_message_of_what_is_left(self) -> None:
        def last_line_may_be_open() -> Parse[bytes]:
            try:
                return (yield b"\n")
            except IncompleteRecord as error:
                return error.partial

        parser = Parser(last_line_may_be_open)
        parser.receive_data(b"a\nb")
        parser.receive_eof()
        assert list(parser.messages()) == [b"a", b"b"]
        assert list(parser.messages()) == []

    def test_a_grammar_may_read_what_is_left_otherwise(self) -> None:
        def grammar() -> Parse[bytes]:
            try:
                return (yield b"\n")
            except IncompleteRecord as error:
                return b"rest: " + (yield len(error.partial))

        parser = Parser(grammar)
        parser.receive_data(b"a\nbc")
        parser.receive_eof()
        assert list(parser.messages()) == [b"a", b"rest: bc"]

    def test_a_grammar_that_asks_on_and_on_for_more_than_there_is(self) -> None:
        told: list[bytes] = []

        def stubborn() -> Parse[None]:
            while True:
                try:
                    yield b"\n"
                except IncompleteRecord as error:
                    told.append(error.partial)

        parser = Parser(stubborn)
        parser.receive_data(b"b")
        parser.receive_eof()
        for calls in (1, 2):
            with pytest.raises(IncompleteRecord):
                list(parser.messages())
            assert told == [b"b"] * calls

    def test_none_takes_all_there_is_left(self) -> None:
        def grammar() -> Parse[tuple[bytes, bytes]]:
            return (yield b"\n"), (yield None)

        parser = Parser(grammar)
        assert list(parser.feed(b"a\nb\n")) == []
        parser.receive_eof()
        assert list(parser.messages()) == [(b"a", b"b\n")]

    def test_what_needs_no_data_may_follow_none(self) -> None:
        def grammar() -> Parse[tuple[bytes, bytes]]:
            return (yield None), (yield 0)

        parser = Parser(grammar)
        parser.receive_data(b"a")
        parser.receive_eof()
        assert parser.next_message() == (b"a", b"")

    def test_none_twice(self) -> None:
        def grammar() -> Parse[tuple[bytes, bytes]]:
            return (yield None), (yield None)

        parser = Parser(grammar)
        parser.receive_data(b"a")
        parser.receive_eof()
        with pytest.raises(IncompleteRecord) as raised:
            list(parser.messages())
        assert (raised.value.partial, raised.value.expected) == (b"", None)


class TestBadGrammars:
    def test_one_that_raises_in_the_middle_of_a_chunk(self) -> None:
        """Contract 5: what was before is delivered, what is after is there, calling again goes on."""

        def grammar() -> Parse[bytes]:
            record = yield b"\n"
            if record == b"bad":
                raise Refused
            return record

        parser = Parser(grammar)
        given: list[bytes] = []
        with pytest.raises(Refused):
            given.extend(parser.feed(b"a\nb\nc\nd\nbad\ne\nf\ng\nh"))
        assert given == [b"a", b"b", b"c", b"d"]
        assert parser.splitter.trailing_data == b"e\nf\ng\nh"
        assert list(parser.messages()) == [b"e", b"f", b"g"]
        assert list(parser.feed(b"\n")) == [b"h"]

    def test_one_that_raises_before_its_first_terminator(self) -> None:
        fails = iter([True, False])

        def grammar() -> Parse[bytes]:
            if next(fails, False):
                raise Refused
            return (yield b"\n")

        parser = Parser(grammar)
        with pytest.raises(Refused):
            list(parser.feed(b"a\nb\n"))
        assert list(parser.messages()) == [b"a", b"b"]

    @pytest.mark.parametrize(
        ("nonsense", "error"),
        [
            ("\n", TypeError),
            (True, TypeError),
            (2.5, TypeError),
            (b"", ValueError),
            (-1, ValueError),
        ],
    )
    def test_one_that_yields_nonsense_is_told_so_at_its_yield(
        self, nonsense: Any, error: type[Exception]
    ) -> None:
        def grammar() -> Parse[bytes]:
            first = yield b"\n"
            return first + (yield nonsense)

        parser = Parser(grammar)
        with pytest.raises(error, match="expected a") as raised:
            list(parser.feed(b"a\nb\n"))
        assert any(entry.name == "grammar" for entry in raised.traceback)
        assert parser.splitter.trailing_data == b"b\n"

    def test_one_that_catches_that_goes_on(self) -> None:
        def grammar() -> Parse[bytes]:
            try:
                record = yield cast("bytes", "\n")
            except TypeError:
                record = yield b"\n"
            return record

        assert list(Parser(grammar).feed(b"a\nb\n")) == [b"a", b"b"]

    def test_one_that_returns_without_yielding(self) -> None:
        empty = iter([True, True, False])

        def grammar() -> Parse[bytes]:
            if next(empty, False):
                return b"from nothing"
            return (yield b"\n")

        parser = Parser(grammar)
        parser.receive_data(b"a\n")
        for _ in range(2):
            with pytest.raises(LocalProtocolError, match="without yielding"):
                next(parser.messages())
        assert list(parser.messages()) == [b"a"]

    def test_one_that_returns_without_yielding_behind_a_message(self) -> None:
        empty = iter([False, True, False])

        def grammar() -> Parse[bytes]:
            if next(empty, False):
                return b"from nothing"
            return (yield b"\n")

        parser = Parser(grammar)
        messages = parser.feed(b"a\nb\n")
        assert next(messages) == b"a"
        with pytest.raises(LocalProtocolError, match="without yielding"):
            next(messages)
        assert list(parser.messages()) == [b"b"]

    def test_one_that_is_not_callable(self) -> None:
        with pytest.raises(
            TypeError, match="a generator function, got generator: it has been called"
        ):
            Parser(cast("Any", line()))
        with pytest.raises(TypeError, match=r"got Framing: its grammar is `\.grammar`"):
            Parser(cast("Any", lines()))
        with pytest.raises(TypeError, match="got bytes"):
            Parser(cast("Any", b"\n"))

    def test_one_that_is_yielded(self) -> None:
        def grammar() -> Parse[bytes]:
            return (yield cast("Any", line()))

        with pytest.raises(TypeError, match="another grammar is run by `yield from`"):
            list(Parser(grammar).messages())

    def test_what_is_no_splitter(self) -> None:
        with pytest.raises(TypeError, match="expected a Splitter or Connection, got bytes"):
            Parser(line, cast("Any", b"\n"))

    def test_what_to_do_about_too_long_ones_is_refused_if_misspelt(self) -> None:
        with pytest.raises(ValueError, match='"raise" or "skip", got \'Skip\''):
            Parser(line, too_long=cast("Any", "Skip"))

    @pytest.mark.parametrize("result", [None, [b"\n"]])
    def test_one_that_is_no_generator_function(self, result: object) -> None:
        def grammar() -> Any:
            return result

        parser: Parser[bytes] = Parser(grammar)
        expected = f"expected the grammar to return a generator, got {type(result).__name__}"
        for _ in range(2):
            with pytest.raises(TypeError, match=expected):
                list(parser.feed(b"a\n"))
        assert parser.splitter.trailing_data == b"a\na\n"

    def test_one_that_wraps_another_generator(self) -> None:
        def wrapper() -> Parse[bytes]:
            return line()

        assert list(Parser(wrapper).feed(b"a\nb\n")) == [b"a", b"b"]

    def test_one_that_is_a_generator_by_its_methods(self) -> None:
        class Line(Generator[Terminator, bytes, bytes]):
            def send(self, record: bytes | None) -> Terminator:
                if record is None:
                    return b"\n"
                raise StopIteration(record)

            def throw(self, *error: Any) -> Terminator:
                raise error[0]

        assert list(Parser(Line).feed(b"a\nb\n")) == [b"a", b"b"]

    def test_one_that_closes_what_it_opened_is_left_to(self) -> None:
        """An exception passes through the grammar's own `finally`."""
        closed: list[bool] = []

        def grammar() -> Generator[bytes, bytes, bytes]:
            try:
                return (yield b"\n")
            finally:
                closed.append(True)

        parser = Parser(grammar, Splitter(max_size=1))
        with pytest.raises(RecordTooLong):
            list(parser.feed(b"ab"))
        assert closed == [True]


def test_feed_parses_nothing_before_it_is_iterated() -> None:
    parser = Parser(line)
    messages: Iterator[bytes] = parser.feed(b"a\nb\n")
    assert parser.splitter.trailing_data == b"a\nb\n"
    assert next(messages) == b"a"
    assert parser.splitter.trailing_data == b"b\n"


@pytest.mark.parametrize(
    ("terminator", "stream", "offset"),
    [
        (b"--", b"good--bad--good--", 6),
        (AnyOf(b"\r\n", b"\n"), b"good\r\nbad\ngood\r\n", 6),
        (AnyOf(b"\r\n", b"\n"), b"good\nbad\r\ngood\n", 5),
        (Limited(b"\n", 9), b"good\nbad\ngood\n", 5),
        (4, b"goodbad.good", 4),
    ],
)
def test_a_malformed_record_gets_its_offset(
    terminator: Terminator, stream: bytes, offset: int
) -> None:
    def grammar() -> Parse[bytes]:
        record = yield terminator
        if not record.startswith(b"good"):
            raise MalformedRecord("good", record, 1)
        return record

    for chunks in ([stream], [bytes([byte]) for byte in stream]):
        parser = Parser(grammar)
        messages: list[bytes] = []
        errors: list[MalformedRecord] = []
        for chunk in chunks:
            parser.receive_data(chunk)
            try:
                messages += parser.messages()
            except MalformedRecord as error:
                errors.append(error)
                messages += parser.messages()
        assert messages == [b"good", b"good"]
        assert [error.offset for error in errors] == [offset + 1]


def test_a_malformed_record_that_the_end_of_the_stream_completes_gets_its_offset() -> None:
    def grammar() -> Parse[bytes]:
        yield AnyOf(b"\r\n", b"\n")
        raise MalformedRecord("nothing more", (yield None))

    parser = Parser(grammar)
    assert list(parser.feed(b"head\r\nbody")) == []
    parser.receive_eof()
    with pytest.raises(MalformedRecord, match="got b'body' at offset 6"):
        parser.next_message()


def test_a_malformed_record_of_no_bytes_gets_its_offset() -> None:
    def grammar() -> Parse[bytes]:
        yield 2
        raise MalformedRecord("a record", (yield 0))

    with pytest.raises(MalformedRecord, match="at offset 2"):
        list(Parser(grammar).feed(b"abc"))


def test_a_malformed_record_of_so_many_bytes_gets_its_offset() -> None:
    def grammar() -> Parse[bytes]:
        raise MalformedRecord("nothing", (yield 3), 1)

    parser = Parser(grammar)
    parser.receive_data(b"onetwo")
    with pytest.raises(MalformedRecord, match="got b'ne' at offset 1"):
        parser.next_message()
    with pytest.raises(MalformedRecord, match="got b'wo' at offset 4"):
        parser.next_message()


def test_a_malformed_record_gets_its_offset_though_the_grammar_has_looked_at_the_next_ones() -> (
    None
):
    end = AnyOf(b"\r\n", b"\n")

    def grammar() -> Parse[None]:
        while True:
            record = yield end
            assert parser.splitter.offset >= len(record)
            if record == b"bad":
                raise MalformedRecord("good", record)

    parser = Parser(grammar)
    with pytest.raises(MalformedRecord, match="at offset 6"):
        list(parser.feed(b"good\r\n" + b"bad\r\n" + b"good\n" * 9))


def test_an_offset_that_the_grammar_knows_better_is_kept() -> None:
    def grammar() -> Parse[bytes]:
        error = MalformedRecord("anything else", (yield b"\n"))
        error.offset = 7
        raise error

    with pytest.raises(MalformedRecord, match="got b'a' at offset 7"):
        list(Parser(grammar).feed(b"a\n"))


class TestAGrammarThatUsesItsSplitter:
    """Not what a grammar is for; but nothing is lost by it."""

    def test_for_an_event_between_two_records(self) -> None:
        splitter = Splitter()

        def grammar() -> Parse[tuple[bytes, object, bytes]]:
            head = yield b"\n"
            event = splitter.next_event()
            return head, event, (yield 2)

        parser = Parser(grammar, splitter)
        assert list(parser.feed(b"head\nab")) == []
        assert list(parser.feed(b"cd")) == [(b"head", DataReceived(b"ab"), b"cd")]

    def test_for_a_record_between_two_counts(self) -> None:
        splitter = Splitter()

        def grammar() -> Parse[tuple[bytes, ...]]:
            one = yield 1
            two = yield 2
            splitter.set_terminator(b"\n")
            line = splitter.next_record()
            assert line is not NEED_DATA
            return one, two, line, (yield 3)

        assert list(Parser(grammar, splitter).feed(b"122line\n333")) == [
            (b"1", b"22", b"line", b"333")
        ]

    def test_for_a_record_that_is_too_long(self) -> None:
        splitter = Splitter()

        def grammar() -> Parse[bytes]:
            yield 1
            yield Limited(3, 10)
            splitter.set_terminator(Limited(b";", 2))
            with pytest.raises(RecordTooLong):
                splitter.next_record()
            return (yield 5)

        assert list(Parser(grammar, splitter).feed(b"1twotwotwo")) == []
        splitter.set_terminator(None)
        splitter.receive_data(b";rest;and;more")
        splitter.receive_eof()
        records = splitter.records(too_long="skip")
        assert list(records) == [RecordSkipped(6), b"rest;and;more"]

    def test_and_raises_on_the_record_before(self) -> None:
        splitter = Splitter()

        def grammar() -> Parse[bytes]:
            record = yield b"\n"
            splitter.set_terminator(AnyOf(b";", b","))
            raise MalformedRecord("something else", record)

        with pytest.raises(MalformedRecord) as caught:
            list(Parser(grammar, splitter).feed(b"a line\n" * 2))
        assert caught.value.offset is None


@pytest.mark.parametrize("terminator", [b"\n", AnyOf(b"\r\n", b"\n"), 9])
def test_a_record_that_never_came_is_malformed_where_it_begins(
    terminator: bytes | int | AnyOf,
) -> None:
    def grammar() -> Parse[bytes]:
        yield 2
        try:
            return (yield Limited(terminator, 3))
        except RecordTooLong:
            raise MalformedRecord("a short record", b"") from None

    with pytest.raises(MalformedRecord) as caught:
        list(Parser(grammar).feed(b"a" * 8))
    assert caught.value.offset == 2


class TestLongRuns:
    """A grammar of many records, and of heads and bodies, is sent them by shorter ways: none of which shows."""

    @staticmethod
    def three() -> Parse[list[object]]:
        records: list[object] = []
        for _ in range(3):
            try:
                records.append((yield b"\n"))
            except RecordTooLong as error:
                records.append(error.offset)
        return records

    def test_one_that_ends_in_an_error_it_has_caught(self) -> None:
        parser = Parser(self.three, Splitter(max_size=1))
        messages = [message for chunk in (b"a\n", b"b\n", b"ccc") for message in parser.feed(chunk)]
        assert messages == [[b"a", b"b", 4]]
        assert list(parser.feed(b"\nd\ne\nf\n")) == [[b"d", b"e", b"f"]]

    def test_one_that_returns_in_the_middle_of_a_chunk(self) -> None:
        parser = Parser(self.three)
        chunks = [b"a\n", b"b\n", b"c\nd\ne\nf\ng\n"]
        messages = [message for chunk in chunks for message in parser.feed(chunk)]
        assert messages == [[b"a", b"b", b"c"], [b"d", b"e", b"f"]]

    @staticmethod
    def pairs() -> Parse[None]:
        while True:
            size = yield b"\n"
            body = yield int(size)
            if body == b"bad":
                raise MalformedRecord("good", body, 1)
            if body == b"end":
                raise Refused
            if body == b"own":
                error = MalformedRecord("good", body)
                error.offset = 99
                raise error

    def test_one_that_raises_on_a_body(self) -> None:
        parser = Parser(self.pairs)
        parser.receive_data(b"4\ngood4\ngood3\nbad4\ngood3\nend4\ngood2\nx")
        with pytest.raises(MalformedRecord, match="offset 15"):
            list(parser.messages())
        assert parser.splitter.offset == 17
        with pytest.raises(Refused):
            list(parser.messages())
        assert parser.splitter.trailing_data == b"4\ngood2\nx"
        assert list(parser.messages()) == []
        assert parser.splitter.trailing_data == b"x"

    def test_one_that_returns_at_a_body(self) -> None:
        def headers_and_body() -> Parse[bytes]:
            while (yield b"\n"):
                pass
            return (yield 4)

        parser = Parser(headers_and_body)
        chunks = [b"a\nb\n", b"c\n", b"d\n\nbodya\nb\n", b"\nbody"]
        messages = [message for chunk in chunks for message in parser.feed(chunk)]
        assert messages == [b"body", b"body"]

    def test_one_that_knows_where_a_body_is_malformed(self) -> None:
        parser = Parser(self.pairs)
        with pytest.raises(MalformedRecord, match="offset 99"):
            list(parser.feed(b"4\ngood3\nown"))

    def test_another_face_sets_a_terminator_in_the_middle_of_a_message(self) -> None:
        parser = Parser(self.three)
        assert list(parser.feed(b"a\n")) == []
        parser.splitter.set_terminator(b";")
        assert list(parser.splitter.feed(b"x;")) == [DataReceived(b"x"), TerminatorFound(b";")]
        assert list(parser.feed(b"b\nc\n")) == [[b"a", b"b", b"c"]]


class TestSeveralIterators:
    """An iterator of messages goes on from wherever its splitter and its grammar stand by then."""

    def test_data_that_came_meanwhile(self) -> None:
        parser = Parser(line)
        messages = parser.feed(b"a\n" * 6 + b"b\nc\n")
        for _ in range(8):
            next(messages)
        assert parser.splitter.next_record() is NEED_DATA
        parser.receive_data(b"d\ne\n")
        assert list(messages) == [b"d", b"e"]

    @pytest.mark.parametrize(("terminator", "data"), [(b"\n", b"a\nb\n"), (b";", b"x;a\nb\n")])
    def test_the_grammar_has_read_and_received_at_the_end_of_a_batch(
        self, terminator: bytes, data: bytes
    ) -> None:
        seen: list[bytes] = []

        def looping() -> Parse[bytes]:
            while True:
                seen.append((yield b"\n"))
                if seen[-1] == b"last":
                    splitter = parser.splitter
                    assert list(splitter.records()) == []
                    splitter.set_terminator(terminator)
                    splitter.receive_data(data)
                    if terminator == b";":
                        assert list(splitter.records()) == [b"x"]

        parser = Parser(looping)
        for chunk in (b"a line\n" * 40, b"a line\n" * 9 + b"last\n"):
            assert list(parser.feed(chunk)) == []
        assert seen[-3:] == [b"last", b"a", b"b"]

    def test_another_has_begun_the_next_run(self) -> None:
        def grammar() -> Parse[bytes]:
            try:
                return (yield b"\n")
            except RecordTooLong:
                return b"too long"

        parser = Parser(grammar, Splitter(max_size=3))
        messages = parser.feed(b"aaaaaa\n")
        assert next(messages) == b"too long"
        assert list(parser.messages()) == []
        assert list(messages) == []
        assert list(parser.feed(b"b\n")) == [b"b"]

    def test_another_has_failed_before_it_waited_for_anything(self) -> None:
        fails = iter([False, True])

        def grammar() -> Parse[bytes]:
            if next(fails, False):
                raise ValueError("not now")
            return (yield b"\n")

        parser = Parser(grammar)
        messages = parser.feed(b"1\n2\n3\n")
        assert next(messages) == b"1"
        with pytest.raises(ValueError, match="not now"):
            next(parser.messages())
        assert list(messages) == [b"2", b"3"]

    def test_events_of_what_was_cut_for_a_grammar(self) -> None:
        parser = Parser(line)
        assert len(list(parser.feed(b"a line\n" * 20))) == 20
        messages, events = parser.feed(b"a\nb\nc\nd\n"), parser.splitter.events()
        assert next(messages) == b"a"
        assert next(events) == DataReceived(b"b")
        with pytest.raises(LocalProtocolError, match="taken as events"):
            next(messages)
        assert next(events) == TerminatorFound(b"\n")
        assert list(parser.messages()) == [b"c", b"d"]

    def test_one_grammar_takes_a_message_of_another(self) -> None:
        splitter = Splitter()

        def pair() -> Parse[bytes]:
            return (yield 2)

        pairs = Parser(pair, splitter)

        def grammar() -> Parse[tuple[object, ...]]:
            return (yield 1), (yield 2), pairs.next_message(), (yield 1)

        messages = Parser(grammar, splitter).feed(b"0123450123450")
        assert list(messages) == [(b"0", b"12", b"34", b"5")] * 2

    def test_another_has_failed_at_another_terminator(self) -> None:
        runs: list[list[Any]] = [[b"a"], [2, b"a", "bad"], [b"a"]]

        def grammar() -> Parse[list[bytes]]:
            records = []
            for terminator in runs.pop(0):
                records.append((yield terminator))  # noqa: PERF401
            return records

        parser = Parser(grammar)
        messages = parser.feed(b"xaxyxaxaxa")
        assert next(messages) == [b"x"]
        with pytest.raises(TypeError, match="str: 'bad'"):
            list(parser.messages())
        assert next(messages) == [b"x"]

    def test_what_was_begun_as_events_when_it_was_cut_already(self) -> None:
        def grammar() -> Parse[None]:
            while True:
                yield b"\n"

        parser = Parser(grammar)
        assert list(parser.feed(b"a\nb\nc\n" * 5)) == []
        parser.receive_data(b"de\n")
        assert parser.splitter.next_event() == DataReceived(b"de")
        with pytest.raises(LocalProtocolError, match="taken as events"):
            list(parser.messages())

    @pytest.mark.parametrize("resumed", [True, False])
    def test_what_was_streamed_between_two_messages(self, resumed: bool) -> None:
        parser = Parser(line)
        messages = parser.feed(b"a\nbc")
        assert next(messages) == b"a"
        assert list(parser.splitter.events()) == [DataReceived(b"bc")]
        parser.receive_data(b"d\n")
        with pytest.raises(LocalProtocolError, match="taken as events"):
            list(messages if resumed else parser.messages())


def test_a_message_is_given_though_it_took_no_record() -> None:
    def grammar() -> Parse[bytes]:
        try:
            return (yield cast("Terminator", "bad"))
        except TypeError:
            return b"caught"

    parser = Parser(grammar)
    assert parser.next_message() == b"caught"
    assert parser.next_message() == b"caught"


def test_one_whose_second_run_is_no_generator() -> None:
    runs: list[Any] = [line(), [b"\n"]]
    parser = Parser(lambda: runs.pop(0))
    with pytest.raises(TypeError, match="got list"):
        list(parser.feed(b"a\nb\n"))


def test_a_grammar_that_sets_a_terminator_itself_gets_the_one_it_answers() -> None:
    splitter = Splitter()

    def grammar() -> Parse[list[bytes]]:
        records = [(yield b"\n"), (yield 2)]
        splitter.set_terminator(b"xyz")
        records += [(yield b"\n"), (yield 1), (yield b"\n")]
        splitter.set_terminator(b"xyz")
        return [*records, (yield b"\n")]

    stream = b"a\nbbc\ndexyz1\nfxyz2\nxyz\n"
    assert list(Parser(grammar, splitter).feed(stream)) == [
        [b"a", b"bb", b"c", b"d", b"exyz1", b"fxyz2"]
    ]


def test_a_grammar_that_has_a_record_refused_goes_on_behind_it() -> None:
    splitter = Splitter(max_size=3)

    def grammar() -> Parse[list[bytes]]:
        records = [(yield b";"), (yield 2), (yield b";")]
        with pytest.raises(RecordTooLong):
            splitter.next_record()
        return [*records, (yield 1)]

    assert list(Parser(grammar, splitter).feed(b"a;bbc;too long;d")) == [[b"a", b"bb", b"c", b"d"]]


class TestConversations:
    """A grammar that asks for each record in another way than for the one before."""

    def taken(
        self, *terminators: Terminator, max_size: int | None = 600
    ) -> tuple[Any, list[bytes]]:
        """A parser of a grammar that asks for one of these after the other, and what that got."""
        records: list[bytes] = []

        def grammar() -> Parse[None]:
            for terminator in terminators:
                record = yield terminator
                records.append(record)
            yield None

        return Parser(grammar, Splitter(max_size=max_size)), records

    @pytest.mark.parametrize("before", [(1,), (b"\n", 1)])
    @pytest.mark.parametrize("behind", [(b"\n", b"\n"), (400, 400)])
    def test_behind_a_limited_record_the_limit_is_the_usual_one(
        self, before: tuple[Terminator, ...], behind: tuple[Terminator, ...]
    ) -> None:
        parser, records = self.taken(*before, Limited(b"\n", 3), *behind)
        first = [b"head", b"1", b"ab"][-len(before) - 1 :]
        long = [b"x" * 400, b"y" * 400]
        data = b"\n".join(first).replace(b"1\n", b"1") + b"\n"
        list(parser.feed(data + (b"\n" if behind[0] == b"\n" else b"").join([*long, b""])))
        assert records == first + long

    def test_behind_a_limited_record_a_bad_count_sets_nothing(self) -> None:
        def grammar() -> Parse[tuple[bytes, bytes]]:
            first = yield Limited(b"\n", 10)
            try:
                rest = yield -1
            except ValueError:
                rest = yield None
            return first, rest

        parser = Parser(grammar)
        parser.receive_data(b"one\ntwo\nthree\n")
        parser.receive_eof()
        assert list(parser.messages()) == [(b"one", b"two\nthree\n")]

    def test_a_bad_count_leaves_the_limit_in_force(self) -> None:
        def grammar() -> Parse[bytes]:
            return (yield -1)

        limited = Limited(b"\n", 3)
        parser = Parser(grammar, Splitter(limited))
        with pytest.raises(ValueError, match="-1"):
            list(parser.feed(b"four\nx\n"))
        assert parser.splitter.get_terminator() is limited
        with pytest.raises(RecordTooLong):
            parser.splitter.next_record()

    @pytest.mark.parametrize("behind", [4, b"\n"])
    def test_behind_a_limited_record_other_faces_have_no_limit(self, behind: Terminator) -> None:
        def grammar() -> Parse[bytes]:
            yield b"\n"
            yield 1
            yield Limited(b"\n", 3)
            return (yield behind)

        parser = Parser(grammar)
        data = b"head\n1ab\nlonglong" if behind == 4 else b"head\n1ab\nlong\nlong\n"
        assert next(parser.feed(data)) == b"long"
        assert list(parser.splitter.events())[:1] == [DataReceived(b"long")]

    def test_a_limit_holds_for_all_records_that_it_was_set_for(self) -> None:
        limited = Limited(b"\n", 3)
        parser, records = self.taken(b"\n", 1, limited, limited)
        with pytest.raises(RecordTooLong) as raised:
            list(parser.feed(b"head\n1ab\ntoo long\n"))
        assert (raised.value.limit, raised.value.offset) == (3, 9)
        assert records == [b"head", b"1", b"ab"]

    @pytest.mark.parametrize("beyond", [b"", b"x" * 2000])
    def test_a_count_above_the_limit_is_refused_though_all_of_it_is_at_hand(
        self, beyond: bytes
    ) -> None:
        parser, records = self.taken(b"\n", 600, b"\n", 601)
        with pytest.raises(RecordTooLong) as raised:
            list(parser.feed(b"a\n" + b"b" * 600 + b"c\n" + b"d" * 601 + beyond))
        assert (raised.value.limit, raised.value.offset) == (600, 604)
        assert records == [b"a", b"b" * 600, b"c"]

    @pytest.mark.parametrize("size", [3, 8])
    def test_a_string_beyond_what_is_searched_of_a_conversation(self, size: int) -> None:
        """At once, that is no further than a record may reach that began where the first one did."""
        parser, records = self.taken(b"\r\n", 3, b"\r\n", 3, max_size=10)
        list(parser.feed(b"a\r\nabc" + b"x" * size + b"\r\n"))
        assert records == [b"a", b"abc", b"x" * size]

    def test_a_record_begun_as_events_behind_one_that_was_refused(self) -> None:
        def grammar() -> Parse[None]:
            while True:
                if (yield b"\n") == b"bad":
                    raise MalformedRecord("no bad", b"bad", 0)
                yield 1

        parser = Parser(grammar)
        assert list(parser.feed(b"a\n")) == []
        with pytest.raises(MalformedRecord):
            list(parser.feed(b"1bad\nbegun"))
        assert list(parser.splitter.events()) == [DataReceived(b"begun")]
        with pytest.raises(LocalProtocolError, match="taken as events"):
            list(parser.feed(b" and ended\n"))

    def test_events_that_go_on_name_what_the_grammar_waited_for(self) -> None:
        parser, records = self.taken(AnyOf(b"\r\n", b"\n"), 3, 4)
        assert list(parser.feed(b"3\nabc")) == []
        assert records == [b"3", b"abc"]
        parser.receive_data(b"last")
        assert list(parser.splitter.events()) == [DataReceived(b"last"), TerminatorFound(4)]

    def test_a_count_that_no_stream_reaches_is_not_the_end_of_the_stream(self) -> None:
        parser, _ = self.taken(sys.maxsize, max_size=None)
        assert list(parser.feed(b"abc")) == []
        parser.receive_eof()
        with pytest.raises(IncompleteRecord):
            list(parser.messages())


def test_behind_a_message_on_which_the_grammar_raised_there_may_be_others() -> None:
    def refusing() -> Parse[bytes]:
        line = yield b"\n"
        if line == b"bad":
            raise ValueError
        return line

    parser = Parser(refusing)
    assert list(parser.feed(b"a\n" * 100)) == [b"a"] * 100
    parser.receive_data(b"b\nbad\nc\n")
    messages = parser.messages()
    assert next(messages) == b"b"
    with pytest.raises(ValueError):
        next(messages)
    assert parser.receive_data(b"d")
    assert list(parser.messages()) == [b"c"]
    assert not parser.receive_data(b"e")
