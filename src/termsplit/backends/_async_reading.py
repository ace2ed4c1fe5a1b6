"""The faces of a stream whose methods are coroutines: each gives what was received, or waits for more."""

from __future__ import annotations

import abc
import functools
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import TYPE_CHECKING, Any, Literal, TypeVar, overload

from termsplit._events import NeedData

from ._faces import Faces, Items

if TYPE_CHECKING:
    from termsplit._events import Event, RecordSkipped, TooLong
    from termsplit._parser import Parse, Parser
    from termsplit._terminators import Terminator

T = TypeVar("T")


class AsyncItems(Items[T], AsyncIterator[T]):
    """The items of one face, waiting for data between them."""

    _stream: AsyncReading
    _end = StopAsyncIteration

    def __anext__(self) -> Coroutine[Any, Any, T]:
        return self._stream._pull(self._next)


class AsyncReading(Faces, abc.ABC):
    """A stream whose methods are coroutines, as far as it is read."""

    @abc.abstractmethod
    async def _pull(self, step: Callable[[], T | Literal[NeedData.NEED_DATA]]) -> T:
        """What ``step`` gives when enough was received."""

    async def next_event(self, *, too_long: TooLong = "raise") -> Event:
        """Wait for the next of `Connection.events`; at the end `EOFReceived`, again and again.

        Raises:
            RecordTooLong: as `Connection.events` does.
            ConnectionLost: the transport failed.
            LocalProtocolError: another task is receiving.
        """
        return await self._pull(lambda: self.connection.next_event(too_long=too_long))

    async def receive_record(self, terminator: Terminator) -> bytes:
        """Wait for one record.

        Cancelled, it loses nothing: calling it again goes on.

        Args:
            terminator: what ends it, as for `Connection.set_terminator`.

        Raises:
            IncompleteRecord: the stream ended first; with no partial record, at a record's boundary.
            RecordTooLong: calling it again passes over the record.
            ConnectionLost: the transport failed.
            LocalProtocolError: another task is receiving.
        """
        self.connection.set_terminator(terminator)
        return await self._pull(self.connection.next_record)

    def events(self, *, too_long: TooLong = "raise") -> AsyncIterator[Event]:
        """Iterate over `Connection.events`, to `EOFReceived`.

        Raises:
            RecordTooLong, ConnectionLost, LocalProtocolError: as `next_event` does; the same iterator goes on.
        """
        return AsyncItems(self, functools.partial(self.connection.events, too_long=too_long))

    @overload
    def records(self, *, too_long: Literal["raise"] = "raise") -> AsyncIterator[bytes]: ...
    @overload
    def records(self, *, too_long: Literal["skip"]) -> AsyncIterator[bytes | RecordSkipped]: ...
    def records(self, *, too_long: Any = "raise") -> AsyncIterator[Any]:
        """Iterate over `Connection.records`, to the end of the stream.

        Raises:
            IncompleteRecord: the stream ended in the middle of a record; once, and then the iterator ends.
            RecordTooLong, ConnectionLost, LocalProtocolError: as `receive_record` does; the same iterator goes on.
        """
        return AsyncItems(self, functools.partial(self.connection.records, too_long=too_long))

    def __aiter__(self) -> AsyncIterator[bytes]:
        """As `records`."""
        return self.records()

    async def receive_message(self, grammar: Parser[T] | Callable[[], Parse[T]]) -> T:
        """Wait for one message of a grammar.

        Cancelled, it loses nothing: calling it again, with the same grammar, goes on.

        Args:
            grammar: as for `messages`.

        Raises:
            IncompleteRecord: the stream ended first; with no partial record, between two messages.
            ConnectionLost: the transport failed.
            LocalProtocolError: another task is receiving.
            Exception: as `Parser.messages` does; calling it again goes on.
        """
        return await self._pull(self._parser(grammar).next_message)

    def messages(self, grammar: Parser[T] | Callable[[], Parse[T]]) -> AsyncIterator[T]:
        """Iterate over the messages of a grammar, to the end of the stream.

        Args:
            grammar: a generator function, or a `Parser` on this stream's connection. With the same one as the
                last time, it goes on in the middle of a message.

        Raises:
            IncompleteRecord: the stream ended in the middle of a message; once, and then the iterator ends.
            ConnectionLost, LocalProtocolError: as `receive_message` does; the same iterator goes on.
            Exception: as `Parser.messages` does; the same iterator goes on.
        """
        return AsyncItems(self, self._parser(grammar).messages)
