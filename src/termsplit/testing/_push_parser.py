"""One way to drive a parser of any kind."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from termsplit import Chat, Parse, Parser
from termsplit._parser import no_grammar

if TYPE_CHECKING:
    from typing import TypeAlias

__all__ = ["CLOSES", "Parseable", "PushParser", "Sent", "push_parser"]

P = TypeVar("P")


@dataclass(frozen=True)
class PushParser(Generic[P]):
    r"""How to drive a parser that takes chunks of bytes, whoever wrote it.

    What ``feed`` and its kin return is an iterable of what came out, in any objects; None counts as
    nothing. A generator may give some messages and then raise: those came out before the error.

    Args:
        make: makes a new parser.
        feed: feeds it a chunk. It must take an empty one for no data at all.
        feed_eof: tells it of the end of the stream; left out, the stream has no end.
        feed_last: feeds it the last chunk and the end of the stream in one call, if it has such a call.
        leftovers: what it has not used: its unparsed bytes, or anything else about it that must not
            depend on the cut when all data is fed.
        goes_on: whether it can be used after an error. If so, ``feed`` is called with an empty chunk (and
            ``feed_eof`` again) after every error, as long as that gives anything or changes the
            leftovers. If not, the bytes it was not fed any more count among the leftovers.

    Raises:
        ValueError: it goes on, and has no ``leftovers`` to tell its progress by; or it has ``feed_last``
            without ``feed_eof``.

    >>> import codecs
    >>> utf8 = PushParser(
    ...     make=codecs.getincrementaldecoder("utf-8"),
    ...     feed=lambda decoder, chunk: decoder.decode(chunk),
    ...     feed_last=lambda decoder, chunk: decoder.decode(chunk, final=True),
    ...     feed_eof=lambda decoder: decoder.decode(b"", final=True),
    ... )
    """

    make: Callable[[], P]
    feed: Callable[[P, bytes], Iterable[Any] | None]
    feed_eof: Callable[[P], Iterable[Any] | None] | None = None
    feed_last: Callable[[P, bytes], Iterable[Any] | None] | None = None
    leftovers: Callable[[P], object] | None = None
    goes_on: bool = False

    def __post_init__(self) -> None:
        if self.goes_on and self.leftovers is None:
            raise ValueError("expected leftovers, to tell the progress of a parser that goes on")
        if self.feed_last is not None and self.feed_eof is None:
            raise ValueError("expected feed_eof besides feed_last")


Parseable: TypeAlias = "PushParser[Any] | Callable[[], Parse[Any] | Parser[Any] | Chat]"
"""What can be checked. A grammar, what makes a `Parser` or a `Chat`, or a `PushParser` for all else."""


class Sent(bytes):
    """Output of a `Chat`: what it pushed, however it was pushed."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"sent {bytes(self)!r}"


class _Closes:
    def __repr__(self) -> str:
        return "CLOSES"


CLOSES = _Closes()
"""Stands behind the output of a `Chat` that has called `Chat.close_when_done`."""


def push_parser(parse: Parseable) -> PushParser[Any]:
    """How to drive a grammar, or what makes a `Parser` or a `Chat`; a PushParser stays as it is.

    Raises:
        TypeError: it is none of these.
    """
    if isinstance(parse, PushParser):
        return parse  # pyright: ignore[reportUnknownVariableType] - it forgets Any
    expected = "a grammar, a Chat class, something that makes a Chat or a Parser, or a PushParser"
    if not callable(parse):
        raise TypeError(f"expected {expected}, got {no_grammar(parse)}")
    made = parse()
    if isinstance(made, Chat):
        make_chat = cast("Callable[[], Chat]", parse)
        return PushParser(
            lambda: _ChatRun(make_chat()),
            _ChatRun.feed,
            _ChatRun.feed_eof,
            _ChatRun.feed_last,
            _ChatRun.leftovers,
            goes_on=True,
        )
    if isinstance(made, Parser):
        make = cast("Callable[[], Parser[Any]]", parse)
    elif inspect.isgenerator(made):
        made.close()
        grammar = cast("Callable[[], Parse[Any]]", parse)

        def make() -> Parser[Any]:
            return Parser(grammar)
    else:
        raise TypeError(f"expected {expected}, got a callable that makes {type(made).__name__}")
    return PushParser(make, Parser[Any].feed, _feed_eof, _feed_last, _unparsed, goes_on=True)


def _feed_eof(parser: Parser[Any]) -> Iterator[Any]:
    parser.receive_eof()
    return parser.messages()


def _feed_last(parser: Parser[Any], chunk: bytes) -> Iterator[Any]:
    parser.receive_data(chunk)
    return _feed_eof(parser)


def _unparsed(parser: Parser[Any]) -> bytes:
    return parser.splitter.trailing_data


class _ChatRun:
    """A chat whose output is taken as soon as it is there."""

    def __init__(self, chat: Chat) -> None:
        self._chat = chat
        self._closes = False

    def feed(self, chunk: bytes) -> Iterator[object]:
        self._chat.connection.receive_data(chunk)
        return self._dispatch()

    def feed_eof(self) -> Iterator[object]:
        self._chat.connection.receive_eof()
        return self._dispatch()

    def feed_last(self, chunk: bytes) -> Iterator[object]:
        self._chat.connection.receive_data(chunk)
        return self.feed_eof()

    def leftovers(self) -> bytes:
        return self._chat.connection.trailing_data

    def _dispatch(self) -> Iterator[object]:
        connection = self._chat.connection
        try:
            self._chat.dispatch()
        finally:
            while data := connection.data_to_send():
                sent = Sent(data)
                connection.data_sent(len(data))
                yield sent
            if connection.must_close and not self._closes:
                self._closes = True
                yield CLOSES
