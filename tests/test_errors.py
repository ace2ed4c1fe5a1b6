from __future__ import annotations

from termsplit import MalformedRecord


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
