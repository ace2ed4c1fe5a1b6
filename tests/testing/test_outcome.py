from __future__ import annotations

import pytest

from termsplit import Parse
from termsplit.testing import PushParser, parse_chunks
from termsplit.testing._outcome import same


def line() -> Parse[bytes]:
    return (yield b"\n")


def test_the_end_may_come_apart_with_the_data_or_not_at_all() -> None:
    for eof, errors in (("apart", 1), ("with data", 1), ("none", 0)):
        outcome = parse_chunks(line, [b"on", b"", b"e\nt"], eof=eof)  # type: ignore[arg-type]
        assert outcome.messages == [b"one"]
        assert len(outcome.errors) == errors
        assert outcome.leftovers == b"t"


def test_no_chunks_are_a_stream_too() -> None:
    assert parse_chunks(line, []).messages == []
    assert parse_chunks(line, [], eof="with data").errors == []


def test_an_outcome_shows_all_in_order() -> None:
    assert repr(parse_chunks(line, [b"a\nb"])) == (
        "<Outcome: b'a', (end of the data; left over: b'b'), "
        "raised IncompleteRecord(partial=b'b', expected=b'\\n', offset=2), "
        "(end of the stream; left over: b'b')>"
    )


def test_an_end_that_there_is_not_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^expected eof to be .*, got 'soon'$"):
        parse_chunks(line, [], eof="soon")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"^expected a parser with feed_last for eof='with data'"):
        parse_chunks(PushParser(list, list[bytes].append), [], eof="with data")


class Plain:
    def __init__(self, value: object) -> None:
        self.value = value


class Other(Plain):
    pass


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        (1, 1.0, True),
        ([1, (2, {"a": Plain(3)})], [1, (2, {"a": Plain(3)})], True),
        ([1, (2, {"a": Plain(3)})], [1, (2, {"a": Plain(4)})], False),
        ([1], [1, 2], False),
        ([1], (1,), False),
        ({"a": 1}, {"b": 1}, False),
        (Plain(1), Other(1), False),
        (ValueError(1), ValueError(1), True),
        (ValueError(1), ValueError(2), False),
        (object(), object(), False),
        (print, print, True),
        (lambda: 1, lambda: 1, False),
        (float("nan"), float("nan"), True),
    ],
)
def test_what_is_the_same(one: object, other: object, alike: bool) -> None:
    assert same(one, other) is alike


def test_a_stream_that_is_not_in_chunks_is_refused() -> None:
    with pytest.raises(TypeError, match="expected an iterable of chunks, got bytes"):
        parse_chunks(line, b"one\n")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
