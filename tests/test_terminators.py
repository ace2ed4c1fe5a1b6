from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given, strategies as st

from termsplit import AnyOf, DataReceived, Limited, Splitter, Terminator, TerminatorFound
from termsplit._terminators import AlternativesPattern, LiteralPattern, Pattern, literal_pattern
from tests import model, strategies


class TestAnyOf:
    def test_equal_by_its_alternatives(self) -> None:
        one, other = AnyOf(b"\r\n", b"\n"), AnyOf(b"\r\n", b"\n")
        assert one == other
        assert hash(one) == hash(other)
        assert one != AnyOf(b"\n", b"\r\n")
        assert one != b"\n"

    def test_the_repr_is_the_call_that_makes_it(self) -> None:
        assert repr(AnyOf(b"\r\n", b"\n")) == r"AnyOf(b'\r\n', b'\n')"

    def test_alternatives(self) -> None:
        assert AnyOf(b"a", b"b").alternatives == (b"a", b"b")

    def test_none_is_not_enough(self) -> None:
        with pytest.raises(ValueError, match="expected one alternative or more, got none"):
            AnyOf()

    def test_one_is(self) -> None:
        splitter = Splitter(AnyOf(b"ab"))
        assert list(splitter.feed(b"xab")) == [DataReceived(b"x"), TerminatorFound(b"ab")]

    @pytest.mark.parametrize(
        ("bad", "error", "message"),
        [
            ("\n", TypeError, "expected a terminator of type bytes, got str"),
            (1, TypeError, "expected a terminator of type bytes, got int"),
            (None, TypeError, "expected a terminator of type bytes, got NoneType"),
            (AnyOf(b"a"), TypeError, "expected a terminator of type bytes, got AnyOf"),
            (b"", ValueError, "expected a terminator of one byte or more"),
        ],
    )
    def test_bad_alternatives_are_refused(
        self, bad: Any, error: type[Exception], message: str
    ) -> None:
        with pytest.raises(error, match=message):
            AnyOf(b"\n", bad)

    def test_bytes_that_mean_something_in_an_expression_mean_themselves(self) -> None:
        splitter = Splitter(AnyOf(b".*", b"[a]", b"\\", b"|"))
        events = [
            event for event in splitter.feed(b"ab.*a[a]\\a|.") if type(event) is not DataReceived
        ]
        assert events == [TerminatorFound(one) for one in (b".*", b"[a]", b"\\", b"|")]


class TestLimited:
    def test_equal_by_terminator_and_limit(self) -> None:
        one = Limited(b"\n", 3)
        assert one == Limited(b"\n", 3)
        assert hash(one) == hash(Limited(b"\n", 3))
        assert one != Limited(b"\n", None)
        assert one != Limited(b"\r", 3)
        assert one != b"\n"

    def test_the_repr_is_the_call_that_makes_it(self) -> None:
        for limited in (Limited(AnyOf(b"a", b"b"), 3), Limited(5, None), Limited(None, 0)):
            assert eval(repr(limited)) == limited

    @pytest.mark.parametrize(
        ("terminator", "max_size", "error", "message"),
        [
            ("\n", 1, TypeError, "expected a terminator"),
            (True, 1, TypeError, "expected a terminator"),
            (b"", 1, ValueError, "expected a terminator of one byte or more"),
            (-1, 1, ValueError, "expected a count of 0 or more"),
            (Limited(b"\n", 1), 1, TypeError, "expected a terminator without a limit"),
            (b"\n", -1, ValueError, "expected max_size to be 0 or more bytes, got -1"),
            (b"\n", True, TypeError, "expected max_size to be an int or None, got bool"),
            (b"\n", "1", TypeError, "expected max_size to be an int or None, got str"),
        ],
    )
    def test_bad_arguments_are_refused(
        self, terminator: Any, max_size: Any, error: type[Exception], message: str
    ) -> None:
        with pytest.raises(error, match=message):
            Limited(terminator, max_size)


def pattern_of(terminator: bytes | AnyOf) -> Pattern:
    if isinstance(terminator, AnyOf):
        return AlternativesPattern(terminator.alternatives)
    return LiteralPattern(terminator)


short = st.binary(min_size=1, max_size=6).map(lambda data: bytes(97 + byte % 2 for byte in data))
patterns: st.SearchStrategy[bytes | AnyOf] = st.one_of(
    st.sampled_from(strategies.LITERALS),
    st.sampled_from(strategies.ANY_OF),
    short,
    st.lists(short, min_size=1, max_size=4).map(lambda alternatives: AnyOf(*alternatives)),
)
texts = st.one_of(strategies.streams, st.text("ab", max_size=30).map(str.encode))


class TestPatterns:
    @given(patterns, texts, st.booleans())
    @example(AnyOf(b"abcd", b"bc"), b"abc", True)
    def test_search_and_held_back(
        self, terminator: bytes | AnyOf, text: bytes, final: bool
    ) -> None:
        pattern = pattern_of(terminator)
        size, found = model.look(text, terminator, final)
        match = pattern.search(text, 0, len(text), final)
        if found is None:
            assert match is None
            if not final:
                assert pattern.held_back(text, 0) == len(text) - size
        else:
            assert isinstance(found, bytes)
            assert match == (size, size + len(found), TerminatorFound(found))

    @given(patterns, texts)
    def test_cut(self, terminator: bytes | AnyOf, text: bytes) -> None:
        """The records of a window, but for those at its edge that more bytes could change."""
        records, terminators, end = pattern_of(terminator).cut(text)
        if terminators is None:
            assert isinstance(terminator, bytes)
            terminators = [TerminatorFound(terminator)] * len(records)
        begin = 0
        for record, event in zip(records, terminators, strict=True):
            size, found = model.look(text[begin:], terminator, eof=False)
            assert (record, event.terminator) == (text[begin : begin + size], found)
            assert isinstance(found, bytes)
            begin += size + len(found)
        assert end == begin
        rest = model.look(text[end:], terminator, eof=False)
        if isinstance(terminator, bytes):
            assert rest[1] is None
        elif rest[1] is not None:
            assert end + rest[0] + pattern_of(terminator).longest > len(text)

    def test_a_literal_is_prepared_once(self) -> None:
        assert literal_pattern(b"\r\n") is literal_pattern(bytes(bytearray(b"\r\n")))


@pytest.mark.parametrize("terminator", [b"a" * 300 + b"b", AnyOf(b"a" * 300 + b"b", b"ba")])
def test_a_terminator_longer_than_any_chunk(terminator: Terminator) -> None:
    splitter = Splitter(terminator)
    data = b"".join(
        event.data
        for chunk in [b"a" * 7] * 50 + [b"b"]
        for event in splitter.feed(chunk)
        if isinstance(event, DataReceived)
    )
    assert data == b"a" * 50
    splitter.receive_eof()
    assert splitter.trailing_data == b""


def test_the_last_byte_of_a_terminator_alone_is_none_however_far_away() -> None:
    far = b"x" * 1000
    buffer = far + b"\n" + far + b"\n" + far + b"\r\n" + far
    assert literal_pattern(b"\r\n").search(buffer, 0, len(buffer), False) == (
        3002,
        3004,
        TerminatorFound(b"\r\n"),
    )
    assert literal_pattern(b"\r\n").search(buffer, 3004, len(buffer), False) is None
