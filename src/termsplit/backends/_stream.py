"""What the streams of all loops have in common; no loop is imported here.

`Faces` is for every stream, `AsyncChatStream` for those whose methods are coroutines. A loop adds how bytes are
read and written, how a task is started, and which exceptions mean that the peer is gone.
"""

from __future__ import annotations

import abc
import contextlib
import functools
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Generator, Iterator
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeVar, overload

from termsplit._connection import Connection
from termsplit._errors import ConnectionLost, LocalProtocolError
from termsplit._events import NEED_DATA, NeedData
from termsplit._parser import Parser

if TYPE_CHECKING:
    import ssl
    from types import TracebackType

    from typing_extensions import Self

    from termsplit._chat import Chat
    from termsplit._events import Event, RecordSkipped, TooLong
    from termsplit._parser import Parse
    from termsplit._producers import Producer
    from termsplit._terminators import Terminator

T = TypeVar("T")

LINGER = 2.0
"""How long, in seconds, a closing stream waits for the peer to close its side too.

A socket that is closed while input waits in it resets the connection, and the peer may lose our last words.
"""


class Faces:
    """A connection, and asynchat's verbs on it.

    Attributes:
        connection: the machine behind this stream.
    """

    def __init__(self, connection: Connection | None) -> None:
        self.connection = Connection() if connection is None else connection
        self._receiving = False

    def set_terminator(self, terminator: Terminator) -> None:
        """As `Connection.set_terminator`."""
        self.connection.set_terminator(terminator)

    def push(self, data: bytes | bytearray | memoryview) -> None:
        """As `Connection.push`."""
        self.connection.push(data)

    def push_producer(self, producer: Producer) -> None:
        """As `Connection.push_producer`."""
        self.connection.push_producer(producer)

    def close_when_done(self) -> None:
        """As `Connection.close_when_done`; the peer is told of the end when all was sent."""
        self.connection.close_when_done()

    def _parser(self, grammar: Parser[T] | Callable[[], Parse[T]]) -> Parser[T]:
        if not isinstance(grammar, Parser):
            return Parser(grammar, self.connection)
        if grammar.splitter is not self.connection:
            raise ValueError("expected a Parser on this stream's connection, got one on another")
        return grammar  # pyright: ignore[reportUnknownVariableType]

    def _adopt(self, chat: Chat) -> None:
        """Go on with the connection of ``chat``, as if it had been there from the start."""
        if chat.connection is self.connection:
            return
        if self.connection.output_pending:
            raise LocalProtocolError("expected a stream that nothing was pushed on, to run a Chat")
        ended = self.connection.eof_received
        chat.connection.receive_data(self.connection.detach())
        if ended:
            chat.connection.receive_eof()
        self.connection = chat.connection

    def _start_receiving(self) -> None:
        if self._receiving:
            raise LocalProtocolError("expected one task to receive from a stream, got two at once")
        self._receiving = True

    @property
    def _input_over(self) -> bool:
        return self.connection.eof_received or self.connection.detached


class _Event(Protocol):
    def set(self) -> Any: ...
    async def wait(self) -> Any: ...


class Items(AsyncIterator[T]):
    """The items of one face, waiting for data between them.

    An iterator and not an async generator: it may be abandoned at any time, and gone on with after a
    cancellation.
    """

    def __init__(self, stream: AsyncChatStream, face: Callable[[], Iterator[T]]) -> None:
        self._stream = stream
        self._face = face
        self._items = face()

    async def __anext__(self) -> T:
        await self._stream._checkpoint()
        while True:
            try:
                for item in self._items:
                    return item
            except BaseException:
                self._items = self._face()
                raise
            self._items = self._face()
            if self._stream._input_over:
                raise StopAsyncIteration
            await self._stream._fill()


