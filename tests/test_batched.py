"""Grammars that need not be run: where the stream and the splitter stand between their messages."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Literal

import pytest

from termsplit import (
    NEED_DATA,
    DataReceived,
    IncompleteRecord,
    Limited,
    LocalProtocolError,
    NeedData,
    Parse,
    Parser,
    RecordSkipped,
    RecordTooLong,
    Splitter,
)
from termsplit.framing import Framing, cobs, length_prefixed, lines, netstrings


@pytest.mark.parametrize("framing", [lines(), length_prefixed(2), netstrings(), cobs()])
def test_messages_that_come_in_before_they_are_asked_for(framing: Framing[bytes]) -> None:
    parser = Parser(framing.grammar)
    assert list(parser.feed(framing.encode(b"one"))) == [b"one"]
    messages, later = parser.messages(), parser.messages()
    assert list(later) == []
    parser.receive_data(framing.encode(b"two") + framing.encode(b"three"))
    assert list(messages) == [b"two", b"three"]
    assert list(later) == []


def test_a_terminator_that_no_grammar_has_set_is_not_waited_for() -> None:
    parser = Parser(lines().grammar)
    assert list(parser.splitter.records()) == []
    assert list(parser.feed(b"a\n")) == [b"a"]


def test_a_length_that_another_face_waits_for_already() -> None:
    splitter = Splitter(2)
    splitter.receive_data(b"\0")
    assert list(splitter.records()) == []
    parser = Parser(length_prefixed(2).grammar, splitter)
    assert list(parser.messages()) == []
    assert list(parser.feed(b"\1a")) == [b"a"]


@pytest.mark.parametrize(
    ("framing", "stream"), [(lines(), b"a\nb\n"), (length_prefixed(1), b"\x01a\x01b")]
)
def test_what_another_face_has_searched_is_there_for_a_grammar(
    framing: Framing[bytes], stream: bytes
) -> None:
    splitter = Splitter()
    splitter.receive_data(stream)
    assert list(splitter.records()) == []
    assert list(Parser(framing.grammar, splitter).messages()) == [b"a", b"b"]


@pytest.mark.parametrize("face", [Splitter.records, Splitter.events])
@pytest.mark.parametrize("size", [1, 7, 50, 1000])
def test_behind_each_message_the_next_length_is_waited_for(
    face: Callable[[Splitter], Iterator[object]], size: int
) -> None:
    stream = b"".join(length_prefixed(2).encode(bytes([65 + i]) * (20 + i)) for i in range(20))
    parser = Parser(length_prefixed(2).grammar)
    taken = 0
    for begin in range(0, len(stream), size):
        parser.receive_data(stream[begin : begin + size])
        for _ in parser.messages():
            taken += 1
            assert parser.splitter.get_terminator() == 2
            if taken == 7:
                parser.receive_data(stream[begin + size :])
                (first, *_) = face(parser.splitter)
                assert first in (b"\0\x1b", DataReceived(b"\0\x1b"))
                return


@pytest.mark.parametrize("size", [1, 5, 200])
def test_what_is_skipped_is_skipped_as_by_any_grammar(size: int) -> None:
    grammar = length_prefixed(1, max_size=3).grammar
    stream = b"\x01a\x02bc" * 9 + b"\x05\x01\x01\x01d\x00" + b"\x01e" * 99

    def messages(grammar: Callable[[], Parse[bytes]]) -> list[bytes | RecordSkipped]:
        parser = Parser(grammar, too_long="skip")
        chunks = [stream[begin : begin + size] for begin in range(0, len(stream), size)]
        return [message for chunk in chunks for message in parser.feed(chunk)]

    known, unknown = messages(grammar), messages(lambda: grammar())
    assert known == unknown
    assert RecordSkipped(5) in known


@pytest.mark.parametrize("count", [10, 60])
def test_a_width_above_the_limit_is_refused_whatever_is_at_hand(count: int) -> None:
    splitter = Splitter(1, max_size=3)
    splitter.receive_data(b"x" + b"\0\0\0\1a" * count)
    assert splitter.next_record() == b"x"
    with pytest.raises(RecordTooLong, match="at most 3 bytes"):
        next(Parser(length_prefixed(4).grammar, splitter).messages())


@pytest.mark.parametrize("count", [2, 60])
def test_a_length_begun_as_events_is_refused_whatever_was_at_hand(count: int) -> None:
    message = b"\0\0\0\1b"
    parser = Parser(length_prefixed(4).grammar)
    assert list(parser.feed(message)) == [b"b"]
    parser.receive_data(message * count + b"\0\0")
    assert [parser.next_message() for _ in range(count)] == [b"b"] * count
    assert list(parser.splitter.events()) == [DataReceived(b"\0\0")]
    with pytest.raises(LocalProtocolError, match="taken as events"):
        list(parser.feed(b"\0\1c"))


def test_a_grammar_may_take_a_message_of_another() -> None:
    splitter = Splitter()
    strings = Parser(length_prefixed(4).grammar, splitter)

    def grammar() -> Parse[tuple[object, ...]]:
        return (yield 1), (yield 4), strings.next_message(), (yield 2)

    message = (b"0", b"HEAD", b"abc", b"CC")
    stream = b"0HEAD\0\0\0\3abcCC" * 40
    assert list(Parser(grammar, splitter).feed(stream)) == [message] * 40


def test_another_grammar_goes_on_behind_the_messages_that_were_taken() -> None:
    framing = length_prefixed(2)
    splitter = Splitter()
    strings: Iterator[bytes] = Parser(framing.grammar, splitter).messages()

    def length() -> Parse[int]:
        return int.from_bytes((yield 2), "big")

    lengths = Parser(length, splitter)
    splitter.receive_data(b"".join(framing.encode(bytes(20 + i)) for i in range(20)))
    assert [len(next(strings)) for _ in range(5)] == [20, 21, 22, 23, 24]
    assert lengths.next_message() == 25
    splitter.set_terminator(25)
    assert splitter.next_record() == bytes(25)
    assert [len(next(strings)) for _ in range(5)] == [26, 27, 28, 29, 30]
    assert lengths.next_message() == 31


def test_two_of_them_may_take_turns_within_what_was_cut() -> None:
    splitter = Splitter()
    framings = [length_prefixed(2), length_prefixed(2, counts_itself=True)]
    turns = [Parser(framing.grammar, splitter).messages() for framing in framings]
    splitter.receive_data(b"".join(framings[i % 2].encode(bytes(20 + i)) for i in range(20)))
    assert [len(next(turns[i % 2])) for i in range(20)] == [*range(20, 40)]


@pytest.mark.parametrize("framing", [lines(), length_prefixed(2)])
def test_one_is_a_part_of_another_grammar(framing: Framing[bytes]) -> None:
    def pair() -> Parse[tuple[bytes, bytes]]:
        return (yield from framing.grammar()), (yield from framing.grammar())

    sent = [b"one", b"two", b"three", b"four"]
    stream = b"".join(map(framing.encode, sent))
    assert list(Parser(pair).feed(stream)) == [(b"one", b"two"), (b"three", b"four")]


def test_the_terminator_that_someone_set_between_two_messages_ends_none() -> None:
    parser = Parser(lines().grammar)
    assert list(parser.feed(b"one\n")) == [b"one"]
    parser.splitter.set_terminator(2)
    assert list(parser.feed(b"two\nthree\n")) == [b"two", b"three"]


def test_a_body_that_goes_on_in_chunks_that_came_before_it_was_begun() -> None:
    parser = Parser(length_prefixed(2).grammar)
    assert list(parser.feed(b"\0")) == []
    for chunk in (b"\5a", b"bc", b"d"):
        parser.receive_data(chunk)
    assert list(parser.messages()) == []
    assert list(parser.feed(b"e\0\1f")) == [b"abcde", b"f"]


def test_a_message_longer_than_what_waits_unread() -> None:
    framing = length_prefixed(4, max_size=None)
    parser = Parser(framing.grammar)
    message = bytes(range(256)) * 1000
    stream = framing.encode(message) + framing.encode(b"end")
    chunks = [stream[begin : begin + 60_000] for begin in range(0, len(stream), 60_000)]
    assert [taken for chunk in chunks for taken in parser.feed(chunk)] == [message, b"end"]


@pytest.mark.parametrize("size", [1, 3, 7, 40])
def test_the_end_of_the_stream_in_a_body(size: int) -> None:
    framing = length_prefixed(2, max_size=100)
    stream = framing.encode(b"whole") + b"\0\x09cut"
    known, unknown = Parser(framing.grammar), Parser(lambda: framing.grammar())
    for parser in (known, unknown):
        chunks = [stream[begin : begin + size] for begin in range(0, len(stream), size)]
        assert [message for chunk in chunks for message in parser.feed(chunk)] == [b"whole"]
        assert parser.splitter.get_terminator() == Limited(9, 100)
        assert parser.splitter.offset == 9
        parser.receive_eof()
        with pytest.raises(IncompleteRecord) as raised:
            parser.next_message()
        assert (raised.value.partial, raised.value.expected) == (b"cut", Limited(9, 100))


def test_another_terminator_within_a_body_that_has_no_limit() -> None:
    framing = length_prefixed(4, max_size=None)
    parser = Parser(framing.grammar, Splitter(max_size=None))
    body = bytes(range(250)) * 32
    assert list(parser.feed(framing.encode(body)[:5004])) == []
    parser.splitter.set_terminator(3)
    assert parser.splitter.next_record() == b"\0\1\2"
    assert parser.splitter.trailing_data == body[3:5000]


def test_an_iterator_goes_on_behind_what_another_has_begun() -> None:
    parser = Parser(length_prefixed(1, max_size=10).grammar)
    with pytest.raises(RecordTooLong):
        list(parser.feed(b"\x14" + b"x" * 20))
    parser.receive_data(b"\1a")
    messages = []
    for message in parser.messages():
        messages.append(message)
        if message == b"a":
            assert parser.next_message() is NEED_DATA
            parser.receive_data(b"\3de")
            assert parser.next_message() is NEED_DATA
            parser.receive_data(b"f\1z")
    assert messages == [b"a", b"def", b"z"]


def test_the_end_of_the_stream_in_a_body_behind_one_that_was_refused() -> None:
    parser = Parser(length_prefixed(1, max_size=10).grammar)
    with pytest.raises(RecordTooLong):
        list(parser.feed(b"\x14" + b"x" * 5))
    for data in (b"x" * 15, b"\3de"):
        assert list(parser.feed(data)) == []
    parser.receive_eof()
    with pytest.raises(IncompleteRecord) as raised:
        parser.next_message()
    assert (raised.value.partial, raised.value.expected) == (b"de", Limited(3, 10))


def test_records_between_messages_are_cut_one_by_one() -> None:
    splitter = Splitter(b"\n", max_size=200)
    messages = Parser(length_prefixed(1).grammar, splitter)
    assert list(messages.feed(b"\x3c")) == []
    messages.receive_data(b"m" * 60)
    assert messages.next_message() == b"m" * 60
    splitter.set_terminator(b"\n")
    assert list(splitter.records()) == []
    for _ in range(6):
        splitter.receive_data(b"x")
    splitter.receive_data(b"y\nabcdef\nend\n12")
    assert splitter.next_record() == b"xxxxxxy"
    splitter.set_terminator(3)
    assert splitter.offset == 69
    assert list(splitter.records()) == [b"abc", b"def", b"\nen", b"d\n1"]


@pytest.mark.parametrize("size", [1, 2, 7, 12, 1000])
@pytest.mark.parametrize(
    "framing", [lines(max_size=9), length_prefixed(2, max_size=9), netstrings(max_size=9)]
)
def test_they_come_one_by_one(framing: Framing[bytes], size: int) -> None:
    sent = [b"one", b"", b"three", b"a fourth", b"5"]
    stream = b"".join(map(framing.encode, sent))
    parser, taken = Parser(framing.grammar), list[bytes]()
    assert parser.next_message() is NEED_DATA
    for start in range(0, len(stream), size):
        parser.receive_data(stream[start : start + size])
        while (message := parser.next_message()) is not NEED_DATA:
            taken.append(message)
    assert taken == sent
    parser.receive_eof()
    with pytest.raises(IncompleteRecord):
        parser.next_message()


def test_lines_come_one_by_one_though_some_are_skipped() -> None:
    parser = Parser(lines(max_size=5).grammar, too_long="skip")
    parser.receive_data(b"one\nmuch too long\nthree\nfour")
    assert parser.next_message() == b"one"
    assert parser.next_message() == RecordSkipped(13)
    assert parser.next_message() == b"three"
    assert parser.next_message() is NEED_DATA


def test_the_longest_length_of_all_is_not_the_end_of_the_stream() -> None:
    parser = Parser(length_prefixed(8, max_size=None).grammar)
    assert list(parser.feed((2**63 - 1).to_bytes(8, "big") + b"abc")) == []
    parser.receive_eof()
    with pytest.raises(IncompleteRecord):
        list(parser.messages())


@pytest.mark.parametrize("chunks", [[b"\0\x01a\0"], [b"\0\x01", b"a\0"]])
def test_a_length_begun_as_events_behind_a_message_is_refused(chunks: list[bytes]) -> None:
    parser = Parser(length_prefixed(2).grammar)
    message: object = None
    for chunk in chunks:
        parser.receive_data(chunk)
        message = parser.next_message()
    assert message == b"a"
    assert list(parser.splitter.events()) == [DataReceived(b"\0")]
    parser.receive_data(b"\x01b\0\x01c")
    with pytest.raises(LocalProtocolError):
        list(parser.messages())


def test_a_splitter_may_take_its_records_from_a_parser_on_it() -> None:
    class Shouting(Splitter):
        def next_record(self) -> bytes | Literal[NeedData.NEED_DATA]:
            message = parser.next_message()
            return message if message is NEED_DATA else message.upper()

    splitter = Shouting()
    parser = Parser(lines().grammar, splitter)
    splitter.receive_data(b"a\nb\n")
    assert [splitter.next_record() for _ in range(3)] == [b"A", b"B", NEED_DATA]
