from __future__ import annotations

import pytest

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
        "IncompleteRecord: expected a record of 5 bytes, got the end of the stream after 0 bytes of a record "
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
        "IncompleteRecord: expected a record of 2 bytes, got the end of the stream after 1 bytes of a record at "
        "offset 4",
    ]
    with pytest.raises(ValueError, match="of 2 bytes, got 3"):
        framing.encode(b"abc")
    with pytest.raises(ValueError, match="1 byte or more, got 0"):
        fixed_size(0)


def test_one_size_may_be_above_the_limit_of_a_connection() -> None:
    message = 100_000 * b"x"
    assert outcome(fixed_size(100_000), message) == [message]
