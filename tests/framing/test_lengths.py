from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from termsplit import (
    DataReceived,
    LocalProtocolError,
    Parse,
    Parser,
    RecordSkipped,
    RecordTooLong,
    Splitter,
)
from termsplit.framing import fixed_size, length_prefixed, netstrings, varint_prefixed
from tests.framing.helpers import outcome, whole_and_cut


def test_the_netstrings_of_the_specification() -> None:
    """https://cr.yp.to/proto/netstrings.txt, sections 2 and 3."""
    hello = bytes.fromhex("31 32 3a 68 65 6c 6c 6f 20 77 6f 72 6c 64 21 2c")
    assert netstrings().encode(b"hello world!") == hello
    assert netstrings().encode(b"") == b"0:,"
    assert whole_and_cut(netstrings(), hello + b"0:,") == [b"hello world!", b""]


@pytest.mark.parametrize(
    "length",
    [b"", b"01", b"00", b"-1", b"+1", b" 1", b"1_0", b"x", "\N{ARABIC-INDIC DIGIT ONE}".encode()],
)
def test_a_netstring_with_a_bad_length_is_refused(length: bytes) -> None:
    (error,) = whole_and_cut(netstrings(), length + b":")
    assert (
        error == f"MalformedRecord: expected a length in decimal digits, got {length!r} at offset 0"
    )


def test_a_netstring_without_its_comma_is_refused_where_it_is_missing() -> None:
    assert whole_and_cut(netstrings(), b"1:a,3:abcd1:e,") == [
        b"a",
        "MalformedRecord: expected a comma behind the message, got b'd' at offset 9",
        b"e",
    ]


def test_a_length_that_never_ends_is_too_long() -> None:
    (error, _) = outcome(netstrings(max_size=None), 50 * b"1")
    assert (
        error
        == "RecordTooLong: expected a record of at most 20 bytes, got a longer one at offset 0"
    )


def test_a_netstring_above_the_limit_is_refused_before_it_comes() -> None:
    assert whole_and_cut(netstrings(max_size=3), b"3:abc,4:") == [
        b"abc",
        "RecordTooLong: expected a record of at most 3 bytes, got a longer one at offset 8",
        "IncompleteRecord: expected terminator Limited(5, 4), got the end of the stream after 0 bytes of a record "
        "at offset 8",
    ]


@pytest.mark.parametrize(
    ("width", "byteorder", "counts_itself", "encoded"),
    [
        (1, "big", False, b"\x03abc"),
        (1, "big", True, b"\x04abc"),
        (2, "big", False, b"\x00\x03abc"),
        (2, "little", True, b"\x05\x00abc"),
        (4, "big", True, b"\x00\x00\x00\x07abc"),
        (4, "little", False, b"\x03\x00\x00\x00abc"),
        (8, "little", True, b"\x0b\x00\x00\x00\x00\x00\x00\x00abc"),
    ],
)
def test_a_length_of_any_width(
    width: int, byteorder: str, counts_itself: bool, encoded: bytes
) -> None:
    framing = length_prefixed(width, byteorder, counts_itself=counts_itself)  # type: ignore[arg-type]
    assert framing.encode(b"abc") == encoded
    assert whole_and_cut(framing, 2 * encoded) == [b"abc", b"abc"]


@pytest.mark.parametrize("max_size", [100, None])
def test_a_message_too_long_for_the_width_is_not_encoded(max_size: int | None) -> None:
    framing = length_prefixed(1, counts_itself=True, max_size=max_size)
    with pytest.raises(ValueError, match=f"at most {max_size or 254} bytes, got 255"):
        framing.encode(255 * b"x")


def test_a_length_that_does_not_count_itself_is_refused() -> None:
    framing = length_prefixed(2, counts_itself=True)
    assert whole_and_cut(framing, b"\x00\x01\x00\x03a") == [
        "MalformedRecord: expected a length that counts its own 2 bytes, got b'\\x00\\x01' at offset 0",
        b"a",
    ]


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
    stream = b"\x01a\x02bc" * 9 + b"\x05\x01\x01\x01d\x00" + b"\x01e" * 9

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


@pytest.mark.parametrize("length", [b"\x7f" + 7 * b"\xff", 8 * b"\xff"])
def test_the_largest_lengths_are_refused_at_once(length: bytes) -> None:
    first, *_ = whole_and_cut(length_prefixed(8), length + b"abc")
    assert (
        first
        == "RecordTooLong: expected a record of at most 65536 bytes, got a longer one at offset 8"
    )


@pytest.mark.parametrize(
    ("arguments", "error"),
    [((0,), "width of 1 to 8"), ((9,), "width of 1 to 8"), ((4, "network"), "'big' or 'little'")],
)
def test_a_prefix_that_can_not_be_is_refused(arguments: tuple[int, str], error: str) -> None:
    with pytest.raises(ValueError, match=error):
        length_prefixed(*arguments)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("size", "prefix"),
    [
        (0, b"\x00"),
        (1, b"\x01"),
        (127, b"\x7f"),
        (128, b"\x80\x01"),
        (150, b"\x96\x01"),
        (16384, b"\x80\x80\x01"),
    ],
)
def test_varints(size: int, prefix: bytes) -> None:
    """150 is the example of https://protobuf.dev/programming-guides/encoding/#varints."""
    framing = varint_prefixed()
    message = size * b"x"
    assert framing.encode(message) == prefix + message
    assert outcome(framing, prefix, message) == [message]


def test_a_varint_may_be_longer_than_it_needs_to_be() -> None:
    assert whole_and_cut(varint_prefixed(), b"\x81\x80\x80\x80\x80\x80\x80\x80\x80\x00a") == [b"a"]


@pytest.mark.parametrize(
    ("last", "verdict"),
    [
        (b"\x01", "RecordTooLong: expected a record of at most 65536 bytes"),
        (
            b"\x02",
            "MalformedRecord: expected the last byte of a length below 2**64, got b'\\x02' at offset 9",
        ),
        (
            b"\x80",
            "MalformedRecord: expected the last byte of a length below 2**64, got b'\\x80' at offset 9",
        ),
    ],
)
def test_a_varint_ends_with_its_tenth_byte(last: bytes, verdict: str) -> None:
    first, *_ = whole_and_cut(varint_prefixed(), 9 * b"\xff" + last)
    assert first.startswith(verdict)


def test_messages_of_one_size() -> None:
    framing = fixed_size(2)
    assert whole_and_cut(framing, b"abcde") == [
        b"ab",
        b"cd",
        "IncompleteRecord: expected terminator Limited(2, 2), got the end of the stream after 1 bytes of a record at "
        "offset 4",
    ]
    with pytest.raises(ValueError, match="of 2 bytes, got 3"):
        framing.encode(b"abc")
    with pytest.raises(ValueError, match="1 byte or more, got 0"):
        fixed_size(0)


def test_one_size_may_be_above_the_limit_of_a_connection() -> None:
    message = 100_000 * b"x"
    assert outcome(fixed_size(100_000), message) == [message]
