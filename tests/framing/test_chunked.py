from __future__ import annotations

import pytest

from termsplit import MalformedRecord, Parse, Parser
from termsplit.framing import ChunkedBody, chunked
from tests.framing.helpers import outcome, whole_and_cut

END = b"0\r\n\r\n"


def test_chunks_are_joined() -> None:
    stream = b"4\r\nWiki\r\n6\r\npedia \r\nE\r\nin \r\n\r\nchunks.\r\n" + END
    assert whole_and_cut(chunked(), stream) == [ChunkedBody(b"Wikipedia in \r\n\r\nchunks.")]


@pytest.mark.parametrize("size", [b"a", b"A", b"000a", b"0" * 19 + b"a"])
def test_a_size_is_hexadecimal_and_may_have_zeros_before_it(size: bytes) -> None:
    assert whole_and_cut(chunked(), size + b"\r\n0123456789\r\n" + END) == [
        ChunkedBody(b"0123456789")
    ]


@pytest.mark.parametrize("last", [b"0", b"000", b"0;done"])
def test_the_last_chunk_is_any_zero(last: bytes) -> None:
    assert whole_and_cut(chunked(), last + b"\r\n\r\n") == [ChunkedBody(b"")]


@pytest.mark.parametrize(
    "extension",
    [
        b";name",
        b";name=value",
        b" ; name = value\t;\tother",
        b';name="quoted; \\" \\\\ value"',
        b';a="";b;c=d',
        b';a="\xff"',
    ],
)
def test_extensions_are_ignored(extension: bytes) -> None:
    """RFC 9112, section 7.1.1: a recipient must ignore those that it does not recognize."""
    assert whole_and_cut(chunked(), b"1" + extension + b"\r\nx\r\n" + END) == [ChunkedBody(b"x")]


@pytest.mark.parametrize(
    ("line", "index"),
    [
        (b"", 0),
        (b"x", 0),
        (b"-1", 0),
        (b"0x1", 1),
        (b"1_0", 1),
        (b"1 ", 1),
        (b" 1", 0),
        (b"1;", 1),
        (b"1;a=", 3),
        (b'1;a="b', 3),
        (b"1;a\nb", 3),
        (b"1;a\rb", 3),
        (b"1\n", 1),
        (b'1;a="b\nc"', 3),
        (b"1;a\x00", 3),
        (b"0" * 20 + b"1", 20),
    ],
)
def test_what_is_no_size_and_no_extension_is_refused_where_it_stands(
    line: bytes, index: int
) -> None:
    stream = b"1\r\nx\r\n" + line + b"\r\n"
    first, *_ = whole_and_cut(chunked(), stream)
    assert first == (
        f"MalformedRecord: expected a chunk's size and its extensions, got {line[index:]!r} at offset {6 + index}"
    )


def test_data_longer_than_its_chunk_is_refused() -> None:
    first, *_ = whole_and_cut(chunked(), b"3\r\nabcd\r\n" + END)
    assert first == "MalformedRecord: expected CRLF behind the chunk, got b'd\\r' at offset 6"


def test_a_body_above_the_limit_is_refused_with_the_size_of_the_chunk_that_exceeds_it() -> None:
    first, *_ = whole_and_cut(chunked(max_size=5), b"3\r\nabc\r\n3\r\n")
    assert (
        first
        == "RecordTooLong: expected a record of at most 5 bytes, got a longer one at offset 11"
    )
    assert outcome(chunked(max_size=5), b"3\r\nabc\r\n2\r\nde\r\n" + END) == [ChunkedBody(b"abcde")]


def test_without_a_limit_any_chunk_is_taken() -> None:
    body = ChunkedBody(200_000 * b"x")
    framing = chunked(max_size=None)
    assert outcome(framing, framing.encode(body)) == [body]


def test_extensions_may_not_outweigh_the_data() -> None:
    chunk = b"1;" + 999 * b"x" + b"\r\ny\r\n"
    assert outcome(chunked(), 16 * chunk + END) == [ChunkedBody(16 * b"y")]
    first, *_ = outcome(chunked(), 17 * chunk + END)
    assert first.startswith("RecordTooLong: ")


def test_trailers_are_kept_apart() -> None:
    trailers = b"Expires: never\r\nX:\t a b \r\nExpires:\r\n"
    assert whole_and_cut(chunked(), b"0\r\n" + trailers + b"\r\n") == [
        ChunkedBody(b"", ((b"Expires", b"never"), (b"X", b"a b"), (b"Expires", b"")))
    ]


@pytest.mark.parametrize(
    ("line", "index"),
    [
        (b"no colon", 0),
        (b": no name", 0),
        (b"a : space before the colon", 0),
        (b" folded: line", 0),
        (b"a: b\nc: d", 4),
        (b"a: b\rc", 4),
        (b"a: \x00", 3),
    ],
)
def test_what_is_no_trailer_is_refused_where_it_stands(line: bytes, index: int) -> None:
    first, *_ = whole_and_cut(chunked(), b"0\r\n" + line + b"\r\n\r\n")
    assert isinstance(first, str)
    assert first.startswith("MalformedRecord: expected a trailer field, got ")
    assert first.endswith(f" at offset {3 + index}")


def test_trailers_are_bounded_together() -> None:
    trailer = b"a: " + 995 * b"x" + b"\r\n"
    (body,) = outcome(chunked(), b"0\r\n" + 16 * trailer + b"\r\n")
    assert len(body.trailers) == 16
    first, *_ = outcome(chunked(), b"0\r\n" + 17 * trailer + b"\r\n")
    assert first.startswith("RecordTooLong: ")


def test_a_body_is_written_in_one_chunk() -> None:
    body = ChunkedBody(17 * b"x", ((b"A", b"1"), (b"B", b"")))
    assert chunked().encode(body) == b"11\r\n" + 17 * b"x" + b"\r\n0\r\nA: 1\r\nB: \r\n\r\n"
    assert chunked().encode(ChunkedBody(b"")) == END


@pytest.mark.parametrize(
    "trailer",
    [
        (b"", b"x"),
        (b"a b", b"x"),
        (b"a:", b"x"),
        (b"a", b"x\r\nb: c"),
        (b"a", b" x"),
        (b"a", b"x\t"),
        (b"a", b"\x00"),
    ],
)
def test_a_trailer_that_would_not_come_back_is_not_encoded(trailer: tuple[bytes, bytes]) -> None:
    with pytest.raises(ValueError, match="expected the name and value of a field, got"):
        chunked().encode(ChunkedBody(b"", (trailer,)))


def test_a_body_above_the_limits_is_not_encoded() -> None:
    with pytest.raises(ValueError, match="expected data of at most 5 bytes, got 6"):
        chunked(max_size=5).encode(ChunkedBody(b"123456"))
    with pytest.raises(ValueError, match="expected trailers of at most 16384 bytes, got 17000"):
        chunked().encode(ChunkedBody(b"", 17 * ((b"a", 995 * b"x"),)))


def test_it_follows_on_a_head() -> None:
    def response() -> Parse[tuple[bytes, ChunkedBody]]:
        head = yield b"\r\n\r\n"
        body = yield from chunked().grammar()
        return head, body

    parser = Parser(response)
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked"
    stream = head + b"\r\n\r\n2\r\nok\r\n" + END
    assert list(parser.feed(stream + stream)) == 2 * [(head, ChunkedBody(b"ok"))]
    with pytest.raises(MalformedRecord) as caught:
        list(parser.feed(head + b"\r\n\r\nno size\r\n"))
    assert caught.value.offset == 2 * len(stream) + len(head) + 4
