"""The chunked transfer coding of HTTP/1.1."""

from __future__ import annotations

import re
from dataclasses import dataclass

from termsplit._bytes import as_bytes
from termsplit._engine import DEFAULT_MAX_SIZE
from termsplit._errors import MalformedRecord, RecordTooLong
from termsplit._parser import Parse
from termsplit._terminators import Limited, check_max_size

from ._framing import Framing, check_size

__all__ = ["ChunkedBody", "chunked"]

# What a body may take besides its data: the extensions of all chunks together, and likewise the trailers.
# Apache and nginx bound what goes before a body at 8 and 32 KiB.
_OVERHEAD = 16 * 1024
# A size of 64 bits has 16 digits; the others can only be zeros in front.
_SIZE_DIGITS = 20

_TOKEN = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_QUOTED = rb'"(?:[\t !#-\[\]-~\x80-\xff]|\\[\t -~\x80-\xff])*"'
# RFC 9112, section 7.1.1.
_EXTENSION = rb"[ \t]*;[ \t]*%b(?:[ \t]*=[ \t]*(?:%b|%b))?" % (_TOKEN, _TOKEN, _QUOTED)
_match_size = re.compile(rb"([0-9A-Fa-f]{1,%d})(?:%b)*" % (_SIZE_DIGITS, _EXTENSION)).match
# RFC 9112, section 5: no space before the colon, no folded lines; RFC 9110, section 5.5, on the value.
_match_field = re.compile(rb"(%b):([\t -~\x80-\xff]*)" % _TOKEN).match


@dataclass(frozen=True)
class ChunkedBody:
    """The content of a message that came, or goes, in the chunked coding.

    Args:
        data: the chunks' data, joined.
        trailers: the names and values of the fields behind it, in their order. A recipient must not merge
            them with the header fields unless it knows of a field that this is allowed
            (`RFC 9110, section 6.5.1 <https://www.rfc-editor.org/rfc/rfc9110#section-6.5.1>`_).
    """

    data: bytes
    trailers: tuple[tuple[bytes, bytes], ...] = ()


def chunked(*, max_size: int | None = DEFAULT_MAX_SIZE) -> Framing[ChunkedBody]:
    r"""The content of an HTTP/1.1 message in chunks, each with its size before it, and trailer fields behind.

    `RFC 9112, section 7.1 <https://www.rfc-editor.org/rfc/rfc9112#section-7.1>`_. Chunk extensions are checked and
    then ignored, as the RFC demands of those who know none; what they, or the trailers, take is bounded by 16 KiB
    a body. Only CRLF ends a line, and what the RFC's grammar does not have is refused, since peers that read a body
    differently disagree on where the next message begins.

    In an HTTP parser the grammar follows on the head: ``body = yield from chunked().grammar()``.

    Args:
        max_size: the most data in one body, in bytes; None for no limit.

    Raises:
        TypeError, ValueError: a bad ``max_size``.

    >>> from termsplit import Parser
    >>> framing = chunked()
    >>> framing.encode(ChunkedBody(b"hello"))
    b'5\r\nhello\r\n0\r\n\r\n'
    >>> list(Parser(framing.grammar).feed(b"3;x=y\r\nhel\r\n2\r\nlo\r\n0\r\nDigest: none\r\n\r\n"))
    [ChunkedBody(data=b'hello', trailers=((b'Digest', b'none'),))]
    """
    check_max_size(max_size)
    first_line = Limited(b"\r\n", _OVERHEAD + _SIZE_DIGITS)
    first_trailer = Limited(b"\r\n", _OVERHEAD)

    def grammar() -> Parse[ChunkedBody]:
        chunks: list[bytes] = []
        received, spare, limited = 0, _OVERHEAD, first_line
        while True:
            line = yield limited
            match = _match_size(line)
            if match is None or match.end() < len(line):
                index = match.end() if match else 0
                raise MalformedRecord("a chunk's size and its extensions", line, index)
            digits = match[1]
            if len(digits) < len(line):
                spare = max(0, spare - (len(line) - len(digits)))
                limited = Limited(b"\r\n", spare + _SIZE_DIGITS)
            size = int(digits, 16)
            if not size:
                break
            limit = None if max_size is None else max_size - received + 2
            try:
                chunk = yield Limited(size + 2, limit)
            except RecordTooLong as error:
                raise RecordTooLong(error.limit - 2 + received, error.offset) from None
            if chunk[-2:] != b"\r\n":
                raise MalformedRecord("CRLF behind the chunk", chunk, size)
            chunks.append(chunk[:-2])
            received += size
        return ChunkedBody(b"".join(chunks), (yield from _trailers(first_trailer)))

    def encode(body: ChunkedBody) -> bytes:
        data = as_bytes(body.data)
        check_size(data, max_size, "data")
        parts = [b"%x\r\n%b\r\n" % (len(data), data)] if data else []
        parts.append(b"0\r\n")
        section = b"".join(map(_field_line, body.trailers))
        check_size(section, _OVERHEAD, "trailers")
        return b"".join((*parts, section, b"\r\n"))

    return Framing(grammar, encode)


def _trailers(limited: Limited) -> Parse[tuple[tuple[bytes, bytes], ...]]:
    fields: list[tuple[bytes, bytes]] = []
    spare = _OVERHEAD
    while line := (yield limited):
        match = _match_field(line)
        if match is None or match.end() < len(line):
            raise MalformedRecord("a trailer field", line, match.end() if match else 0)
        fields.append((match[1], match[2].strip(b" \t")))
        spare = max(0, spare - len(line) - 2)
        limited = Limited(b"\r\n", spare)
    return tuple(fields)


def _field_line(field: tuple[bytes, bytes]) -> bytes:
    name, value = field
    line = b"%b: %b" % (as_bytes(name), as_bytes(value))
    match = _match_field(line)
    if (
        match is None
        or match.end() < len(line)
        or (match[1], match[2].strip(b" \t")) != (name, value)
    ):
        raise ValueError(f"expected the name and value of a field, got {field!r}")
    return line + b"\r\n"
