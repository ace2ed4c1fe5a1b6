from __future__ import annotations

from typing import Any, cast

import pytest
from hypothesis import find, given, settings, strategies as st

from termsplit import AnyOf, Limited, Parse
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
from termsplit.testing import (
    CutMatters,
    RoundTripFailed,
    check_round_trip,
    chunkings,
    messages_of,
    near_misses,
)

FRAMINGS: list[Framing[Any]] = [
    lines(),
    lines(b"\r\n", max_size=4),
    lines(AnyOf(b"\r\n", b"\n")),
    strict_lines(),
    netstrings(),
    length_prefixed(1),
    length_prefixed(4),
    varint_prefixed(),
    fixed_size(1),
    fixed_size(33),
    cobs(),
    slip(),
]


@given(st.data(), st.binary(max_size=40))
def test_chunks_make_up_the_data(data: st.DataObject, stream: bytes) -> None:
    assert b"".join(data.draw(chunkings(stream))) == stream


@pytest.mark.parametrize("stream", [b"", b"abc", bytes(100)])
def test_chunks_shrink_to_one(stream: bytes) -> None:
    assert find(chunkings(stream), lambda chunks: True) == [stream]


def test_there_are_few_chunks_and_many_and_empty_ones() -> None:
    thorough = settings(derandomize=True, database=None, max_examples=1000)
    assert find(chunkings(bytes(30)), lambda chunks: len(chunks) == 2, settings=thorough)
    assert find(chunkings(bytes(30)), lambda chunks: len(chunks) > 20, settings=thorough)
    assert b"" in find(chunkings(b"abc"), lambda chunks: b"" in chunks, settings=thorough)


@pytest.mark.parametrize("wanted", [b"--end--end--", b"--end-a", b"-end---e", b"\r\r\n", b"a\n"])
def test_near_misses_overlap(wanted: bytes) -> None:
    thorough = settings(derandomize=True, database=None, max_examples=5000)
    assert find(near_misses([b"--end--", b"\r\n"]), lambda data: wanted in data, settings=thorough)


def test_near_misses_look_into_limits_and_alternatives() -> None:
    strategy = near_misses([Limited(AnyOf(b"AB", b"CD"), 3), 7, None])
    assert find(strategy, lambda data: b"AB" in data) == b"AB"
    assert find(strategy, lambda data: b"CD" in data) == b"CD"


def test_near_misses_without_bytes_are_refused() -> None:
    with pytest.raises(ValueError, match=r"^expected a terminator made of bytes, got none$"):
        near_misses([5, None])
    with pytest.raises(TypeError, match=r"^expected an iterable of terminators, got b'x'$"):
        near_misses(b"x")


@pytest.mark.parametrize("framing", FRAMINGS)
def test_ready_framings_pass(framing: Framing[Any]) -> None:
    check_round_trip(framing)


@settings(max_examples=5)
@given(message=messages_of(chunked()))
def test_messages_that_are_no_bytes_are_made_from_the_annotation(message: ChunkedBody) -> None:
    check_round_trip(chunked(), [message, ChunkedBody(b"data", ((b"Name", b"value"),)), message])


def test_messages_may_come_from_a_strategy() -> None:
    framing = Framing(line, lambda message: message + b"\n")
    check_round_trip(framing, st.binary().filter(lambda message: b"\n" not in message))
    with pytest.raises(RoundTripFailed) as caught:
        check_round_trip(framing, st.text(alphabet="a\n").map(str.encode))
    assert caught.value.messages == [b"\n"]


def test_messages_that_can_not_be_encoded_are_left_out() -> None:
    framing = lines(b"\r\n", max_size=3)

    @given(messages_of(framing))
    def encode(message: bytes) -> None:
        assert len(message) <= 3
        assert b"\r\n" not in message

    encode()


def line() -> Parse[bytes]:
    return (yield b"\n")


def test_an_encoder_that_forgets_to_refuse_is_caught_by_the_smallest_message() -> None:
    with pytest.raises(RoundTripFailed) as caught:
        check_round_trip(Framing(line, lambda message: message + b"\n"))
    assert caught.value.messages == [b"\n"]
    assert caught.value.data == b"\n\n"
    assert str(caught.value) == (
        "what came out is not what went in\n\n"
        "1 message, encoded:\n\n"
        "  0  \\n\\n\n\n"
        "in     b'\\n'\n"
        "out    b''\n"
        "out    b''\n"
        "both   (end of the stream; left over: b'')"
    )


def test_given_messages_are_shown_where_one_ends() -> None:
    with pytest.raises(RoundTripFailed) as caught:
        check_round_trip(Framing(line, lambda message: message + b"\n"), [b"one", b"t\nwo"])
    assert "  0  one\\n│t\\nwo\\n\n          4" in str(caught.value)


def test_a_grammar_that_heeds_the_cut_is_caught() -> None:
    runs: list[int] = []

    def moody() -> Parse[bytes]:
        runs.append(1)
        return (yield b"\n") + b"!" * (len(runs) > 8)

    with pytest.raises(CutMatters):
        check_round_trip(Framing(moody, lambda message: message + b"\n"), [b"one"])


def test_a_message_that_encode_refuses_is_the_callers_fault() -> None:
    with pytest.raises(ValueError, match="expected a message"):
        check_round_trip(lines(), [b"a\nb"])


def test_a_round_trip_needs_a_framing() -> None:
    with pytest.raises(TypeError, match="expected a Framing, got function"):
        check_round_trip(cast("Any", netstrings().grammar))
