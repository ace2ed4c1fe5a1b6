"""Grammars of which it is known what they do, so that a parser need not run them record by record."""

from __future__ import annotations

import abc
from typing import TYPE_CHECKING, Any, cast

from ._engine import _NOTHING
from ._terminators import Limited

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ._parser import Parse, Parser
    from ._terminators import Terminator


class BatchedGrammar(abc.ABC):
    """A grammar, like any other, that can also give the messages of a parser in batches."""

    @abc.abstractmethod
    def __call__(self) -> Parse[bytes]:
        """Run it."""

    @abc.abstractmethod
    def next_batch(self, parser: Parser[Any]) -> Iterable[Any] | None:
        """The next messages that ``parser`` would give if it ran the grammar, as they are cut; None if there are none."""

    def batches(self, parser: Parser[Any]) -> Iterator[Iterable[Any]]:
        splitter = parser.splitter
        while (batch := self.next_batch(parser)) is not None:
            yield batch
            if splitter._ready is batch:
                splitter._ready, splitter._ready_of = _NOTHING, None

    def next_message(self, parser: Parser[Any]) -> Any:
        """The first of them, or None."""
        for message in self.next_batch(parser) or ():
            return message
        return None


class EachRecord(BatchedGrammar):
    """The records are the messages, all ended by the same terminator."""

    def __init__(self, terminator: Terminator) -> None:
        self.terminator = terminator

    def __call__(self) -> Parse[bytes]:
        return (yield self.terminator)

    def next_batch(self, parser: Parser[Any]) -> Iterable[Any] | None:
        splitter = parser.splitter
        if parser._wanted is not self.terminator:
            parser._wanted = self.terminator
            splitter.set_terminator(self.terminator)
        elif splitter._terminator is not self.terminator or splitter._passing_over:
            parser._stand_at(self.terminator)
        # Parser._waits, inlined: where it stands is settled.
        if splitter._room > 0 and splitter._ready is _NOTHING and not splitter._streamed:
            return None
        return splitter._next_batch(parser._too_long)

    def next_message(self, parser: Parser[Any]) -> Any:
        splitter, terminator = parser.splitter, self.terminator
        if (
            splitter._terminator is terminator
            and parser._wanted is terminator
            and parser._too_long != "skip"
            and not splitter._passing_over
        ):
            return splitter._next_record()
        return super().next_message(parser)


class LengthFirst(BatchedGrammar):
    """Each message has its length before it, in so many bytes."""

    width: int

    @abc.abstractmethod
    def cut(self, data: bytes, start: int, stop: int) -> tuple[list[bytes], int]:
        """The whole messages at the beginning of ``data[start:stop]``, and where the rest begins.

        That is where it comes upon anything else, or upon a message that is not whole.
        """

    @abc.abstractmethod
    def size_at(self, data: bytes, start: int) -> int:
        """How many bytes the message has whose length begins there; below 0 if the grammar would refuse it."""

    @abc.abstractmethod
    def body(self, size: int) -> Limited:
        """What the grammar waits for when it was sent the length of such a message."""

    @abc.abstractmethod
    def length_of(self, body: Limited) -> bytes:
        """The length before such a body."""

    def next_batch(self, parser: Parser[Any]) -> Iterable[Any] | None:
        splitter, width = parser.splitter, self.width
        if parser._between_messages:
            if splitter._terminator is not width or splitter._passing_over:
                parser._stand_at(width)
            taken = splitter._messages_at_hand(self)
            if type(taken) is Limited:
                parser._await_body(taken)
                if splitter._room > 0:
                    return None
            elif taken is not None:
                parser._wanted = width
                return cast("Iterable[bytes]", taken) or None
        body = parser._body
        if body is not None:
            if splitter._stands_before(body):
                message = splitter._take_body()
                if message is None:
                    cut = splitter._next_batch(parser._too_long)
                    if cut is None:
                        return None
                    (message,) = cut
                parser._body_taken(width)
                splitter._await_length(self, len(message))
                return (message,)
            parser._run_to_body(body, self.length_of(body))
        given = next(parser._run_grammar(), None)
        if given is None:
            return None
        if type(given) is bytes:
            # As behind every other message, wherever the stream was cut.
            parser._stand_at(width)
            parser._wanted = width
            splitter._open_window(width + len(given))
        return (given,)
