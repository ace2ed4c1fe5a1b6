"""asyncio: a protocol of its own on any of its transports.

Adds to the core: back-pressure by pausing the transport's reading when more than `READ_AHEAD` bytes wait for
the application, and by holding what is queued while the transport's writing is paused.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, cast

from termsplit._connection import Connection

from ._stream import LINGER, AsyncChatStream, lost, unix_listener

if TYPE_CHECKING:
    import ssl
    from types import TracebackType

    from typing_extensions import Self

    from termsplit._chat import Chat

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

READ_AHEAD = 64 * 1024
"""So many bytes may wait for the application before the transport is told to stop reading."""

# One producer that never runs out must not keep the loop from its other tasks.
_SEND_AT_ONCE = 256 * 1024
_RECEIVE_SIZE = 64 * 1024


class _ReceiveBuffer(threading.local):
    """The loop fills it and hands it over in one step, so that one serves all connections of a thread."""

    def __init__(self) -> None:
        self.view = memoryview(bytearray(_RECEIVE_SIZE))


_receive_buffer = _ReceiveBuffer()


class ChatStream(AsyncChatStream):
    """A `Connection` on an asyncio transport; made by `connect` and `serve`.

    Args:
        connection: the machine to use; a new `Connection` if left out.
    """

    def __init__(self, connection: Connection | None = None) -> None:
        super().__init__(connection)
        self._loop = asyncio.get_running_loop()
        self._protocol = _Protocol(self)
        self._transport: Any = None
        self._send_scheduled = False
        self._writing_paused = False
        self._reading_paused = False
        self._read_ahead = 0
        self._receiver: asyncio.Future[None] | None = None
        self._disconnected: asyncio.Future[None] = self._loop.create_future()
        self._on_connected: Callable[[ChatStream], None] | None = None

    @property
    def peer(self) -> Any:
        """The peer's address, as its address family has it."""
        return self._transport.get_extra_info("peername")

    @property
    def ssl_object(self) -> ssl.SSLObject | None:
        """The state of TLS; None without."""
        return cast("ssl.SSLObject | None", self._transport.get_extra_info("ssl_object"))

    async def detach(self) -> tuple[asyncio.Transport, bytes]:
        """Send what was pushed, and hand over the transport with the bytes that are not taken yet.

        The transport's reading is paused: give it its new protocol, then resume it.
        """
        data = await self._detach()
        return self._transport, data

    async def abort(self) -> None:
        """Close the transport at once; what was not sent is lost."""
        self._closed = True
        self._transport.abort()

    # What the loop adds.

    def _new_event(self) -> asyncio.Event:
        return asyncio.Event()

    async def _checkpoint(self) -> None:
        pass

    def _start_sending(self) -> None:
        if not self._send_scheduled and self._transport is not None:
            self._send_scheduled = True
            self._loop.call_soon(self._send_queued)

    def _send_queued(self) -> None:
        self._send_scheduled = False
        connection = self.connection
        sent = 0
        try:
            while not (self._writing_paused or self._disconnected.done()):
                data = connection.data_to_send()
                if not data:
                    break
                self._transport.write(data)
                connection.data_sent(len(data))
                sent += len(data)
                if sent >= _SEND_AT_ONCE:
                    self._start_sending()
                    break
        except Exception as error:  # noqa: BLE001 - kept for the next call, which raises it
            self._fail(error)
            self._transport.abort()
            return
        if connection.must_close and not self._disconnected.done():
            if self._transport.can_write_eof():
                self._transport.write_eof()
            self._interrupt_receiving()
        self._progressed()

    def _output_taken(self) -> bool:
        return not (self._writing_paused or self.connection.output_pending)

    async def _receive(self) -> None:
        if self._disconnected.done():
            raise self._failure or lost(None)
        self._read_ahead = 0
        if self._reading_paused:
            self._reading_paused = False
            self._transport.resume_reading()
        self._receiver = self._loop.create_future()
        try:
            await self._receiver
        finally:
            self._receiver = None

    def _interrupt_receiving(self) -> None:
        if self._receiver is not None and not self._receiver.done():
            self._receiver.set_result(None)

    def _hold_receiving(self) -> None:
        if not self._reading_paused:
            self._reading_paused = True
            self._transport.pause_reading()

    async def _linger(self) -> None:
        if self._transport.can_write_eof():
            self._receiver = self._loop.create_future()
            self._transport.resume_reading()
            await asyncio.wait({self._receiver, self._disconnected}, timeout=LINGER)

    async def _close(self) -> None:
        self._transport.close()
        await asyncio.wait({self._disconnected}, timeout=LINGER)
        self._transport.abort()

    async def _start_tls(
        self, context: ssl.SSLContext, server_side: bool, hostname: str | None
    ) -> None:
        try:
            transport = await self._loop.start_tls(
                self._transport,
                self._protocol,
                context,
                server_side=server_side,
                server_hostname=hostname,
            )
        except OSError as cause:
            raise lost(cause) from cause
        if transport is None:
            raise self._failure or lost(None)
        self._reading_paused = False
        self._attach(transport)

    # What the protocol reports.

    def _attach(self, transport: asyncio.Transport) -> None:
        # The queue is ours: so the transport holds what it was given last, and nothing more.
        transport.set_write_buffer_limits(high=0)
        self._transport = transport
        if self.connection.output_pending or self.connection.must_close:
            self._start_sending()

    def _received(self, data: bytes) -> None:
        if self._closed:
            return
        self.connection.receive_data(data)
        self._read_ahead += len(data)
        if self._read_ahead > READ_AHEAD:
            self._hold_receiving()
        self._interrupt_receiving()

    def _received_eof(self) -> bool:
        if not self.connection.detached:
            self.connection.receive_eof()
        self._interrupt_receiving()
        return self.ssl_object is None

    def _disconnect(self, cause: Exception | None) -> None:
        self._fail(lost(cause))
        self._disconnected.set_result(None)
        self._interrupt_receiving()


