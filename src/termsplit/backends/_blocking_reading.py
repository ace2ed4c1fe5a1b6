"""The faces of a blocking stream: each gives what was received, or waits for more."""

from __future__ import annotations

import abc
import functools
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Literal, TypeVar, overload

from termsplit._events import NEED_DATA

from ._faces import Faces, Items

if TYPE_CHECKING:
    from termsplit._events import Event, RecordSkipped, TooLong
    from termsplit._parser import Parse, Parser
    from termsplit._terminators import Terminator

T = TypeVar("T")


class BlockingItems(Items[T], Iterator[T]):
    """The items of one face, waiting for data between them."""

    _stream: Reading
    _end = StopIteration

    def __next__(self) -> T:
        while (item := self._next()) is NEED_DATA:
            self._stream._fill()
        return item


class Reading(Faces, abc.ABC):
    """A stream that blocks, as far as it is read."""

    @abc.abstractmethod
    def _fill(self) -> None:
        """Wait until the connection got more bytes, or the end."""

    def next_event(self, *, too_long: TooLong = "raise") -> Event:
        """Wait for the next of `Connection.events`; at the end `EOFReceived`, again and again.

        Raises:
            RecordTooLong: as `Connection.events` does.
            TimeoutError: nothing came, or went, for the socket's time-out; calling again goes on.
            ConnectionLost: the transport failed.
        """
        while (event := self.connection.next_event(too_long=too_long)) is NEED_DATA:
            self._fill()
        return event

    def receive_record(self, terminator: Terminator) -> bytes:
        """Wait for one record.

        Args:
            terminator: what ends it, as for `Connection.set_terminator`.

        Raises:
            IncompleteRecord: the stream ended first; with no partial record, at a record's boundary.
            RecordTooLong: calling it again passes over the record.
            TimeoutError: nothing came, or went, for the socket's time-out; calling again goes on.
            ConnectionLost: the transport failed.
        """
        self.connection.set_terminator(terminator)
        while (record := self.connection.next_record()) is NEED_DATA:
            self._fill()
        return record

    def events(self, *, too_long: TooLong = "raise") -> Iterator[Event]:
        """Iterate over `Connection.events`, to `EOFReceived`.

        Raises:
            RecordTooLong, TimeoutError, ConnectionLost: as `next_event` does; the same iterator goes on.
        """
        return BlockingItems(self, functools.partial(self.connection.events, too_long=too_long))

    @overload
    def records(self, *, too_long: Literal["raise"] = "raise") -> Iterator[bytes]: ...
    @overload
    def records(self, *, too_long: Literal["skip"]) -> Iterator[bytes | RecordSkipped]: ...
    def records(self, *, too_long: Any = "raise") -> Iterator[Any]:
        """Iterate over `Connection.records`, to the end of the stream.

        Raises:
            IncompleteRecord: the stream ended in the middle of a record; once, and then the iterator ends.
            RecordTooLong, TimeoutError, ConnectionLost: as `receive_record` does; the same iterator goes on.
        """
        return BlockingItems(self, functools.partial(self.connection.records, too_long=too_long))

    def __iter__(self) -> Iterator[bytes]:
        """As `records`."""
        return self.records()

    def receive_message(self, grammar: Parser[T] | Callable[[], Parse[T]]) -> T:
        """Wait for one message of a grammar.

        Args:
            grammar: as for `messages`.

        Raises:
            IncompleteRecord: the stream ended first; with no partial record, between two messages.
            TimeoutError: nothing came, or went, for the socket's time-out; calling again, with the same grammar,
                goes on.
            ConnectionLost: the transport failed.
            Exception: as `Parser.messages` does; calling again goes on.
        """
        parser = self._parser(grammar)
        while (message := parser.next_message()) is NEED_DATA:
            self._fill()
        return message

    def messages(self, grammar: Parser[T] | Callable[[], Parse[T]]) -> Iterator[T]:
        """Iterate over the messages of a grammar, to the end of the stream.

        Args:
            grammar: a generator function, or a `Parser` on this stream's connection. With the same one as the
                last time, it goes on in the middle of a message.

        Raises:
            IncompleteRecord: the stream ended in the middle of a message; once, and then the iterator ends.
            TimeoutError, ConnectionLost: as `receive_message` does; the same iterator goes on.
            Exception: as `Parser.messages` does; the same iterator goes on.
        """
        return BlockingItems(self, self._parser(grammar).messages)
