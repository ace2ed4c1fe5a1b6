"""The faces of a stream whose methods are coroutines: each gives what was received, or waits for more."""

from __future__ import annotations

import abc
import functools
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from typing import TYPE_CHECKING, Any, Literal, TypeVar, overload

from termsplit._events import NEED_DATA, NeedData

from ._faces import Faces

if TYPE_CHECKING:
    from termsplit._events import Event, RecordSkipped, TooLong
    from termsplit._parser import Parse, Parser
    from termsplit._terminators import Terminator

T = TypeVar("T")


class Items(AsyncIterator[T]):
    """The items of one face, waiting for data between them.

    An iterator and not an async generator: it may be abandoned at any time, and gone on with after a
    cancellation.
    """

    def __init__(self, stream: AsyncReading, face: Callable[[], Iterator[T]]) -> None:
        self._stream = stream
        self._face = face
        self._items = face()

    def __anext__(self) -> Coroutine[Any, Any, T]:
        return self._stream._pull(self._next)

    def _next(self) -> T | Literal[NeedData.NEED_DATA]:
        try:
            for item in self._items:
                return item
        except BaseException:
            self._items = self._face()
            raise
        self._items = self._face()
        if self._stream._input_over:
            raise StopAsyncIteration
        return NEED_DATA


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
        """Iterate over `Connection.events`, to `EOFReceived`."""
        return Items(self, functools.partial(self.connection.events, too_long=too_long))

    @overload
    def records(self, *, too_long: Literal["raise"] = "raise") -> AsyncIterator[bytes]: ...
    @overload
    def records(self, *, too_long: Literal["skip"]) -> AsyncIterator[bytes | RecordSkipped]: ...
    def records(self, *, too_long: Any = "raise") -> AsyncIterator[Any]:
        """Iterate over `Connection.records`, to the end of the stream."""
        return Items(self, functools.partial(self.connection.records, too_long=too_long))

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self.records()

    def messages(self, grammar: Parser[T] | Callable[[], Parse[T]]) -> AsyncIterator[T]:
        """Iterate over the messages of a grammar, to the end of the stream.

        Args:
            grammar: a generator function, or a `Parser` on this stream's connection; which to keep,
                if another iterator is to go on in the middle of a message.
        """
        return Items(self, self._parser(grammar).messages)