class _Protocol(asyncio.BufferedProtocol):
    def __init__(self, stream: ChatStream) -> None:
        self._stream = stream

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        stream = self._stream
        stream._attach(cast("asyncio.Transport", transport))
        if stream._on_connected is not None:
            stream._on_connected(stream)

    def get_buffer(self, sizehint: int) -> memoryview:
        return _receive_buffer.view

    def buffer_updated(self, nbytes: int) -> None:
        self._stream._received(bytes(_receive_buffer.view[:nbytes]))

    def eof_received(self) -> bool:
        return self._stream._received_eof()

    def pause_writing(self) -> None:
        self._stream._writing_paused = True

    def resume_writing(self) -> None:
        self._stream._writing_paused = False
        self._stream._send_queued()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stream._disconnect(exc)


Handler = Callable[[ChatStream], Awaitable[None]]


class Server:
    """A listening server and the tasks of its peers; made by `serve`, closed by ``async with``."""

    def __init__(self, handler: Handler, new_connection: Callable[[], Connection]) -> None:
        self._handler = handler
        self._new_connection = new_connection
        self._tasks: set[asyncio.Task[None]] = set()
        self._exits = contextlib.ExitStack()
        self._listener: asyncio.Server

    @property
    def addresses(self) -> list[Any]:
        """The addresses that are listened on."""
        return [socket.getsockname() for socket in self._listener.sockets]

    async def serve_forever(self) -> None:
        """Serve until cancelled."""
        await self._listener.serve_forever()

    async def aclose(self) -> None:
        """Stop listening, and cancel what still serves a peer."""
        self._listener.close()
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        await self._listener.wait_closed()
        self._exits.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    def _accept(self) -> asyncio.BaseProtocol:
        stream = ChatStream(self._new_connection())
        stream._on_connected = self._start_handler
        return stream._protocol

    def _start_handler(self, stream: ChatStream) -> None:
        task = asyncio.create_task(stream._handle(self._handler, None))
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            asyncio.get_running_loop().call_exception_handler(
                {
                    "message": "a handler of termsplit's server failed",
                    "exception": error,
                    "task": task,
                }
            )


async def connect(
    host: str,
    port: int,
    *,
    ssl: ssl.SSLContext | None = None,
    connection: Connection | None = None,
) -> ChatStream:
    """Open a TCP connection.

    Args:
        host: a name or an address.
        port: 1 to 65535.
        ssl: speak TLS with these settings; the certificate must be for ``host``.
        connection: the machine to use; a new `Connection` if left out.

    Raises:
        OSError: as `asyncio.loop.create_connection` does; `ssl.SSLError` is one.
    """
    stream = ChatStream(connection)
    await stream._loop.create_connection(lambda: stream._protocol, host, port, ssl=ssl)
    return stream


async def connect_unix(
    path: str | os.PathLike[str],
    *,
    ssl: ssl.SSLContext | None = None,
    server_hostname: str | None = None,
    connection: Connection | None = None,
) -> ChatStream:
    """`connect`, to a Unix socket."""
    stream = ChatStream(connection)
    await stream._loop.create_unix_connection(
        lambda: stream._protocol, os.fspath(path), ssl=ssl, server_hostname=server_hostname
    )
    return stream


async def serve(
    handler: Handler,
    host: str | None,
    port: int,
    *,
    ssl: ssl.SSLContext | None = None,
    new_connection: Callable[[], Connection] = Connection,
) -> Server:
    """Listen on TCP, and run ``handler`` in a task of its own for every peer.

    Args:
        handler: an async function of a `ChatStream`, which is closed after it: in good order when it
            returns, at once when it raises. That the peer is gone (`ConnectionLost`) ends it and
            nothing else; any other exception goes to the loop's exception handler.
        host: the address to listen on; None for all.
        port: 0 to 65535; 0 for any that is free.
        ssl: speak TLS with these settings.
        new_connection: makes the machine for each peer.

    Returns:
        the server, which listens already; it stops when it is closed.

    Raises:
        OSError: as `asyncio.loop.create_server` does.
    """
    server = Server(handler, new_connection)
    loop = asyncio.get_running_loop()
    server._listener = await loop.create_server(server._accept, host, port, ssl=ssl)
    return server


async def serve_unix(
    handler: Handler,
    path: str | os.PathLike[str],
    *,
    ssl: ssl.SSLContext | None = None,
    new_connection: Callable[[], Connection] = Connection,
) -> Server:
    """`serve`, on a Unix socket; its path is removed at the end."""
    server = Server(handler, new_connection)
    loop = asyncio.get_running_loop()
    listener = server._exits.enter_context(unix_listener(path))
    server._listener = await loop.create_unix_server(server._accept, sock=listener, ssl=ssl)
    return server


async def run(chat: Chat, stream: ChatStream) -> None:
    """Drive ``chat`` on ``stream`` until the connection is closed, by either side.

    The chat's own connection takes the stream over. Callbacks wait while the output is congested.
    After `Chat.close_when_done` what was pushed is sent, and nothing more is received.

    Args:
        chat: its `Chat.connection_lost` is called at the end.
        stream: one that nothing was pushed on.

    Raises:
        Exception: whatever a callback or a producer raised.
    """
    await stream._run(chat)
