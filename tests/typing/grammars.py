"""What type checkers know of grammars and their messages. Checked, never run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal

from termsplit import NEED_DATA, AnyOf, Limited, NeedData, Parse, Parser, RecordSkipped, Splitter

if TYPE_CHECKING:
    # Both checkers bring its stubs; nobody has to install it.
    from typing_extensions import assert_type


def grammar() -> Parse[tuple[int, bytes]]:
    size = yield Limited(AnyOf(b"\r\n", b"\n"), 20)
    assert_type(size, bytes)
    body = yield int(size)
    yield None
    return len(body), (yield from line())


def line() -> Parse[bytes]:
    return (yield b"\n")


def wrong() -> Parse[int]:
    yield "\n"  # type: ignore[misc]  # pyright: ignore[reportReturnType]
    return b""  # type: ignore[return-value]  # pyright: ignore[reportReturnType]


def the_message_is_what_the_grammar_returns() -> None:
    parser = Parser(grammar)
    assert_type(parser, Parser[tuple[int, bytes]])
    assert_type(parser.messages(), Iterator[tuple[int, bytes]])
    assert_type(parser.feed(b""), Iterator[tuple[int, bytes]])
    message = parser.next_message()
    assert_type(message, tuple[int, bytes] | Literal[NeedData.NEED_DATA])
    if message is not NEED_DATA:
        assert_type(message, tuple[int, bytes])
    assert_type(Parser(line, Splitter(), too_long="raise"), Parser[bytes])


def a_record_skipped_may_stand_among_them() -> None:
    parser = Parser(line, too_long="skip")
    assert_type(parser, Parser[bytes | RecordSkipped])
    for message in parser.feed(b""):
        if not isinstance(message, RecordSkipped):
            assert_type(message, bytes)


def no_grammar() -> bytes:
    return b"\n"


def what_is_no_grammar_is_refused() -> None:
    Parser(no_grammar)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Parser(line())  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]