class AsyncChatStream(Faces, abc.ABC):
    """A stream whose methods are coroutines, on whatever loop.

    What is pushed is sent in the background as soon as the task that pushes lets go: so all replies to one
    chunk leave together. What goes wrong there is raised by the next call.
    """

    def __init__(self, connection: Connection | None) -> None:
        super().__init__(connection)
        self._failure: Exception | None = None
        self._progress: _Event | None = None
        self._closed = False
        self.connection.on_output = self._start_sending

    # What a loop adds.

    @abc.abstractmethod
    def _start_sending(self) -> None:
        """See to it that what is queued is sent soon, without waiting for it."""

    @abc.abstractmethod
    def _new_event(self) -> _Event: ...

    @abc.abstractmethod
    async def _checkpoint(self) -> None:
        """What the loop demands of a call that has nothing to wait for."""

    @abc.abstractmethod
    async def _receive(self) -> None:
        """Wait until the connection got more bytes, or the end.

        Raises:
            ConnectionLost: neither will come.
        """

    @abc.abstractmethod
    async def _linger(self) -> None:
        """Drop input until the peer ends its side too, for `LINGER` seconds at the most."""

    @abc.abstractmethod
    async def _close(self) -> None:
        """Close the transport, in good order."""

    @abc.abstractmethod
    async def abort(self) -> None:
        """Close the transport at once; what was not sent is lost."""

    @abc.abstractmethod
    def _interrupt_receiving(self) -> None:
        """Let a `_receive` that waits return without data."""

    def _hold_receiving(self) -> None:
        """Take no more bytes from the transport unless asked to."""

    @abc.abstractmethod
    async def _start_tls(
        self, context: ssl.SSLContext, server_side: bool, hostname: str | None
    ) -> None: ...

    # The faces.

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
    def records(self, *, too_long: TooLong = "raise") -> AsyncIterator[Any]:
        """Iterate over `Connection.records`, to the end of the stream."""
        face: Callable[[], Iterator[Any]] = functools.partial(self.connection.records)
        if too_long == "skip":
            face = functools.partial(self.connection.records, too_long="skip")
        return Items(self, face)

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self.records()

    def messages(self, grammar: Parser[T] | Callable[[], Parse[T]]) -> AsyncIterator[T]:
        """Iterate over the messages of a grammar, to the end of the stream.

        Args:
            grammar: a generator function, or a `Parser` on this stream's connection; which to keep,
                if another iterator is to go on in the middle of a message.
        """
        return Items(self, self._parser(grammar).messages)

    # Sending and closing.

    async def send(self, data: bytes | bytearray | memoryview) -> None:
        """Push ``data``, and wait while the output is congested.

        Cancelled, it has pushed all the same: the data goes out once.

        Raises:
            ConnectionLost: the transport failed.
            TypeError, LocalProtocolError: as `Connection.push` does.
            Exception: what a producer raised.
        """
        self.connection.push(data)
        await self._sent(lambda: not self.connection.congested)

    async def flush(self) -> None:
        """Wait until the transport has taken all that was pushed.

        Raises:
            ConnectionLost: the transport failed.
            Exception: what a producer raised.
        """
        await self._sent(self._output_taken)

    async def aclose(self) -> None:
        """Send what was pushed, then close. Idempotent.

        Cancelled, or when anything fails, it closes at once and leaves nothing open.

        Raises:
            ConnectionLost: the transport failed before it had taken all that was pushed.
            Exception: what a producer raised.
        """
        if self._closed:
            await self._checkpoint()
            return
        self._closed = True
        try:
            self.connection.close_when_done()
            await self.flush()
            if not self._input_over:
                await self._linger()
            await self._close()
        except BaseException:
            await self.abort()
            raise

    async def start_tls(
        self,
        context: ssl.SSLContext,
        *,
        server_side: bool = False,
        server_hostname: str | None = None,
    ) -> None:
        """Send what was pushed, then go on over TLS: STARTTLS, in mid-stream.

        Args:
            context: the TLS settings.
            server_side: whether this is the server's side.
            server_hostname: the name that the server's certificate must bear.

        Raises:
            UnexpectedData: bytes were received behind the request; they would pass for encrypted ones.
            ConnectionLost: the transport failed, or the handshake did.
            LocalProtocolError: another task is receiving.
        """
        self._start_receiving()
        try:
            self.connection.refuse_trailing_data()
            self._hold_receiving()
            await self.flush()
            await self._start_tls(context, server_side, server_hostname)
        finally:
            self._receiving = False

    async def _detach(self) -> bytes:
        self._start_receiving()
        try:
            self._hold_receiving()
            await self.flush()
        finally:
            self._receiving = False
        self._closed = True
        self.connection.on_output = None
        return self.connection.detach()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if error is None:
            await self.aclose()
        else:
            await self.abort()

    # What the loops call.

    async def _pull(self, step: Callable[[], T | Literal[NeedData.NEED_DATA]]) -> T:
        await self._checkpoint()
        while (item := step()) is NEED_DATA:
            await self._fill()
        return item

    async def _fill(self) -> None:
        self._start_receiving()
        try:
            await self._receive()
        finally:
            self._receiving = False

    def _output_taken(self) -> bool:
        return not self.connection.output_pending

    async def _sent(self, enough: Callable[[], bool]) -> None:
        await self._checkpoint()
        while True:
            if self._failure is not None:
                raise self._failure
            if enough():
                return
            if self._progress is None:
                self._progress = self._new_event()
            await self._progress.wait()

    def _progressed(self) -> None:
        progress, self._progress = self._progress, None
        if progress is not None:
            progress.set()

    def _fail(self, error: Exception) -> None:
        """Keep ``error`` for the next call."""
        if self._failure is None:
            self._failure = error
        self._progressed()

    def _adopt(self, chat: Chat) -> None:
        self.connection.on_output = None
        super()._adopt(chat)
        self.connection.on_output = self._start_sending
        if self.connection.output_pending:
            self._start_sending()

    async def _handle(
        self, handler: Callable[[Self], Awaitable[None]], context: ssl.SSLContext | None
    ) -> None:
        """Let ``handler`` serve this stream; that the peer went away meanwhile is no fault of a server."""
        try:
            async with self:
                if context is not None:
                    await self.start_tls(context, server_side=True)
                await handler(self)
        except ConnectionLost:
            pass

    async def _connected(self, context: ssl.SSLContext | None, hostname: str | None) -> Self:
        if context is not None:
            try:
                await self.start_tls(context, server_hostname=hostname)
            except BaseException:
                await self.abort()
                raise
        return self

    async def _run(self, chat: Chat) -> None:
        self._adopt(chat)
        connection = self.connection
        lost: Exception | None = None
        try:
            while not connection.closing:
                chat.dispatch(until_congested=True)
                if connection.congested:
                    await self._sent(lambda: not connection.congested)
                elif self._input_over:
                    await self._sent(lambda: connection.closing)
                elif not connection.closing:
                    await self._fill()
            await self.aclose()
        except BaseException as error:
            await self.abort()
            if isinstance(error, Exception):
                lost = error
            if not isinstance(error, ConnectionLost):
                raise
        finally:
            chat.connection_lost(lost)


