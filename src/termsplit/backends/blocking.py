"""Blocking: over any socket, or a pair of binary files.

Adds to the core: time-outs, and servers of one thread a peer. Nothing is sent in the background: what was
pushed leaves, all of it together, before the next wait for input, at `send`, `flush` and `close`.
"""

from __future__ import annotations

import contextlib
import functools
import os
import selectors
import socket
import threading
import time
from collections.abc import Callable, Generator, Iterator
from typing import TYPE_CHECKING, Any, BinaryIO, Literal, TypeVar, overload

from termsplit._connection import Connection
from termsplit._errors import ConnectionLost
from termsplit._events import NEED_DATA

from ._stream import LINGER, Faces, lost, unix_listener

if TYPE_CHECKING:
    import ssl
    from types import TracebackType

    from typing_extensions import Self

    from termsplit._chat import Chat
    from termsplit._events import Event, RecordSkipped, TooLong
    from termsplit._parser import Parse, Parser
    from termsplit._terminators import Terminator

__all__ = [
    "ChatStream",
    "Handler",
    "Server",
    "connect",
    "connect_unix",
    "run",
    "serve",
    "serve_unix",
]

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
        while data := connection.data_to_send():
            with _os_errors_mapped():
                sent = self._transport.send(data)
            connection.data_sent(sent)
        if connection.must_close and not self._eof_sent and self.ssl_object is None:
            self._eof_sent = True
            with _os_errors_mapped():
                self._transport.shutdown(socket.SHUT_WR)

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
        with _os_errors_mapped():
            self._transport = context.wrap_socket(
                self._transport, server_side=server_side, server_hostname=server_hostname
            )
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

    def _fill(self) -> None:
        self._start_receiving()
        try:
            self.flush()
            with _os_errors_mapped():
                data = self._transport.recv(_RECEIVE_SIZE)
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
                    # Nothing more can come, and no other thread may push.
                    break
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


class _Items(Iterator[T]):
    """The items of one face, waiting for data between them; it may be gone on with after a time-out."""

    def __init__(self, stream: ChatStream, face: Callable[[], Iterator[T]]) -> None:
        self._stream = stream
        self._face = face
        self._items = face()

    def __next__(self) -> T:
        while True:
            try:
                for item in self._items:
                    return item
            except BaseException:
                self._items = self._face()
                raise
            self._items = self._face()
            if self._stream._input_over:
                raise StopIteration
            self._stream._fill()


class _Files:
    """Two binary files with the methods of a socket."""

    def __init__(self, reader: BinaryIO, writer: BinaryIO) -> None:
        self._writer = writer
        self._reader = reader
        self.recv: Callable[[int], bytes] = getattr(reader, "read1", reader.read)

    def send(self, data: bytes | memoryview) -> int:
        sent = self._writer.write(data)
        self._writer.flush()
        return sent

    def shutdown(self, how: int) -> None:
        self._writer.close()

    def settimeout(self, seconds: float) -> None:
        """Files wait as long as it takes."""

    def close(self) -> None:
        self._writer.close()
        self._reader.close()


@contextlib.contextmanager
def _os_errors_mapped() -> Generator[None]:
    try:
        yield
    except TimeoutError:
        raise
    except OSError as cause:
        raise lost(cause) from cause


Handler = Callable[[ChatStream], object]


class Server:
    """A listening server with a thread for each peer; made by `serve`, closed by ``with``."""

    def __init__(
        self,
        handler: Handler,
        listener: socket.socket,
        ssl: ssl.SSLContext | None,
        new_connection: Callable[[], Connection],
        timeout: float | None,
    ) -> None:
        self._handler = handler
        self._listener = listener
        self._ssl = ssl
        self._new_connection = new_connection
        self._timeout = timeout
        self._exits = contextlib.ExitStack()
        self._exits.enter_context(listener)
        self._streams: dict[threading.Thread, ChatStream] = {}
        self._lock = threading.Lock()
        self._stop_sender, self._stop_receiver = socket.socketpair()
        self._acceptor = threading.Thread(target=self._accept, name="termsplit server")
        self._acceptor.start()

    @property
    def addresses(self) -> list[Any]:
        """The addresses that are listened on."""
        return [self._listener.getsockname()]

    def serve_forever(self) -> None:
        """Wait until another thread closes the server, or this one is interrupted."""
        self._acceptor.join()

    def close(self) -> None:
        """Stop listening, abort the streams that are still served, and wait for their threads. Idempotent."""
        self._stop_sender.close()
        self._acceptor.join()
        with self._lock:
            serving = dict(self._streams)
        for stream in serving.values():
            stream.abort()
        for thread in serving:
            thread.join()
        self._exits.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _accept(self) -> None:
        with selectors.DefaultSelector() as selector, self._stop_receiver:
            selector.register(self._stop_receiver, selectors.EVENT_READ)
            selector.register(self._listener, selectors.EVENT_READ)
            while True:
                ready = [key.fileobj for key, _ in selector.select()]
                if self._stop_receiver in ready:
                    return
                try:
                    accepted, _ = self._listener.accept()
                except OSError:
                    # The peer that made the listener ready is gone again.
                    continue
                accepted.settimeout(self._timeout)
                stream = ChatStream(accepted, self._new_connection())
                thread = threading.Thread(target=self._serve, args=(stream,))
                with self._lock:
                    self._streams[thread] = stream
                thread.start()

    def _serve(self, stream: ChatStream) -> None:
        try:
            with stream:
                if self._ssl is not None:
                    stream.start_tls(self._ssl, server_side=True)
                self._handler(stream)
        except ConnectionLost:
            # That the peer went away meanwhile is no fault of a server.
            pass
        finally:
            with self._lock:
                del self._streams[threading.current_thread()]


