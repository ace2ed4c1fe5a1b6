from __future__ import annotations

import copy
import pickle

import pytest

import termsplit._errors
from termsplit import (
    AnyOf,
    ConnectionLost,
    IncompleteRecord,
    Limited,
    LocalProtocolError,
    MalformedRecord,
    RecordTooLong,
    RemoteProtocolError,
    Terminator,
    TermsplitError,
    UnexpectedData,
)

FAULTS = [
    (
        RecordTooLong(10, 3),
        "expected a record of at most 10 bytes, got a longer one at offset 3",
    ),
    (
        IncompleteRecord(b"abc", AnyOf(b"\r\n", b"\n"), 7),
        "expected terminator AnyOf(b'\\r\\n', b'\\n'), got the end of the stream after 3 bytes of a record "
        "at offset 7",
    ),
    (
        UnexpectedData(b"abc", 7),
        "expected no data before the handover, got 3 bytes at offset 7",
    ),
]


def test_the_tree_is_the_one_in_the_docstring() -> None:
    drawn: dict[str, str] = {}
    above: list[tuple[int, str]] = []
    for row in (termsplit._errors.__doc__ or "").splitlines():
        words = row.strip(" │├└─").split()
        if words and hasattr(termsplit._errors, words[0]):
            depth = row.index(words[0])
            above = [(column, name) for column, name in above if column < depth]
            drawn[words[0]] = above[-1][1] if above else "Exception"
            above.append((depth, words[0]))
    assert drawn == {
        name: getattr(termsplit._errors, name).__base__.__name__
        for name in termsplit._errors.__all__
    }


@pytest.mark.parametrize(("error", "message"), FAULTS)
def test_the_message_says_what_was_expected_what_came_and_where(
    error: RemoteProtocolError, message: str
) -> None:
    assert str(error) == message


@pytest.mark.parametrize("error", [error for error, _ in FAULTS] + [MalformedRecord("x", b"y", 1)])
def test_errors_survive_being_copied_and_pickled(error: RemoteProtocolError) -> None:
    for twin in (copy.copy(error), pickle.loads(pickle.dumps(error))):
        assert type(twin) is type(error)
        assert (str(twin), vars(twin)) == (str(error), vars(error))


@pytest.mark.parametrize("expected", [5, Limited(5, 100)])
def test_an_incomplete_record_of_a_known_size_says_the_size(expected: Terminator) -> None:
    assert str(IncompleteRecord(b"abc", expected, 7)) == (
        "expected a record of 5 bytes, got the end of the stream after 3 bytes of a record at offset 7"
    )


def test_errors_carry_their_data() -> None:
    too_long = RecordTooLong(10, 3)
    assert (too_long.limit, too_long.offset) == (10, 3)
    incomplete = IncompleteRecord(b"abc", 5, 7)
    assert (incomplete.partial, incomplete.expected, incomplete.offset) == (b"abc", 5, 7)
    unexpected = UnexpectedData(b"abc", 7)
    assert (unexpected.data, unexpected.offset) == (b"abc", 7)


@pytest.mark.parametrize("error", [LocalProtocolError, RemoteProtocolError, ConnectionLost])
def test_one_root(error: type[Exception]) -> None:
    assert issubclass(error, TermsplitError)


def test_a_malformed_record_shows_what_came_from_the_place_where_it_went_wrong() -> None:
    assert str(MalformedRecord("a digit", b"12x4", 2)) == "expected a digit, got b'x4'"


def test_a_long_malformed_record_is_shown_in_part() -> None:
    error = MalformedRecord("a digit", 1000 * b"x")
    assert str(error) == f"expected a digit, got {32 * b'x'!r} and more"
    assert (error.expected, error.record, error.index, error.offset) == (
        "a digit",
        1000 * b"x",
        0,
        None,
    )
