"""anyio: over any `anyio.abc.ByteStream`, on asyncio or trio, with a task group that is passed in.

Adds to the core: the task that sends, which lives in the task group while there is something to send, and
anyio's checkpoints.
"""

from __future__ import annotations

import contextlib
import ssl
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import anyio
import anyio.abc
import anyio.lowlevel
from anyio.abc import SocketAttribute
from anyio.streams.stapled import MultiListener
from anyio.streams.tls import TLSAttribute, TLSStream

from termsplit._connection import Connection

from ._faces import HANDSHAKE_FAILED, lost
from ._listen import removed_at_end
from ._pulling import PullingChatStream

if TYPE_CHECKING:
    import os
    from collections.abc import Coroutine

    from termsplit._chat import Chat

_DROP_SIZE = 64 * 1024

__all__ = ["ChatStream", "Handler", "connect", "connect_unix", "run", "serve", "serve_unix"]


class ChatStream(PullingChatStream):
    """A `Connection` on an anyio stream.

    Args:
        stream: TCP, TLS, Unix, memory: any that carries bytes both ways. It belongs to this object now.
        task_group: where what is pushed is sent from.
        connection: the machine to use; a new `Connection` if left out.
    """

    # A TLS stream lets `ssl.SSLError` through as it is.
    _lost_errors = (anyio.BrokenResourceError, anyio.ClosedResourceError, OSError)
    _end_errors = (anyio.EndOfStream,)

    def __init__(
        self,
        stream: anyio.abc.AnyByteStream,
        task_group: anyio.abc.TaskGroup,
        connection: Connection | None = None,
    ) -> None:
        super().__init__(connection)
        self.stream = stream
        self.peer: Any = stream.extra(SocketAttribute.remote_address, None)
        """The peer's address, as its address family has it; None if the stream has none."""
        self._task_group = task_group
        self._untouched_socket: Any = None
        if isinstance(stream, anyio.abc.SocketStream):
            self._untouched_socket = stream.extra(SocketAttribute.raw_socket, None)

    @property
    def ssl_object(self) -> ssl.SSLObject | None:
        """The state of TLS; None without."""
        return self.stream.extra(TLSAttribute.ssl_object, None)

    async def detach(self) -> tuple[anyio.abc.AnyByteStream, bytes]:
        """Send what was pushed, and hand over the stream with the bytes that are not taken yet."""
        data = await self._detach()
        return self.stream, data

    def _new_event(self) -> anyio.Event:
        return anyio.Event()

    def _start_task(self, function: Callable[[], Coroutine[Any, Any, None]]) -> None:
        self._task_group.start_soon(function)

    async def _pause(self) -> None:
        await anyio.lowlevel.checkpoint()

    def _move_on_after(self, seconds: float) -> anyio.CancelScope:
        return anyio.move_on_after(seconds)

    def _new_scope(self) -> anyio.CancelScope:
        return anyio.CancelScope()

    def _read(self) -> Awaitable[bytes]:
        return self.stream.receive()

    def _idle_socket(self) -> Any:
        return self._untouched_socket

    async def _write(self, data: bytes | memoryview) -> None:
        # On asyncio, a part of it may wait in the transport when this returns.
        self._untouched_socket = None
        await self.stream.send(bytes(data))

    async def _write_eof(self) -> None:
        if not isinstance(self.stream, TLSStream):
            await self.stream.send_eof()

    async def _end_tls(self) -> None:
        if isinstance(tls := self.stream, TLSStream):
            # What waits in it would keep it from telling the peer.
            with contextlib.suppress(ssl.SSLError):
                while tls.extra(TLSAttribute.ssl_object).read(_DROP_SIZE):
                    pass
            with contextlib.suppress(*self._lost_errors, anyio.EndOfStream):
                await tls.unwrap()
            self.stream = tls.transport_stream
            await self._write_eof()

    async def _abort(self) -> None:
        # A TLS stream would go on with its own end, and perhaps fail at that.
        stream = self.stream
        while isinstance(stream, TLSStream):
            stream = stream.transport_stream
        await anyio.aclose_forcefully(stream)

    async def _start_tls(
        self, context: ssl.SSLContext, server_side: bool, hostname: str | None
    ) -> None:
        self._untouched_socket = None
        try:
            self.stream = await TLSStream.wrap(
                self.stream, ssl_context=context, server_side=server_side, hostname=hostname
            )
        except (*self._lost_errors, anyio.EndOfStream) as cause:
            raise (self._failure or lost(cause, HANDSHAKE_FAILED)) from cause


