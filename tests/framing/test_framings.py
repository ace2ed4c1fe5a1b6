"""What all framings promise: encoding and parsing are each other's inverse, however the stream is cut."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, strategies as st

from termsplit import AnyOf, Parser
from termsplit.framing import (
    ChunkedBody,
    Framing,
    chunked,
    cobs,
    fixed_size,
    length_prefixed,
    lines,
    netstrings,
    slip,
    strict_lines,
    varint_prefixed,
)
from termsplit.testing import check_round_trip
from tests.framing.helpers import outcome

ANY_BYTES = st.binary(max_size=300)
# Long runs, for the groups of COBS, and many of the bytes that framings give a meaning.
TRICKY = st.lists(
    st.one_of(
        st.sampled_from(b"\x00\x01\xc0\xdb\xdc\xdd\xff\r\n:,0").map(lambda byte: bytes([byte])),
        st.integers(0, 520).map(lambda size: size * b"x"),
    )
).map(b"".join)
TEXT = st.lists(st.sampled_from([b"a", b"b", b"\r", b"ab"])).map(b"".join)
TOKENS = st.text("abcXYZ-!~", min_size=1).map(str.encode)
VALUES = st.text("ab 1\t\xe9").map(lambda text: text.encode("latin-1").strip())
BODIES = st.builds(ChunkedBody, TRICKY, st.lists(st.tuples(TOKENS, VALUES), max_size=4).map(tuple))

FRAMINGS: dict[str, tuple[Framing[Any], st.SearchStrategy[Any]]] = {
    "LF lines": (lines(), TEXT),
    "CRLF lines": (lines(b"\r\n"), TEXT),
    "any lines": (lines(AnyOf(b"\r\n", b"\n")), TEXT),
    "strict lines": (strict_lines(), TEXT.map(lambda line: line.replace(b"\r", b""))),
    "netstrings": (netstrings(), TRICKY),
    "1 byte": (length_prefixed(1), st.binary(max_size=255)),
    "2 bytes, little": (length_prefixed(2, "little"), TRICKY),
    "3 bytes": (length_prefixed(3), TRICKY),
    "4 bytes, counted": (length_prefixed(4, counts_itself=True), TRICKY),
    "8 bytes, little, counted": (length_prefixed(8, "little", counts_itself=True), TRICKY),
    "varint": (varint_prefixed(), TRICKY),
    "fixed": (fixed_size(3), st.binary(min_size=3, max_size=3)),
    "COBS": (cobs(), TRICKY),
    "SLIP": (slip(), TRICKY.filter(bool)),
    "chunked": (chunked(), BODIES),
}


SAMPLES: dict[str, list[Any]] = {
    "fixed": [b"abc", b"\x00\xff\n"],
    "SLIP": [b"\xc0", b"\xdb\xdc\xdb", b"a"],
    "chunked": [ChunkedBody(b""), ChunkedBody(b"\r\n0\r\n", ((b"a", b"b"),)), ChunkedBody(b"")],
}


@pytest.mark.parametrize("name", FRAMINGS)
def test_the_laws_hold(name: str) -> None:
    framing, _ = FRAMINGS[name]
    check_round_trip(framing, SAMPLES.get(name, [b"", b"a", b"0:,", b"ab " * 40, b""]))


@pytest.mark.parametrize("name", FRAMINGS)
@given(data=st.data())
def test_what_was_encoded_is_parsed_back(name: str, data: st.DataObject) -> None:
    framing, messages = FRAMINGS[name]
    sent = data.draw(st.lists(messages, max_size=5))
    stream = b"".join(map(framing.encode, sent))
    cut = data.draw(st.integers(0, len(stream)))
    assert outcome(framing, stream[:cut], stream[cut:]) == sent


FRAGMENTS = [
    *(b"\r\n", b"\n", b"\r", b"0\r\n\r\n", b"3;a=b\r\nabc\r\n", b"a: b\r\n", b"3:abc,", b"0:,"),
    *(b"\x00", b"\x03\x01\x02\x00", b"\x00\x00\x00\x05", b"\x80\x01", b"\xff", b"\xc0\xdb\xdc"),
]
# Made of what is near to well-formed in one framing or another.
NOISE = st.lists(
    st.one_of(
        st.sampled_from(FRAGMENTS),
        st.binary(max_size=3),
    ),
    max_size=12,
).map(b"".join)


@pytest.mark.parametrize("name", FRAMINGS)
@given(stream=NOISE, data=st.data())
def test_any_bytes_give_messages_or_the_peers_error_and_the_cut_does_not_matter(
    name: str, stream: bytes, data: st.DataObject
) -> None:
    framing, _ = FRAMINGS[name]
    cut = data.draw(st.integers(0, len(stream)))
    assert outcome(framing, stream[:cut], stream[cut:]) == outcome(framing, stream)


LIMITED: dict[str, tuple[Framing[Any], Any]] = {
    "lines": (lines(max_size=5), b"x"),
    "strict lines": (strict_lines(max_size=5), b"x"),
    "netstrings": (netstrings(max_size=5), b"x"),
    "length_prefixed": (length_prefixed(1, max_size=5), b"x"),
    "varint": (varint_prefixed(max_size=5), b"x"),
    # Stuffed, five bytes become six.
    "COBS": (cobs(max_size=6), b"x"),
    "SLIP": (slip(max_size=5), b"x"),
}


@pytest.mark.parametrize("name", LIMITED)
def test_max_size_holds_both_ways(name: str) -> None:
    framing, byte = LIMITED[name]
    assert outcome(framing, framing.encode(5 * byte)) == [5 * byte]
    with pytest.raises(ValueError, match=r"at most \d bytes, got"):
        framing.encode(6 * byte)


UNLIMITED: dict[str, tuple[Framing[Any], Framing[Any]]] = {
    "lines": (lines(max_size=None), lines(max_size=5)),
    "strict lines": (strict_lines(max_size=None), strict_lines(max_size=5)),
    "netstrings": (netstrings(max_size=None), netstrings(max_size=5)),
    "length_prefixed": (length_prefixed(max_size=None), length_prefixed(max_size=5)),
    "varint": (varint_prefixed(max_size=None), varint_prefixed(max_size=5)),
    "SLIP": (slip(max_size=None), slip(max_size=5)),
}


@pytest.mark.parametrize("name", UNLIMITED)
def test_a_message_above_the_limit_is_refused_and_passed_over(name: str) -> None:
    unlimited, limited = UNLIMITED[name]
    long, short = 200_000 * b"x", b"short"
    stream = unlimited.encode(long) + unlimited.encode(short)
    assert outcome(unlimited, stream) == [long, short]
    error, message = outcome(limited, stream)
    assert error.startswith(
        "RecordTooLong: expected a record of at most 5 bytes, got a longer one at"
    )
    assert message == short


@pytest.mark.parametrize(
    "make", [lines, strict_lines, netstrings, length_prefixed, varint_prefixed, cobs, slip, chunked]
)
def test_a_bad_limit_is_refused_at_once(make: Any) -> None:
    with pytest.raises(ValueError, match="max_size to be 0 or more"):
        make(max_size=-1)
    with pytest.raises(TypeError, match="max_size to be an int"):
        make(max_size="5")


@pytest.mark.parametrize("name", [name for name in FRAMINGS if name != "chunked"])
def test_text_is_no_message(name: str) -> None:
    framing, _ = FRAMINGS[name]
    with pytest.raises(TypeError, match="expected bytes-like data, got str"):
        framing.encode("abc")


def test_a_framing_is_made_of_a_grammar_and_an_encoder() -> None:
    def encode(number: int) -> bytes:
        return b"%d;" % number

    def grammar() -> Any:
        return int((yield b";"))

    numbers = Framing(grammar, encode)
    assert list(Parser(numbers.grammar).feed(numbers.encode(12) + numbers.encode(-3))) == [12, -3]
    with pytest.raises(AttributeError):
        numbers.encode = str.encode  # type: ignore[misc]
