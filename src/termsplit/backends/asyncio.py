"""asyncio: connections and servers, with asyncio's own conventions.

Adds to the core: a stream on a protocol of its own, and servers with a task for each peer.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from termsplit._connection import Connection

from ._asyncio_server import Server
from ._asyncio_stream import ChatStream
from ._listen import unix_listener

if TYPE_CHECKING:
    import ssl

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

Handler = Callable[[ChatStream], Awaitable[None]]
"""An async function that serves a peer."""


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
        OSError: as `asyncio.AbstractEventLoop.create_connection` does.
        ConnectionLost: the TLS handshake failed.
    """
    stream = ChatStream(connection)
    await stream._loop.create_connection(lambda: stream._protocol, host, port)
    return await stream._connected(ssl, host)


async def connect_unix(
    path: str | os.PathLike[str],
    *,
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
    stream = ChatStream(connection)
    await stream._loop.create_unix_connection(lambda: stream._protocol, os.fspath(path))
    return await stream._connected(ssl, server_hostname)


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
            returns, at once when it raises. What its peer does wrong (`ConnectionLost`,
            `RemoteProtocolError`) ends it and nothing else; any other exception goes to the loop's
            exception handler.
        host: the address to listen on; None for all.
        port: 0 to 65535; 0 for any that is free.
        ssl: speak TLS with these settings.
        new_connection: makes the machine for each peer.

    Returns:
        the server, which listens already; it stops when it is closed.

    Raises:
        OSError: as `asyncio.AbstractEventLoop.create_server` does.
    """
    server = Server(handler, ssl, new_connection)
    loop = asyncio.get_running_loop()
    server._listener = await loop.create_server(server._accept, host, port)
    return server


async def serve_unix(
    handler: Handler,
    path: str | os.PathLike[str],
    *,
    ssl: ssl.SSLContext | None = None,
    new_connection: Callable[[], Connection] = Connection,
) -> Server:
    """`serve`, on a Unix socket; its path is removed at the end."""
    server = Server(handler, ssl, new_connection)
    loop = asyncio.get_running_loop()
    with contextlib.ExitStack() as exits:
        listener = exits.enter_context(unix_listener(path))
        server._listener = await loop.create_unix_server(server._accept, sock=listener)
        server._exits.push(exits.pop_all())
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
