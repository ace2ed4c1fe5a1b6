from __future__ import annotations

import pytest

from termsplit import AnyOf, Limited, MalformedRecord, Parse, Parser, Terminator


def test_messages_that_keep_to_one_terminator_all_come() -> None:
    """Contract 5: records cut in one go, and not yet sent to the grammar when it returned, were lost."""

    def line() -> Parse[bytes]:
        return (yield b"\n")

    lines = [b"%d" % number for number in range(100)]
    assert list(Parser(line).feed(b"".join(one + b"\n" for one in lines))) == lines


@pytest.mark.parametrize(
    ("terminator", "stream", "offset"),
    [
        (b"--", b"good--bad--good--", 6),
        (AnyOf(b"\r\n", b"\n"), b"good\r\nbad\ngood\r\n", 6),
        (AnyOf(b"\r\n", b"\n"), b"good\nbad\r\ngood\n", 5),
        (Limited(b"\n", 9), b"good\nbad\ngood\n", 5),
        (4, b"goodbad.good", 4),
    ],
)
def test_a_malformed_record_gets_its_offset(
    terminator: Terminator, stream: bytes, offset: int
) -> None:
    def grammar() -> Parse[bytes]:
        record = yield terminator
        if not record.startswith(b"good"):
            raise MalformedRecord("good", record, 1)
        return record

    for chunks in ([stream], [bytes([byte]) for byte in stream]):
        parser = Parser(grammar)
        messages: list[bytes] = []
        errors: list[MalformedRecord] = []
        for chunk in chunks:
            parser.receive_data(chunk)
            try:
                messages += parser.messages()
            except MalformedRecord as error:
                errors.append(error)
                messages += parser.messages()
        assert messages == [b"good", b"good"]
        assert [error.offset for error in errors] == [offset + 1]


def test_a_malformed_record_that_the_end_of_the_stream_completes_gets_its_offset() -> None:
    def grammar() -> Parse[bytes]:
        yield AnyOf(b"\r\n", b"\n")
        raise MalformedRecord("nothing more", (yield None))

    parser = Parser(grammar)
    assert list(parser.feed(b"head\r\nbody")) == []
    parser.receive_eof()
    with pytest.raises(MalformedRecord, match="got b'body' at offset 6"):
        parser.next_message()


def test_an_offset_that_the_grammar_knows_better_is_kept() -> None:
    def grammar() -> Parse[bytes]:
        error = MalformedRecord("anything else", (yield b"\n"))
        error.offset = 7
        raise error

    with pytest.raises(MalformedRecord, match="got b'a' at offset 7"):
        list(Parser(grammar).feed(b"a\n"))
