"""trio: over any `trio.abc.Stream`, with a nursery that is passed in.

Adds to the core: the task that sends, which lives in the nursery while there is something to send, and
trio's checkpoints.
"""

from __future__ import annotations

import contextlib
import ssl
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, cast

import trio

from termsplit._connection import Connection

from ._faces import HANDSHAKE_FAILED, lost, peer_name
from ._listen import unix_listener
from ._pulling import PullingChatStream

if TYPE_CHECKING:
    import os
    from collections.abc import Coroutine

    from termsplit._chat import Chat

__all__ = ["ChatStream", "Handler", "connect", "connect_unix", "run", "serve", "serve_unix"]

# Each time something is received, trio's loop makes a pass, which takes about as long as to parse a tenth of what trio
# asks for by itself, 64 KiB.
_RECEIVE_SIZE = 128 * 1024


class ChatStream(PullingChatStream):
    """A `Connection` on a trio stream.

    Args:
        stream: TCP, TLS, Unix, memory: any that carries bytes both ways. It belongs to this object now.
        nursery: where what is pushed is sent from.
        connection: the machine to use; a new `Connection` if left out.
    """

    _lost_errors = (trio.BrokenResourceError, trio.ClosedResourceError, OSError)

    def __init__(
        self, stream: trio.abc.Stream, nursery: trio.Nursery, connection: Connection | None = None
    ) -> None:
        super().__init__(connection)
        self.stream: trio.abc.Stream = stream
        self.peer: Any = _peer(stream)
        """The peer's address, as its address family has it; None if the stream has none."""
        self._nursery = nursery

    @property
    def ssl_object(self) -> Any:
        """The `trio.SSLStream`, which has the attributes of `ssl.SSLObject`; None without TLS."""
        return self.stream if isinstance(cast("Any", self.stream), trio.SSLStream) else None

    async def detach(self) -> tuple[trio.abc.Stream, bytes]:
        """Send what was pushed, and hand over the stream with the bytes that are not taken yet."""
        data = await self._detach()
        return self.stream, data

    def _new_event(self) -> trio.Event:
        return trio.Event()

    def _start_task(self, function: Callable[[], Coroutine[Any, Any, None]]) -> None:
        self._nursery.start_soon(function)

    async def _pause(self) -> None:
        await trio.lowlevel.checkpoint()

    def _move_on_after(self, seconds: float) -> trio.CancelScope:
        return trio.move_on_after(seconds)

    def _new_scope(self) -> trio.CancelScope:
        return trio.CancelScope()

    def _read(self) -> Awaitable[bytes | bytearray]:
        return self.stream.receive_some(_RECEIVE_SIZE)

    def _idle_socket(self) -> Any:
        return self.stream.socket if isinstance(self.stream, trio.SocketStream) else None

    async def _write(self, data: bytes | memoryview) -> None:
        await self.stream.send_all(data)

    async def _write_eof(self) -> None:
        if isinstance(self.stream, trio.abc.HalfCloseableStream):
            await self.stream.send_eof()

    async def _end_tls(self) -> None:
        tls: Any = self.stream
        if isinstance(tls, trio.SSLStream):
            transport: trio.abc.Stream = cast("Any", tls).transport_stream
            # What waits in it would keep it from telling the peer.
            tls.transport_stream = trio.StapledStream(transport, _Dry())
            with contextlib.suppress(trio.WouldBlock, trio.BrokenResourceError):
                while await tls.receive_some():
                    pass
            tls.transport_stream = transport
            with contextlib.suppress(trio.BrokenResourceError):
                await tls.unwrap()
            self.stream = transport
            await self._write_eof()

    async def _abort(self) -> None:
        await trio.aclose_forcefully(self.stream)

    async def _start_tls(
        self, context: ssl.SSLContext, server_side: bool, hostname: str | None
    ) -> None:
        stream = trio.SSLStream(
            self.stream, context, server_side=server_side, server_hostname=hostname
        )
        try:
            await stream.do_handshake()
        except self._lost_errors as cause:
            raise (self._failure or lost(cause, HANDSHAKE_FAILED)) from cause
        self.stream = stream


class _Dry(trio.abc.ReceiveStream):
    """What a TLS stream receives from, to find out what it has received already."""

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        raise trio.WouldBlock

    async def aclose(self) -> None:
        await trio.lowlevel.checkpoint()


Handler = Callable[[ChatStream], Awaitable[None]]
"""An async function that serves a peer."""


async def connect(
    host: str,
    port: int,
    *,
    nursery: trio.Nursery,
    ssl: ssl.SSLContext | None = None,
    connection: Connection | None = None,
) -> ChatStream:
    """Open a TCP connection.

    Args:
        host: a name or an address.
        port: 1 to 65535.
        nursery: where what is pushed is sent from.
        ssl: speak TLS with these settings; the certificate must be for ``host``.
        connection: the machine to use; a new `Connection` if left out.

    Raises:
        OSError: as `trio.open_tcp_stream` does.
        ConnectionLost: the TLS handshake failed.
    """
    stream = await trio.open_tcp_stream(host, port)
    return await ChatStream(stream, nursery, connection)._connected(ssl, host)


async def connect_unix(
    path: str | os.PathLike[str],
    *,
    nursery: trio.Nursery,
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
    stream = await trio.open_unix_socket(path)
    return await ChatStream(stream, nursery, connection)._connected(ssl, server_hostname)


async def serve(
    handler: Handler,
    host: str | None,
    port: int,
    *,
    ssl: ssl.SSLContext | None = None,
    new_connection: Callable[[], Connection] = Connection,
    task_status: trio.TaskStatus[list[Any]] = trio.TASK_STATUS_IGNORED,
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
        task_status: reports the addresses that are listened on, for ``nursery.start``.

    Raises:
        OSError: as `trio.open_tcp_listeners` does.
    """
    listeners = await trio.open_tcp_listeners(port, host=host)
    await _serve(handler, listeners, ssl, new_connection, task_status)


async def serve_unix(
    handler: Handler,
    path: str | os.PathLike[str],
    *,
    ssl: ssl.SSLContext | None = None,
    new_connection: Callable[[], Connection] = Connection,
    task_status: trio.TaskStatus[list[Any]] = trio.TASK_STATUS_IGNORED,
) -> None:
    """`serve`, on a Unix socket; its path is removed at the end."""
    with unix_listener(path) as listener:
        listeners = [trio.SocketListener(trio.socket.from_stdlib_socket(listener))]
        await _serve(handler, listeners, ssl, new_connection, task_status)


async def _serve(
    handler: Handler,
    listeners: list[trio.SocketListener],
    context: ssl.SSLContext | None,
    new_connection: Callable[[], Connection],
    task_status: trio.TaskStatus[list[Any]],
) -> None:
    async def handle(stream: trio.SocketStream) -> None:
        async with trio.open_nursery() as nursery:
            await ChatStream(stream, nursery, new_connection())._handle(handler, context)

    async with trio.open_nursery() as nursery:
        await nursery.start(trio.serve_listeners, handle, listeners)
        task_status.started([listener.socket.getsockname() for listener in listeners])


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


def _peer(stream: Any) -> Any:
    if isinstance(stream, trio.SSLStream):
        stream = cast("Any", stream).transport_stream
    return peer_name(stream.socket) if isinstance(stream, trio.SocketStream) else None