def lost(cause: Exception | None, what: str = "the peer is gone") -> ConnectionLost:
    """The one exception of all backends for a transport that failed with ``cause``."""
    error = ConnectionLost(what if cause is None else f"{what}: {cause!r}")
    error.__cause__ = cause
    return error


class PullingChatStream(AsyncChatStream):
    """A stream over an object that is asked for bytes, and takes bytes, by coroutines."""

    #: What the transport raises when it fails, or is closed while in use.
    _lost_errors: tuple[type[Exception], ...] = ()

    def __init__(self, connection: Connection | None) -> None:
        super().__init__(connection)
        self._sending = False

    @abc.abstractmethod
    def _start_task(self, function: Callable[[], Coroutine[Any, Any, None]]) -> None: ...

    @abc.abstractmethod
    async def _read(self) -> bytes | None:
        """Some bytes, b"" at the end, or None when interrupted."""

    @abc.abstractmethod
    async def _write(self, data: bytes | memoryview) -> None:
        """Send all of ``data``."""

    @abc.abstractmethod
    async def _write_eof(self) -> None:
        """Tell the peer that no more will come, if the transport has a way to."""

    def _start_sending(self) -> None:
        if not self._sending and self._failure is None:
            self._start_task(self._send_queued)
            self._sending = True

    async def _send_queued(self) -> None:
        try:
            while data := self.connection.data_to_send():
                await self._write(data)
                self.connection.data_sent(len(data))
                self._progressed()
            if self.connection.must_close:
                await self._write_eof()
                self._interrupt_receiving()
        except self._lost_errors as cause:
            self._fail(lost(cause))
        except Exception as error:  # noqa: BLE001 - kept for the next call, which raises it
            self._fail(error)
            await self.abort()
        finally:
            self._sending = False
            self._progressed()

    async def _receive(self) -> None:
        try:
            data = await self._read()
        except self._lost_errors as cause:
            raise (self._failure or lost(cause)) from cause
        if data:
            self.connection.receive_data(data)
        elif data is not None:
            self.connection.receive_eof()


@contextlib.contextmanager
def unix_listener(path: str | os.PathLike[str]) -> Generator[socket.socket]:
    """A socket that listens on ``path``, which is removed at the end."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(os.fspath(path))
        with removed_at_end(path):
            listener.listen()
            yield listener


@contextlib.contextmanager
def removed_at_end(path: str | os.PathLike[str]) -> Generator[None]:
    """Remove the Unix socket's ``path`` at the end, if it is still there."""
    try:
        yield
    finally:
        # asyncio removes it too, from Python 3.13 on.
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
