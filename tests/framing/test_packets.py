from __future__ import annotations

import pytest

from termsplit.framing import cobs, slip
from tests.framing.helpers import outcome, whole_and_cut

UP_TO_FE = bytes(range(1, 255))


@pytest.mark.parametrize(
    ("message", "packet"),
    [
        (b"", b"\x01\x00"),
        (b"\x00", b"\x01\x01\x00"),
        (b"\x00\x00", b"\x01\x01\x01\x00"),
        (b"\x11\x22\x00\x33", b"\x03\x11\x22\x02\x33\x00"),
        (b"\x11\x00\x00\x00", b"\x02\x11\x01\x01\x01\x00"),
        (UP_TO_FE, b"\xff" + UP_TO_FE + b"\x00"),
        (b"\x00" + UP_TO_FE, b"\x01\xff" + UP_TO_FE + b"\x00"),
        (UP_TO_FE + b"\xff", b"\xff" + UP_TO_FE + b"\x02\xff\x00"),
        (UP_TO_FE[1:] + b"\xff\x00", b"\xff" + UP_TO_FE[1:] + b"\xff\x01\x01\x00"),
        (UP_TO_FE[2:] + b"\xff\x00\x01", b"\xfe" + UP_TO_FE[2:] + b"\xff\x02\x01\x00"),
    ],
)
def test_cobs(message: bytes, packet: bytes) -> None:
    """The examples of https://en.wikipedia.org/wiki/Consistent_Overhead_Byte_Stuffing."""
    assert cobs().encode(message) == packet
    assert whole_and_cut(cobs(), packet) == [message]


def test_a_full_group_of_cobs_may_be_closed_by_an_empty_one() -> None:
    """Encoders differ on it; the paper's own writes it."""
    assert outcome(cobs(), b"\xff" + UP_TO_FE + b"\x01\x00") == [UP_TO_FE]


def test_a_group_of_cobs_that_is_cut_short_is_refused_where_it_begins() -> None:
    assert whole_and_cut(cobs(), b"\x02a\x00\x02a\x04bc\x00\x02d\x00") == [
        b"a",
        "MalformedRecord: expected 3 bytes behind the code byte 0x04, got b'\\x04bc' at offset 5",
        b"d",
    ]


def test_zeros_between_packets_are_passed_over() -> None:
    assert whole_and_cut(cobs(), b"\x00\x00\x02a\x00\x00\x02b\x00") == [b"a", b"b"]


@pytest.mark.parametrize(
    ("message", "packet"),
    [
        (b"abc", b"abc\xc0"),
        (b"\xc0", b"\xdb\xdc\xc0"),
        (b"\xdb", b"\xdb\xdd\xc0"),
        (b"\xdb\xdc", b"\xdb\xdd\xdc\xc0"),
        (b"\xdb\xdd\xc0", b"\xdb\xdd\xdd\xdb\xdc\xc0"),
    ],
)
def test_slip(message: bytes, packet: bytes) -> None:
    assert slip().encode(message) == packet
    assert whole_and_cut(slip(), packet) == [message]


def test_ends_between_packets_are_passed_over() -> None:
    """RFC 1055 recommends to begin a packet with END as well, to flush out what the line's noise made."""
    assert whole_and_cut(slip(), b"\xc0abc\xc0\xc0def\xc0") == [b"abc", b"def"]


@pytest.mark.parametrize("bad", [b"\xdbx", b"\xdb", b"\xdb\xdb\xdc"])
def test_an_escape_that_slip_does_not_have_is_refused(bad: bytes) -> None:
    assert whole_and_cut(slip(), b"a\xc0b" + bad + b"\xc0c\xc0") == [
        b"a",
        f"MalformedRecord: expected 0xdc or 0xdd behind the escape 0xdb, got {bad!r} at offset 3",
        b"c",
    ]


def test_slip_has_no_empty_packets() -> None:
    with pytest.raises(ValueError, match="one byte or more, got none"):
        slip().encode(b"")
