"""Blocking: over any socket, or a pair of binary files.

Adds to the core: time-outs, and servers of one thread a peer. Nothing is sent in the background: what was
pushed leaves, all of it together, before the next wait for input, at `send`, `flush` and `close`.
"""

from __future__ import annotations

import functools
import os
import selectors
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, BinaryIO, Literal, TypeVar, overload

from termsplit._connection import Connection
from termsplit._errors import ConnectionLost
from termsplit._events import NEED_DATA, NeedData

from ._stream import LINGER, Faces, lost, unix_listener

if TYPE_CHECKING:
    import ssl
    from types import TracebackType

    from typing_extensions import Self

    from termsplit._chat import Chat
    from termsplit._events import Event, RecordSkipped, TooLong
    from termsplit._parser import Parse, Parser

__all__ = ["ChatStream", "Handler", "Server", "connect", "connect_unix", "run", "serve", "serve_unix"]

T = TypeVar("T")
_RECEIVE_SIZE = 64 * 1024


class ChatStream(Faces):
    """A `Connection` on a socket, or on a file to read from and one to write to.

    One thread at a time may use it, but for `abort`.

    Args:
        transport: a connected socket, with TLS or without, whose time-out is the longest wait of every call; or
            two binary files, the first to read from. It belongs to this object now.
        connection: the machine to use; a new `Connection` if left out.
    """

    def __init__(
        self,
        transport: socket.socket | tuple[BinaryIO, BinaryIO],
        connection: Connection | None = None,
    ) -> None:
        super().__init__(connection)
        self.transport: Any = transport
        self._transport: Any = _Files(*transport) if isinstance(transport, tuple) else transport
        self.peer: Any = None if isinstance(transport, tuple) else transport.getpeername()
        """The peer's address, as its address family has it; None for files."""
        self._closed = False
        self._eof_sent = False

    @property
    def ssl_object(self) -> ssl.SSLSocket | None:
        """The TLS socket; None without TLS."""
        return self._transport if hasattr(self._transport, "unwrap") else None

    # The faces.

    def next_event(self, *, too_long: TooLong = "raise") -> Event:
        """Wait for the next of `Connection.events`; at the end `EOFReceived`, again and again.

        Raises:
            RecordTooLong: as `Connection.events` does.
            TimeoutError: nothing came, or went, for the socket's time-out; calling again goes on.
            ConnectionLost: the transport failed.
        """
        return self._pull(functools.partial(self.connection.next_event, too_long=too_long))

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
        return self._pull(self.connection.next_record)

    def events(self, *, too_long: TooLong = "raise") -> Iterator[Event]:
        """Iterate over `Connection.events`, to `EOFReceived`."""
        return _Items(self, functools.partial(self.connection.events, too_long=too_long))

    @overload
    def records(self, *, too_long: Literal["raise"] = "raise") -> Iterator[bytes]: ...
    @overload
    def records(self, *, too_long: Literal["skip"]) -> Iterator[bytes | RecordSkipped]: ...
    def records(self, *, too_long: Any = "raise") -> Iterator[Any]:
        """Iterate over `Connection.records`, to the end of the stream."""
        return _Items(self, functools.partial(self.connection.records, too_long=too_long))

    def __iter__(self) -> Iterator[bytes]:
        return self.records()

    def messages(self, grammar: Parser[T] | Callable[[], Parse[T]]) -> Iterator[T]:
        """Iterate over the messages of a grammar, to the end of the stream.

        Args:
            grammar: a generator function, or a `Parser` on this stream's connection; which to keep,
                if another iterator is to go on in the middle of a message.
        """
        return _Items(self, self._parser(grammar).messages)

    # Sending and closing.

    def send(self, data: bytes | bytearray | memoryview) -> None:
        """Push ``data``, and send all that is queued; raises as `Connection.push` and `flush` do."""
        self.connection.push(data)
        self.flush()

    def flush(self) -> None:
        """Send all that is queued.

        Raises:
            TimeoutError: nothing went for the socket's time-out; calling again goes on.
            ConnectionLost: the transport failed.
            Exception: what a producer raised.
        """
        connection = self.connection
        try:
            while data := connection.data_to_send():
                connection.data_sent(self._transport.send(data))
            if connection.must_close and not self._eof_sent and self.ssl_object is None:
                self._eof_sent = True
                self._transport.shutdown(socket.SHUT_WR)
        except TimeoutError:
            raise
        except OSError as cause:
            raise lost(cause) from cause

    def close(self) -> None:
        """Send what was pushed, then close. Idempotent.

        When anything fails, it closes at once and leaves nothing open.

        Raises:
            TimeoutError, ConnectionLost: before the transport had taken all that was pushed.
            Exception: what a producer raised.
        """
        if self._closed:
            return
        self._closed = True
        try:
            self.connection.close_when_done()
            self.flush()
            self._linger()
        finally:
            self.abort()

    def abort(self) -> None:
        """Close the transport at once; what was not sent is lost. Another thread that waits on it is woken."""
        self._closed = True
        try:
            self._transport.shutdown(socket.SHUT_RDWR)
        except OSError:
            # The peer was faster, or it is closed already.
            pass
        self._transport.close()

    def detach(self) -> tuple[Any, bytes]:
        """Send what was pushed, and hand over the transport with the bytes that are not taken yet."""
        self.flush()
        self._closed = True
        return self.transport, self.connection.detach()

    def start_tls(
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
            TimeoutError, ConnectionLost: the transport failed, or the handshake did.
        """
        self.connection.refuse_trailing_data()
        self.flush()
        try:
            self._transport = context.wrap_socket(
                self._transport, server_side=server_side, server_hostname=server_hostname
            )
        except OSError as cause:
            raise lost(cause) from cause
        self.transport = self._transport

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if error is None:
            self.close()
        else:
            self.abort()

    def _pull(self, step: Callable[[], T | Literal[NeedData.NEED_DATA]]) -> T:
        while (item := step()) is NEED_DATA:
            self._fill()
        return item

    def _fill(self) -> None:
        self._start_receiving()
        try:
            self.flush()
            data = self._transport.recv(_RECEIVE_SIZE)
        except TimeoutError:
            raise
        except OSError as cause:
            raise lost(cause) from cause
        finally:
            self._receiving = False
        if data:
            self.connection.receive_data(data)
        else:
            self.connection.receive_eof()

    def _linger(self) -> None:
        deadline = time.monotonic() + LINGER
        try:
            self._transport.settimeout(LINGER)
            if self.ssl_object is not None:
                self._transport.unwrap()
                return
            while not self._input_over and self._transport.recv(_RECEIVE_SIZE):
                self._transport.settimeout(max(deadline - time.monotonic(), 0.001))
        except OSError:
            # All was sent: how the peer ends its side is its own affair.
            pass

    def _run(self, chat: Chat) -> None:
        self._adopt(chat)
        connection = self.connection
        error: Exception | None = None
        try:
            while not connection.closing:
                chat.dispatch(until_congested=True)
                if connection.congested:
                    self.flush()
                elif self._input_over:
                    ...
                elif not connection.closing:
                    self._fill()
            self.close()
        except BaseException as raised:
            self.abort()
            if isinstance(raised, Exception):
                error = raised
            if not isinstance(raised, ConnectionLost):
                raise
        finally:
            chat.connection_lost(error)