def connect(
    host: str,
    port: int,
    *,
    ssl: ssl.SSLContext | None = None,
    timeout: float | None = None,
    connection: Connection | None = None,
) -> ChatStream:
    """Open a TCP connection.

    Args:
        host: a name or an address.
        port: 1 to 65535.
        ssl: speak TLS with these settings; the certificate must be for ``host``.
        timeout: the longest wait of every call, in seconds; None for no end.
        connection: the machine to use; a new `Connection` if left out.

    Raises:
        OSError: as `socket.create_connection` does.
        TimeoutError, ConnectionLost: the TLS handshake failed.
    """
    opened = socket.create_connection((host, port), timeout)
    return _connected(ChatStream(opened, connection), ssl, host)


def connect_unix(
    path: str | os.PathLike[str],
    *,
    ssl: ssl.SSLContext | None = None,
    server_hostname: str | None = None,
    timeout: float | None = None,
    connection: Connection | None = None,
) -> ChatStream:
    """`connect`, to a Unix socket."""
    opened = socket.socket(socket.AF_UNIX)
    try:
        opened.settimeout(timeout)
        opened.connect(os.fspath(path))
    except BaseException:
        opened.close()
        raise
    return _connected(ChatStream(opened, connection), ssl, server_hostname)


def _connected(
    stream: ChatStream, context: ssl.SSLContext | None, hostname: str | None
) -> ChatStream:
    if context is not None:
        try:
            stream.start_tls(context, server_hostname=hostname)
        except BaseException:
            stream.abort()
            raise
    return stream


def serve(
    handler: Handler,
    host: str | None,
    port: int,
    *,
    ssl: ssl.SSLContext | None = None,
    timeout: float | None = None,
    new_connection: Callable[[], Connection] = Connection,
) -> Server:
    """Listen on TCP, and run ``handler`` in a thread of its own for every peer.

    Args:
        handler: a function of a `ChatStream`, which is closed after it: in good order when it returns, at
            once when it raises. That the peer is gone (`ConnectionLost`) ends it and nothing else; any
            other exception goes to `threading.excepthook`.
        host: the address to listen on; None for all.
        port: 0 to 65535; 0 for any that is free.
        ssl: speak TLS with these settings.
        timeout: the longest wait of every call on the streams, in seconds; None for no end.
        new_connection: makes the machine for each peer.

    Returns:
        the server, which listens already; it stops when it is closed.

    Raises:
        OSError: as `socket.create_server` does.
    """
    family = socket.AF_INET6 if host is not None and ":" in host else socket.AF_INET
    listener = socket.create_server((host or "", port), family=family)
    return Server(handler, listener, ssl, new_connection, timeout)


def serve_unix(
    handler: Handler,
    path: str | os.PathLike[str],
    *,
    ssl: ssl.SSLContext | None = None,
    timeout: float | None = None,
    new_connection: Callable[[], Connection] = Connection,
) -> Server:
    """`serve`, on a Unix socket; its path is removed at the end."""
    with contextlib.ExitStack() as exits:
        listener = exits.enter_context(unix_listener(path))
        server = Server(handler, listener, ssl, new_connection, timeout)
        server._exits.push(exits.pop_all())
    return server


def run(chat: Chat, stream: ChatStream) -> None:
    """Drive ``chat`` on ``stream`` until the connection is closed, by either side.

    The chat's own connection takes the stream over. Callbacks wait while the output is congested.
    After `Chat.close_when_done` what was pushed is sent, and nothing more is received.

    Args:
        chat: its `Chat.connection_lost` is called at the end.
        stream: one that nothing was pushed on.

    Raises:
        TimeoutError: nothing came, or went, for the socket's time-out.
        Exception: whatever a callback or a producer raised.
    """
    stream._run(chat)
