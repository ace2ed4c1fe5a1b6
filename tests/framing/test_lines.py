from __future__ import annotations

import pytest

from termsplit import AnyOf
from termsplit.framing import lines, strict_lines
from tests.framing.helpers import whole_and_cut


def test_any_line_ending_may_come_in_and_the_first_goes_out() -> None:
    framing = lines(AnyOf(b"\r\n", b"\n", b"\r"))
    assert whole_and_cut(framing, b"dos\r\nunix\nmac\r\r\n\n") == [
        b"dos",
        b"unix",
        b"mac",
        b"",
        b"",
    ]
    assert framing.encode(b"x") == b"x\r\n"
    assert lines(AnyOf(b"\n", b"\r\n")).encode(b"x") == b"x\n"


@pytest.mark.parametrize(
    ("terminator", "message"),
    [
        (b"\n", b"a\nb"),
        (b"\r\n", b"a\r\nb"),
        (b"--", b"a-"),
        (AnyOf(b"\r\n", b"\n"), b"a\nb"),
        (AnyOf(b"\n", b"\r\n"), b"a\r"),
        (AnyOf(b"\n", b"x\ny"), b"ax"),
    ],
)
def test_a_line_that_would_end_elsewhere_is_not_encoded(
    terminator: bytes | AnyOf, message: bytes
) -> None:
    with pytest.raises(ValueError, match="expected a message that"):
        lines(terminator).encode(message)


def test_a_cr_before_crlf_belongs_to_the_line() -> None:
    framing = lines(b"\r\n")
    assert whole_and_cut(framing, framing.encode(b"a\r")) == [b"a\r"]


def test_a_terminator_that_begins_another_can_not_be_written() -> None:
    with pytest.raises(ValueError, match="begins no other"):
        lines(AnyOf(b"\r", b"\r\n"))


@pytest.mark.parametrize("terminator", [5, None, "\n"])
def test_only_bytes_end_a_line(terminator: object) -> None:
    with pytest.raises(TypeError):
        lines(terminator)  # type: ignore[arg-type]


def test_strict_lines_refuse_a_bare_lf_and_go_on() -> None:
    assert whole_and_cut(strict_lines(), b"a\r\nbc\nd\r\n") == [
        b"a",
        "MalformedRecord: expected a line that ends in CRLF, got b'bc' at offset 3",
        b"d",
    ]


def test_strict_lines_refuse_a_bare_cr_and_say_where() -> None:
    assert whole_and_cut(strict_lines(), b"a\r\nb\rc\r\nd\r\n") == [
        b"a",
        "MalformedRecord: expected no CR inside a line, got b'\\rc\\r' at offset 4",
        b"d",
    ]


def test_strict_lines_refuse_a_doubled_cr() -> None:
    assert whole_and_cut(strict_lines(), b"a\r\r\n") == [
        "MalformedRecord: expected no CR inside a line, got b'\\r\\r' at offset 1"
    ]


def test_the_limit_of_strict_lines_counts_the_line_alone() -> None:
    too_long = "RecordTooLong: expected a record of at most 2 bytes, got a longer one at offset 4"
    assert whole_and_cut(strict_lines(max_size=2), b"ab\r\nabc\r\nd\r\n") == [b"ab", too_long, b"d"]


@pytest.mark.parametrize("message", [b"a\rb", b"a\nb", b"\r\n"])
def test_strict_lines_encode_no_cr_and_no_lf(message: bytes) -> None:
    with pytest.raises(ValueError, match="without CR and LF"):
        strict_lines().encode(message)


def test_a_line_cut_off_is_incomplete() -> None:
    assert whole_and_cut(lines(max_size=9), b"a\nbc") == [
        b"a",
        "IncompleteRecord: expected terminator b'\\n', got the end of the stream after "
        "2 bytes of a record at offset 2",
    ]