Handler = Callable[[ChatStream], Awaitable[None]]
"""An async function that serves a peer."""


async def connect(
    host: str,
    port: int,
    *,
    task_group: anyio.abc.TaskGroup,
    ssl: ssl.SSLContext | None = None,
    connection: Connection | None = None,
) -> ChatStream:
    """Open a TCP connection.

    Args:
        host: a name or an address.
        port: 1 to 65535.
        task_group: where what is pushed is sent from.
        ssl: speak TLS with these settings; the certificate must be for ``host``.
        connection: the machine to use; a new `Connection` if left out.

    Raises:
        OSError: as `anyio.connect_tcp` does.
        ConnectionLost: the TLS handshake failed.
    """
    stream = await anyio.connect_tcp(host, port)
    return await ChatStream(stream, task_group, connection)._connected(ssl, host)


async def connect_unix(
    path: str | os.PathLike[str],
    *,
    task_group: anyio.abc.TaskGroup,
    ssl: ssl.SSLContext | None = None,
    server_hostname: str | None = None,
    connection: Connection | None = None,
) -> ChatStream:
    """`connect`, to a Unix socket.

    With TLS, ``server_hostname`` is the name that the certificate must bear. It has to be given, unless the settings
    check none (`ssl.SSLContext.check_hostname`).

    Raises:
        ValueError: it is needed, and left out.
    """
    stream = await anyio.connect_unix(path)
    return await ChatStream(stream, task_group, connection)._connected(ssl, server_hostname)


async def serve(
    handler: Handler,
    host: str | None,
    port: int,
    *,
    ssl: ssl.SSLContext | None = None,
    new_connection: Callable[[], Connection] = Connection,
    task_status: anyio.abc.TaskStatus[list[Any]] = anyio.TASK_STATUS_IGNORED,
) -> None:
    """Listen on TCP, and run ``handler`` in a task of its own for every peer, until cancelled.

    Args:
        handler: an async function of a `ChatStream`, which is closed after it: in good order when it
            returns, at once when it raises. What its peer does wrong (`ConnectionLost`,
            `RemoteProtocolError`) ends it and nothing else; any other exception ends the server.
        host: the address to listen on; None for all.
        port: 0 to 65535; 0 for any that is free.
        ssl: speak TLS with these settings.
        new_connection: makes the machine for each peer.
        task_status: reports the addresses that are listened on, for ``task_group.start``.

    Raises:
        OSError: as `anyio.create_tcp_listener` does.
    """
    listener = await anyio.create_tcp_listener(local_host=host, local_port=port)
    await _serve(handler, listener, ssl, new_connection, task_status)


async def serve_unix(
    handler: Handler,
    path: str | os.PathLike[str],
    *,
    ssl: ssl.SSLContext | None = None,
    new_connection: Callable[[], Connection] = Connection,
    task_status: anyio.abc.TaskStatus[list[Any]] = anyio.TASK_STATUS_IGNORED,
) -> None:
    """`serve`, on a Unix socket; its path is removed at the end."""
    listener = await anyio.create_unix_listener(path)
    with removed_at_end(path):
        await _serve(handler, MultiListener([listener]), ssl, new_connection, task_status)


async def _serve(
    handler: Handler,
    listener: MultiListener[anyio.abc.SocketStream],
    context: ssl.SSLContext | None,
    new_connection: Callable[[], Connection],
    task_status: anyio.abc.TaskStatus[list[Any]],
) -> None:
    async def handle(stream: anyio.abc.SocketStream) -> None:
        async with anyio.create_task_group() as task_group:
            await ChatStream(stream, task_group, new_connection())._handle(handler, context)

    async with listener, anyio.create_task_group() as task_group:
        addresses = [each.extra(SocketAttribute.local_address) for each in listener.listeners]
        task_status.started(addresses)
        await listener.serve(handle, task_group)


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
