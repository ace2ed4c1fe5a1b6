"""asyncore: dispatchers that share a channel map with any others.

Adds to the core: a stream that is a dispatcher, and a server that is one. Nothing here waits: ``asyncore.loop`` does.

That the peer is gone, or broke the rules that the application set (`RemoteProtocolError`), closes its stream and is
told to `Chat.connection_lost`. Any other exception of a callback or a producer does so too, and then comes out of
``asyncore.loop``: the other channels are as they were, and the loop may be entered again.
"""

from __future__ import annotations

import contextlib
import os
import socket
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from termsplit._connection import Connection
from termsplit._errors import ConnectionLost, RemoteProtocolError

from ._asyncore import asyncore
from ._asyncore_dispatcher import Callbacks, Dispatcher
from ._asyncore_stream import ChatStream
from ._listen import tcp_listener, unix_listener

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

# What accepting waits, in seconds, when the process has no file descriptor left for a peer.
_RETRY_AFTER = 0.1

Handler = Callable[[ChatStream], object]
"""A function that begins to serve a peer."""


class Server(Dispatcher):
    """A listening dispatcher; made by `serve`, closed by ``with``."""

    def __init__(
        self,
        handler: Handler,
        listener: socket.socket,
        map: dict[int, Any] | None,
        ssl: ssl.SSLContext | None,
        new_connection: Callable[[], Connection],
    ) -> None:
        super().__init__(listener, map)
        self.accepting = True
        self._handler = handler
        self._ssl = ssl
        self._new_connection = new_connection
        self._exits = contextlib.ExitStack()
        self._retry_at = 0.0

    @property
    def addresses(self) -> list[Any]:
        """The addresses that are listened on."""
        return [self.socket.getsockname()]

    def serve_forever(self) -> None:
        """Turn the loop, for all the channels in the map, until the server is closed."""
        while self.accepting:
            asyncore.loop(map=self._map, count=1)

    def close(self) -> None:
        """Stop listening, and abort the streams that are still served. Idempotent."""
        super().close()
        self._exits.close()
        for channel in list(self._map.values()):
            if isinstance(channel, ChatStream) and channel._server is self:
                channel.abort()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def readable(self) -> bool:
        """Whether to watch for peers: not soon after one could not be accepted."""
        return time.monotonic() >= self._retry_at

    def accept(self) -> tuple[socket.socket, Any] | None:
        """The next peer's socket, if it can be had."""
        try:
            return super().accept()
        except OSError:
            self._retry_at = time.monotonic() + _RETRY_AFTER
            return None

    def handle_accepted(self, sock: socket.socket, addr: Any) -> None:
        """Make a stream for the peer, and call the handler."""
        with Callbacks(self), contextlib.ExitStack() as failed:
            failed.enter_context(sock)
            stream = ChatStream(sock, self._map, self._new_connection())
            stream._server = self
            failed.callback(stream.abort)
            try:
                if self._ssl is not None:
                    stream.start_tls(self._ssl, server_side=True)
                self._handler(stream)
            except (ConnectionLost, RemoteProtocolError):
                return
            failed.pop_all()


def connect(
    host: str,
    port: int,
    *,
    map: dict[int, Any] | None = None,
    ssl: ssl.SSLContext | None = None,
    connection: Connection | None = None,
) -> ChatStream:
    """Begin to open a TCP connection; if that fails, `Chat.connection_lost` is told.

    Only the look-up of a name is waited for.

    Args:
        host: a name or an address; all of its addresses are tried.
        port: 1 to 65535.
        map: the channel map to join; asyncore's own if left out.
        ssl: speak TLS with these settings; the certificate must be for ``host``.
        connection: the machine to use; a new `Connection` if left out.

    Raises:
        OSError: the name is not known.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = [(family, address) for family, _, _, _, address in found]
    return _connect(addresses, host, map, ssl, connection)


def connect_unix(
    path: str | os.PathLike[str],
    *,
    map: dict[int, Any] | None = None,
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
    addresses = [(socket.AF_UNIX, os.fspath(path))]
    return _connect(addresses, server_hostname, map, ssl, connection)


def _connect(
    addresses: Iterable[tuple[int, Any]],
    hostname: str | None,
    map: dict[int, Any] | None,
    context: ssl.SSLContext | None,
    connection: Connection | None,
) -> ChatStream:
    stream = ChatStream(None, map, connection)
    stream._addresses = iter(addresses)
    if context is not None:
        stream.start_tls(context, server_hostname=hostname)
    stream._connect(None)
    return stream


def serve(
    handler: Handler,
    host: str | None,
    port: int,
    *,
    map: dict[int, Any] | None = None,
    ssl: ssl.SSLContext | None = None,
    new_connection: Callable[[], Connection] = Connection,
) -> Server:
    """Listen on TCP, and call ``handler`` for every peer.

    Args:
        handler: a function of a `ChatStream`; as a rule it calls `run`. If it raises, the stream is
            closed, and the exception comes out of the loop.
        host: the address to listen on; None for all.
        port: 0 to 65535; 0 for any that is free.
        map: the channel map to join; asyncore's own if left out.
        ssl: speak TLS with these settings.
        new_connection: makes the machine for each peer.

    Returns:
        the server, which listens already; the loop drives it, and it stops when it is closed.

    Raises:
        OSError: as `socket.create_server` does.
    """
    return Server(handler, tcp_listener(host, port), map, ssl, new_connection)


def serve_unix(
    handler: Handler,
    path: str | os.PathLike[str],
    *,
    map: dict[int, Any] | None = None,
    ssl: ssl.SSLContext | None = None,
    new_connection: Callable[[], Connection] = Connection,
) -> Server:
    """`serve`, on a Unix socket; its path is removed at the end."""
    with contextlib.ExitStack() as exits:
        listener = exits.enter_context(unix_listener(path))
        server = Server(handler, listener, map, ssl, new_connection)
        server._exits.push(exits.pop_all())
    return server


def run(chat: Chat, stream: ChatStream) -> None:
    """Let the loop drive ``chat`` on ``stream`` until the connection is closed, by either side. It returns at once.

    The chat's own connection takes the stream over. Callbacks wait while the output is congested.
    After `Chat.close_when_done` what was pushed is sent, and nothing more is received.

    Args:
        chat: its `Chat.connection_lost` is called at the end.
        stream: one that nothing was pushed on, and that runs no other.
    """
    stream._run(chat)
