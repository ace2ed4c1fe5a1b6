"""Blocking: connections and servers on sockets, or streams on pairs of files.

Adds to the core: time-outs, and servers with a thread for each peer.
"""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING

from termsplit._connection import Connection

from ._blocking_server import Server
from ._blocking_stream import ChatStream
from ._faces import send_at_once
from ._listen import tcp_listener, unix_listener

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

Handler = Callable[[ChatStream], object]
"""A function that serves a peer."""


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
    send_at_once(opened)
    return _connected(ChatStream(opened, connection), ssl, host)


def connect_unix(
    path: str | os.PathLike[str],
    *,
    ssl: ssl.SSLContext | None = None,
    server_hostname: str | None = None,
    timeout: float | None = None,
    connection: Connection | None = None,
) -> ChatStream:
    """`connect`, to a Unix socket.

    With TLS, ``server_hostname`` is the name that the certificate must bear. It has to be given, unless the settings
    check none (`ssl.SSLContext.check_hostname`).

    Raises:
        ValueError: it is needed, and left out.
    """
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
            once when it raises. What its peer does wrong (`ConnectionLost`, `RemoteProtocolError`) ends
            it and nothing else; any other exception goes to `threading.excepthook`.
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
    return Server(handler, tcp_listener(host, port), ssl, new_connection, timeout)


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
