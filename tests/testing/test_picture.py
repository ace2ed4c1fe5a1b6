from __future__ import annotations

from operator import eq

from termsplit.testing._picture import draw_cuts, draw_difference


def test_short_data_is_shown_whole_with_the_offsets_of_its_cuts() -> None:
    assert draw_cuts(b"one\r\n\ttwo\\\x00\xff", [4, 10]) == (
        "  0  one\\r│\\n\\ttwo\\\\│\\x00\\xff\n          4         10"
    )


def test_empty_chunks_are_seen() -> None:
    assert draw_cuts(b"ab", [0, 1, 1, 2]) == "  0  │a││b│\n     0 1  2"


def test_no_data_and_no_cuts() -> None:
    assert draw_cuts(b"", []) == "  0  "
    assert draw_cuts(b"ab", []) == "  0  ab"


def test_offsets_without_room_are_left_out() -> None:
    assert draw_cuts(b"abcdef", [1, 2, 3, 4, 5]).splitlines()[0] == "  0  a│b│c│d│e│f"


def test_of_long_data_the_surroundings_of_the_cuts_are_shown() -> None:
    picture = draw_cuts(b"0123456789" * 100, [500, 900])
    assert picture.splitlines() == [
        "    0  0123456789012345678901234567890123456789012345678901234567890123",
        "       (384 bytes)",
        "  448  8901234567890123456789012345678901234567890123456789│012345678901",
        "                                                           500",
        "       (384 bytes)",
        "  896  6789│012345678901234567890123456789012345678901234567890123456789",
        "           900",
        "       (40 bytes)",
    ]


def test_a_cut_between_two_rows_shows_both() -> None:
    picture = draw_cuts(b"0123456789" * 100, [640]).splitlines()
    assert picture[2].startswith("  576  ")
    assert picture[3].startswith("  640  │0123")


def test_more_cuts_than_can_be_shown_are_counted() -> None:
    picture = draw_cuts(bytes(1000), list(range(1, 1000)))
    assert len(picture.splitlines()) <= 14
    assert picture.splitlines()[-1].endswith(" cuts)")


def test_where_two_results_differ_and_where_not() -> None:
    assert draw_difference([1, 2, 3, 4, 5, 8, 9], [1, 2, 3, 4, 6, 7, 8, 9], eq).splitlines() == [
        "both   (2 more, alike)",
        "both   3",
        "both   4",
        "whole  5",
        "cut    6",
        "cut    7",
        "both   8",
        "both   9",
    ]


def test_a_side_with_nothing_says_so() -> None:
    assert draw_difference([1], [], eq) == "whole  1\ncut    (nothing)"
    assert draw_difference([], [1], eq, ("want", "got")) == "want   (nothing)\ngot    1"


def test_of_many_results_the_first_are_shown() -> None:
    lines = draw_difference(list(range(20)), [99], eq).splitlines()
    assert lines[5:8] == ["whole  5", "whole  (14 more)", "cut    99"]


def test_long_results_are_shown_where_they_differ() -> None:
    one, other = ["x" * 500 + "one" + "y" * 500], ["x" * 500 + "two" + "y" * 500]
    whole, cut = draw_difference(one, other, eq).splitlines()
    assert "xxone" in whole
    assert "xxtwo" in cut
    assert len(whole) < 140
    assert whole.startswith("whole  (473 characters) … x")
