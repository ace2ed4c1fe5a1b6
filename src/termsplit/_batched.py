"""Grammars of which it is known what they do, so that a parser need not run them record by record."""

from __future__ import annotations

import abc
from typing import TYPE_CHECKING, Any, Literal, cast

from ._engine import _NOTHING
from ._events import NEED_DATA

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ._events import NeedData
    from ._parser import Parse, Parser
    from ._terminators import Limited, Terminator


class BatchedGrammar(abc.ABC):
    """A grammar, like any other, that can also give the messages of a parser in batches."""

    @abc.abstractmethod
    def __call__(self) -> Parse[bytes]:
        """Run it."""

    @abc.abstractmethod
    def batches(self, parser: Parser[Any]) -> Iterator[Iterable[Any]]:
        """The messages that ``parser`` would give if it ran the grammar, in the groups in which they are cut."""

    @abc.abstractmethod
    def next_message(self, parser: Parser[Any]) -> bytes | Literal[NeedData.NEED_DATA] | None:
        """What `Parser.next_message` gives, if that takes no iterator; None if it may."""


class EachRecord(BatchedGrammar):
    """The records are the messages, all ended by the same terminator."""

    def __init__(self, terminator: Terminator) -> None:
        self.terminator = terminator

    def __call__(self) -> Parse[bytes]:
        return (yield self.terminator)

    def batches(self, parser: Parser[Any]) -> Iterator[Iterable[Any]]:
        splitter, terminator = parser.splitter, self.terminator
        if parser._wanted is not terminator:
            parser._wanted = terminator
            splitter.set_terminator(terminator)
        while True:
            if splitter._terminator is not terminator or splitter._passing_over:
                parser._stand_at(terminator)
            if parser._waits:
                return
            batch = splitter._next_batch(parser._too_long)
            if batch is None:
                return
            yield batch
            if splitter._ready is batch:
                splitter._ready = _NOTHING

    def next_message(self, parser: Parser[Any]) -> bytes | Literal[NeedData.NEED_DATA] | None:
        splitter, terminator = parser.splitter, self.terminator
        if (
            parser._wanted is terminator
            and splitter._terminator is terminator
            and not (splitter._passing_over or parser._skips)
        ):
            return splitter.next_record()
        return None


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

    def batches(self, parser: Parser[Any]) -> Iterator[Iterable[Any]]:
        splitter, width = parser.splitter, self.width
        while True:
            while parser._between_messages:
                if splitter._terminator is not width or splitter._passing_over:
                    parser._stand_at(width)
                batch = splitter._messages_at_hand(self)
                if batch is not None:
                    yield batch
                    continue
                taken = splitter._take_message(self)
                if taken is NEED_DATA:
                    parser._wanted = width
                    return
                if taken is None:
                    break
                if type(taken) is bytes:
                    yield (taken,)
                    continue
                parser._await_body(cast("Limited", taken))
                if splitter._room > 0:
                    return
            body = parser._body
            if body is not None:
                if splitter._stands_before(body):
                    cut = splitter._next_batch(parser._too_long)
                    if cut is None:
                        return
                    (message,) = cut
                    parser._body_taken(width)
                    splitter._await_length(self, len(message))
                    yield (message,)
                    continue
                parser._run_to_body(body, self.length_of(body))
            given = next(parser._run_grammar(), None)
            if given is None:
                return
            if type(given) is bytes:
                # As behind every other message, wherever the stream was cut.
                parser._stand_at(width)
                parser._wanted = width
                splitter._open_window(width + len(given))
            yield (given,)

    def next_message(self, parser: Parser[Any]) -> bytes | None:
        splitter = parser.splitter
        if splitter._ready_of is self and parser._between_messages:
            for message in splitter._ready:
                return message
        return None
